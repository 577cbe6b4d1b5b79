/**
 * A scenario: some hosts on one network, what runs on them, and what happens to them, step by step.
 * Plain data; scenario-parser.ts reads it from text, runner.ts plays it. Names of hosts are unique.
 */
import type { Span } from '../config/diagnostic.ts';

export type Scenario = {
  /** The file's name without its ending. */
  readonly name: string;
  readonly title: string;
  readonly network: Network;
  readonly hosts: readonly Host[];
  readonly steps: readonly Step[];
  /** Of the dice that say which frame is how late and which comes twice. */
  readonly seed: number;
  readonly file: string;
};

/** The subnet that all hosts are in, IPv4: `10.10.0.0/16`. */
export type Network = { readonly address: string; readonly prefix_length: number };

export type Host = Node | WebServer | Client;

/** A machine under test: a carpool, or (as the peer) the real ucarp. */
export type Node = {
  readonly kind: 'node';
  readonly name: string;
  readonly address: string;
  /** `either`: ucarp where it is installed, else carpool. */
  readonly runs: 'carpool' | 'ucarp' | 'either';
  /** The configuration files, given to carpool with -f in this order. ucarp takes its arguments from Debian's interfaces. */
  readonly files: readonly ConfigurationFile[];
  /** ucarp's own arguments; the lab adds -i, -s, -u, -d and -z. */
  readonly ucarp_arguments: readonly string[];
  readonly span: Span;
};

export type ConfigurationFile = {
  readonly name: string;
  readonly text: string;
  /** The line in the scenario that holds the file's first line. */
  readonly first_line: number;
  /** How much white space the scenario has before that line. */
  readonly indent: number;
};

/** Answers every HTTP request with 200 and its own name. */
export type WebServer = {
  readonly kind: 'web';
  readonly name: string;
  readonly address: string;
  readonly port: number;
  readonly span: Span;
};

/** Sends requests and probes from its start to the end of the scenario. */
export type Client = {
  readonly kind: 'client';
  readonly name: string;
  readonly address: string;
  readonly probes: readonly Probe[];
  readonly requests: readonly Request[];
  readonly span: Span;
};

/** One ICMP echo request to the VIP each period, whether or not the last one was answered. */
export type Probe = { readonly vip: string; readonly every_ms: number };

/** One HTTP GET each period, whether or not the last one was answered. */
export type Request = { readonly url: string; readonly every_ms: number; readonly timeout_ms: number };

export const VERBS = [
  'start',
  'stop',
  'kill',
  'crash',
  'freeze',
  'thaw',
  'unplug',
  'plug',
  'down',
  'up',
  'isolate',
  'rejoin',
  'strip',
  'jam',
  'unjam',
  'reload',
] as const;
export type Verb = (typeof VERBS)[number];

export const STATES = ['INIT', 'BACKUP', 'MASTER'] as const;
export type State = (typeof STATES)[number];

export type Step = {
  /** `at 12 s …`: not before that time after the first step; undefined: as soon as the step before is done. */
  readonly at_ms: number | undefined;
  /** The line as written, without indentation and comment. */
  readonly text: string;
  readonly span: Span;
  readonly does:
    | { readonly kind: 'act'; readonly verb: Verb; readonly hosts: readonly string[] }
    /** A command for the daemon of a node that runs carpool, as `carpool COMMAND` would send it. */
    | { readonly kind: 'tell'; readonly host: string; readonly command: string }
    /** Another text for one of the node's files; who runs there reads it when it is reloaded or started. */
    | { readonly kind: 'write'; readonly host: string; readonly file: ConfigurationFile }
    | { readonly kind: 'switch'; readonly change: SwitchChange }
    | { readonly kind: 'pause'; readonly for_ms: number }
    | { readonly kind: 'wait'; readonly condition: Condition; readonly within_ms: number }
    | { readonly kind: 'expect'; readonly expectation: Expectation };
};

/** What the switch does to frames from now on; 0 is an end of it, as `heal` is of all cuts. */
export type SwitchChange =
  | Cut
  | { readonly kind: 'heal' }
  | { readonly kind: 'lose' | 'repeat'; readonly percent: number }
  /** Each copy of a frame draws its own delay up to that, so that frames overtake each other. */
  | { readonly kind: 'delay'; readonly up_to_ms: number }
  /** Each frame goes back to whom it came from, too. */
  | { readonly kind: 'echo'; readonly on: boolean };

/** Whether it takes cables that are slow (cable.ts). */
export function isOfCables(change: SwitchChange): change is SwitchChange & { kind: 'delay' | 'repeat' } {
  return change.kind === 'delay' || change.kind === 'repeat';
}

/** One way: what `from` sends does not reach `to`; undefined is everybody. `family`: of IPv4 or IPv6 alone. */
export type Cut = {
  readonly kind: 'cut';
  readonly from: string | undefined;
  readonly to: string | undefined;
  readonly family: 4 | 6 | undefined;
};

/** Something that is true or false at every moment of the run. */
export type Condition =
  | { readonly kind: 'state'; readonly node: string; readonly vhid: number; readonly state: State }
  | { readonly kind: 'address'; readonly vip: string; readonly node: string; readonly present: boolean }
  | { readonly kind: 'ended'; readonly node: string }
  | { readonly kind: 'answers'; readonly vip: string }
  | { readonly kind: 'silent'; readonly vip: string };

/** What must hold. Times within count from the last action (start, kill …) before the expectation. */
export type Expectation =
  | { readonly kind: 'becomes'; readonly condition: Condition; readonly within_ms: number }
  | { readonly kind: 'stays'; readonly condition: Condition; readonly for_ms: number }
  | { readonly kind: 'outage'; readonly vip: string; readonly at_most_ms: number }
  | { readonly kind: 'failed'; readonly at_most: number }
  | { readonly kind: 'answered'; readonly at_least: number; readonly by: string | undefined }
  | { readonly kind: 'all-answered'; readonly for_ms: number };
