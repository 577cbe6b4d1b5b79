/**
 * Reads one step of a scenario:
 *
 *   [at TIME] start | stop | kill | crash | freeze | thaw | unplug | plug | down | up
 *             | isolate | rejoin | strip | jam | unjam | reload  HOST [, HOST | and HOST]…
 *   [at TIME] write NODE FILE                     the deeper lines that follow are the file's new text
 *   [at TIME] cut HOST to HOST [over IPv4 | over IPv6]    one way; `all` is everybody
 *   [at TIME] heal                                no cut any more
 *   [at TIME] lose N %                            of all frames, each by chance; 0 % is an end of it
 *   [at TIME] repeat N %                          of all frames come twice
 *   [at TIME] delay up to TIME                    each frame, by chance, so that some overtake others; 0 ms is an end of it
 *   [at TIME] echo on | off                       each frame goes back to whom it came from, too
 *   [at TIME] tell NODE COMMAND                   such as `tell a demote 100`
 *   [at TIME] wait TIME
 *   [at TIME] wait until CONDITION within TIME
 *   [at TIME] expect EXPECTATION
 *
 *   CONDITION    NODE is MASTER of 1 | VIP is on NODE | VIP is gone from NODE | VIP answers | VIP is silent |
 *                NODE has ended
 *   EXPECTATION  CONDITION [within TIME]          counted from the last action
 *                CONDITION for TIME               counted from here
 *                outage of VIP at most TIME | no outage of VIP
 *                no request fails [for TIME] | at most N requests fail | at least N requests answered [by WEB]
 */
import { joinWords } from '../control/command-words.ts';
import { parseCommandLine } from '../control/commands.ts';
import { findMistakes, readFile } from './embedded-files.ts';
import {
  type Condition,
  type Cut,
  type Expectation,
  type Host,
  type Node,
  STATES,
  type Step,
  type SwitchChange,
  VERBS,
  type Verb,
} from './scenario.ts';
import { isAddress, type Line, type LineReader, lineText } from './scenario-words.ts';

const EVERYBODY = 'all';
const SWITCH_VERBS = ['cut', 'heal', 'lose', 'repeat', 'delay', 'echo'] as const;
const LONGEST_DELAY_MS = 10_000;

/**
 * `block`: the deeper lines below the step, which only `write` has. Undefined when there is a mistake, which is then among the
 * reader's diagnostics.
 */
export function parseStep(words: LineReader, block: readonly Line[], hosts: readonly Host[]): Step | undefined {
  const at_ms = words.take('at') ? words.duration('the time of the step') : undefined;
  const does = parseWhatItDoes(words, block, hosts);
  if (!words.end() || !does) return undefined;
  return { at_ms, text: lineText(words.line), span: words.lineSpan(), does };
}

/** Whether the deeper lines below it belong to this step. */
export function takesBlock(line: Line): boolean {
  return /^(at\s+[\d.]+\s*(ms|s|min)\s+)?write\s/.test(lineText(line));
}

function parseWhatItDoes(words: LineReader, block: readonly Line[], hosts: readonly Host[]): Step['does'] | undefined {
  const verb = words.oneOf(
    'a step',
    [...VERBS, 'write', ...SWITCH_VERBS, 'tell', 'wait', 'expect'] as const,
    'unknown-step',
  );
  if (verb === 'wait') return parseWait(words, hosts);
  if (verb === 'expect') {
    const expectation = parseExpectation(words, hosts);
    return expectation && { kind: 'expect', expectation };
  }
  if (verb === 'tell') return parseTell(words, hosts);
  if (verb === 'write') return parseWrite(words, block, hosts);
  if (verb === undefined) return undefined;
  if (!isOfSwitch(verb)) return parseAct(verb, words, hosts);
  const change = parseChange(verb, words, hosts);
  return change && { kind: 'switch', change };
}

function isOfSwitch(verb: Verb | SwitchChange['kind']): verb is SwitchChange['kind'] {
  return (SWITCH_VERBS as readonly string[]).includes(verb);
}

function parseChange(verb: SwitchChange['kind'], words: LineReader, hosts: readonly Host[]): SwitchChange | undefined {
  if (verb === 'cut') return parseCut(words, hosts);
  if (verb === 'heal') return { kind: 'heal' };
  if (verb === 'delay') return parseDelay(words);
  if (verb === 'echo') {
    const on = words.oneOf('`on` or `off`', ['on', 'off'] as const);
    return on && { kind: 'echo', on: on === 'on' };
  }
  const percent = words.integer('the share of frames', 0, 100);
  return percent !== undefined && words.need('%') ? { kind: verb, percent } : undefined;
}

function parseDelay(words: LineReader): SwitchChange | undefined {
  if (!words.need('up', 'to')) return undefined;
  if (words.take('0', 'ms')) return { kind: 'delay', up_to_ms: 0 };
  const up_to_ms = words.duration('the longest delay');
  if (up_to_ms === undefined) return undefined;
  if (up_to_ms <= LONGEST_DELAY_MS) return { kind: 'delay', up_to_ms };
  return words.fail(
    'bad-time',
    `the longest delay is ${LONGEST_DELAY_MS / 1000} s, for all frames on their way are kept`,
  );
}

function parseWrite(words: LineReader, block: readonly Line[], hosts: readonly Host[]): Step['does'] | undefined {
  const able = hosts.filter(runsCarpool);
  const host = words.oneOf('a node that runs carpool', able.map(nameOf), 'unknown-host');
  const node = able.find(({ name }) => name === host);
  if (!node) return undefined;
  const name = words.oneOf(`a file of ${node.name}`, node.files.map(nameOf), 'unknown-file');
  const file = name === undefined ? undefined : readFile(words, name, block);
  if (!file) return undefined;
  const files = node.files.map((one) => (one.name === name ? file : one));
  words.diagnostics.push(...findMistakes({ ...node, files }, words.file));
  return { kind: 'write', host: node.name, file };
}

function runsCarpool(host: Host): host is Node {
  return host.kind === 'node' && host.runs === 'carpool';
}

function nameOf({ name }: { readonly name: string }): string {
  return name;
}

function parseTell(words: LineReader, hosts: readonly Host[]): Step['does'] | undefined {
  const host = words.oneOf('a node that runs carpool', hosts.filter(runsCarpool).map(nameOf), 'unknown-host');
  if (host === undefined) return undefined;
  const command: string[] = [];
  do command.push(words.any('the command') ?? '');
  while (words.peek() !== undefined);
  const parsed = parseCommandLine(command);
  if ('mistake' in parsed) return words.fail('bad-command', parsed.mistake);
  return { kind: 'tell', host, command: joinWords(command) };
}

function parseCut(words: LineReader, hosts: readonly Host[]): Cut | undefined {
  const names = [EVERYBODY, ...hosts.map(nameOf)];
  const from = words.oneOf('a host of this scenario, or all', names, 'unknown-host');
  if (from === undefined || !words.need('to')) return undefined;
  const to = words.oneOf('a host of this scenario, or all', names, 'unknown-host');
  if (to === undefined) return undefined;
  const family = words.take('over') ? words.oneOf('an address family', ['IPv4', 'IPv6'] as const) : undefined;
  const one = (name: string) => (name === EVERYBODY ? undefined : name);
  return { kind: 'cut', from: one(from), to: one(to), family: family && (family === 'IPv4' ? 4 : 6) };
}

function parseAct(verb: Verb, words: LineReader, hosts: readonly Host[]): Step['does'] | undefined {
  const able = hosts.filter((host) => canDo(verb, host)).map((host) => host.name);
  const names: string[] = [];
  do {
    const name = words.oneOf(`a host that can ${verb}`, able, 'unknown-host');
    if (name === undefined) return undefined;
    names.push(name);
  } while (words.take(',') || words.take('and'));
  return { kind: 'act', verb, hosts: names };
}

function canDo(verb: Verb, host: Host): boolean {
  if (verb === 'reload') return runsCarpool(host);
  if (host.kind === 'node') return true;
  return verb === 'start' || (host.kind === 'web' && verb === 'stop');
}

function parseWait(words: LineReader, hosts: readonly Host[]): Step['does'] | undefined {
  if (!words.take('until')) {
    const for_ms = words.duration('the time to wait');
    return for_ms === undefined ? undefined : { kind: 'pause', for_ms };
  }
  const condition = parseCondition(words, hosts);
  if (!condition || !words.need('within')) return undefined;
  const within_ms = words.duration();
  return within_ms === undefined ? undefined : { kind: 'wait', condition, within_ms };
}

function parseExpectation(words: LineReader, hosts: readonly Host[]): Expectation | undefined {
  if (words.take('outage', 'of')) return parseOutage(words, hosts);
  if (words.take('no', 'outage', 'of')) {
    const vip = parseVip(words, hosts);
    return vip === undefined ? undefined : { kind: 'outage', vip, at_most_ms: 0 };
  }
  if (words.take('no', 'request', 'fails')) {
    if (!words.take('for')) return { kind: 'failed', at_most: 0 };
    const for_ms = words.duration();
    return for_ms === undefined ? undefined : { kind: 'all-answered', for_ms };
  }
  if (words.take('at', 'most')) {
    const at_most = words.integer('the number of requests', 0, 1e9);
    return at_most !== undefined && words.need('requests', 'fail') ? { kind: 'failed', at_most } : undefined;
  }
  if (words.take('at', 'least')) return parseAnswered(words, hosts);
  return parseBecomesOrStays(words, hosts);
}

function parseOutage(words: LineReader, hosts: readonly Host[]): Expectation | undefined {
  const vip = parseVip(words, hosts);
  if (vip === undefined || !words.need('at', 'most')) return undefined;
  const at_most_ms = words.duration();
  return at_most_ms === undefined ? undefined : { kind: 'outage', vip, at_most_ms };
}

function parseAnswered(words: LineReader, hosts: readonly Host[]): Expectation | undefined {
  const at_least = words.integer('the number of requests', 1, 1e9);
  if (at_least === undefined || !words.need('requests', 'answered')) return undefined;
  if (!words.take('by')) return { kind: 'answered', at_least, by: undefined };
  const webs = hosts.filter((host) => host.kind === 'web').map((host) => host.name);
  const by = words.oneOf('a web server of this scenario', webs, 'unknown-host');
  return by === undefined ? undefined : { kind: 'answered', at_least, by };
}

function parseBecomesOrStays(words: LineReader, hosts: readonly Host[]): Expectation | undefined {
  const condition = parseCondition(words, hosts);
  if (!condition) return undefined;
  if (words.take('for')) {
    const for_ms = words.duration();
    return for_ms === undefined ? undefined : { kind: 'stays', condition, for_ms };
  }
  const within_ms = words.take('within') ? words.duration() : 0;
  return within_ms === undefined ? undefined : { kind: 'becomes', condition, within_ms };
}

function parseCondition(words: LineReader, hosts: readonly Host[]): Condition | undefined {
  if (isAddress(words.peek() ?? '')) return parseVipCondition(words, hosts);
  const node = parseNode(words, hosts);
  if (node === undefined) return undefined;
  if (words.take('has', 'ended')) return { kind: 'ended', node };
  if (!words.need('is')) return undefined;
  const state = words.oneOf('a state of CARP', STATES, 'unknown-state');
  if (state === undefined || !words.need('of')) return undefined;
  words.take('vhid');
  const vhid = words.integer('a vhid', 1, 255);
  return vhid === undefined ? undefined : { kind: 'state', node, vhid, state };
}

function parseVipCondition(words: LineReader, hosts: readonly Host[]): Condition | undefined {
  const vip = words.address('an address')!;
  if (words.take('answers')) return isProbed(words, hosts, vip) ? { kind: 'answers', vip } : undefined;
  if (words.take('is', 'silent')) return isProbed(words, hosts, vip) ? { kind: 'silent', vip } : undefined;
  const present = words.take('is', 'on');
  if (!present && !words.need('is', 'gone', 'from')) return undefined;
  const node = parseNode(words, hosts);
  return node === undefined ? undefined : { kind: 'address', vip, node, present };
}

function parseNode(words: LineReader, hosts: readonly Host[]): string | undefined {
  const nodes = hosts.filter((host) => host.kind === 'node').map((host) => host.name);
  return words.oneOf('a node of this scenario', nodes, 'unknown-node');
}

/** An address that the client probes: nobody would notice an outage of another. */
function parseVip(words: LineReader, hosts: readonly Host[]): string | undefined {
  const vip = words.address('the address');
  return vip !== undefined && isProbed(words, hosts, vip) ? vip : undefined;
}

function isProbed(words: LineReader, hosts: readonly Host[], vip: string): boolean {
  const probed = hosts.flatMap((host) => (host.kind === 'client' ? host.probes.map((probe) => probe.vip) : []));
  if (probed.includes(vip)) return true;
  words.fail('not-probed', `no client probes ${vip}`, `write \`probe ${vip}\` under the client`);
  return false;
}
