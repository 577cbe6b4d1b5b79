/**
 * The commands that a running daemon understands, one table behind the control socket and the command line
 * (`carpool status` sends the line `status`).
 */

import type { ListeningSocket } from '../threads/listeners.ts';
import { CARP_COMMANDS } from './carp-commands.ts';
import type { CarpNode } from './carp-node.ts';
import type { CarpStatus } from './carp-status.ts';
import type { EventLog } from './event-log.ts';
import { HAND_OVER } from './hand-over-words.ts';
import { IFCONFIG_COMMANDS, showIfconfig } from './ifconfig-commands.ts';
import { ORDER_COMMANDS } from './order-commands.ts';
import type { Orders } from './orders.ts';
import type { Reloaded } from './reloaded.ts';
import type { RuntimeDaemon } from './runtime/command.ts';
import { RUNTIME_CONTROL_COMMANDS } from './runtime-commands.ts';
import { IFCONFIG_FORMS, type IfconfigForm } from './status-ifconfig.ts';
import type { StatusReport } from './status-report.ts';
import { renderStatus } from './status-text.ts';

/** An answer that begins so is a sentence about what is wrong. */
export const ERROR = 'error: ';

/** The answer of a command that did its work and has nothing to tell. */
export const SILENCE = '\n';

/** What the commands may see of the daemon. */
export type CommandContext = {
  readonly version: string;
  readonly events: EventLog;
  readonly orders: Orders;
  status(): Promise<StatusReport>;
  /** The carp thread's answer; undefined where there are no vhids. */
  carp(): Promise<CarpStatus | undefined>;
  /** The carp sections' names, by the vhids' indexes; '' where there is none any more. */
  names(): readonly string[];
  /** Where it listens, for a process that takes its place. */
  listeners(): readonly ListeningSocket[];
  /** For that process, too: what this one is MASTER of, until the returned function is called. */
  offerVhids(write: (line: string) => void): () => void;
  /** The configurations that serve somebody, in words. */
  workers(): string;
  /** Undefined: there are no files to read again. */
  readonly reload: (() => Promise<Reloaded>) | undefined;
  /** What statistics and the runtime API work on. */
  readonly runtime: RuntimeDaemon;
  /** The vhids as configured, with what people changed. */
  readonly node: CarpNode;
  /** `ifconfig em0 vhid 1 state backup`, by the section's name. */
  setState(name: string, to: 'MASTER' | 'BACKUP'): void;
};

/** Who asks, as the kernel says (SO_PEERCRED): `alice`, or `uid 1001` without an entry in /etc/passwd. */
export type Caller = { readonly uid: number; readonly user: string };

/** Where an answer goes. `stream` sends line by line until the other end has gone. */
export type Reply = {
  send(text: string): void;
  /** One sentence about why not. */
  refuse(sentence: string): void;
  /** Descriptors, each with a line, then a line that says that these were all. */
  passDescriptors(list: readonly { readonly text: string; readonly fd: number }[]): void;
  stream(follow: (write: (line: string) => void) => () => void): void;
};

export type ControlCommand = {
  readonly name: string;
  readonly usage: string;
  readonly help: string;
  /** Pure, so that both ends of the socket may look: what the words after the name ask for, or what is wrong with them. */
  prepare(words: readonly string[]): Prepared;
};

/** A command that may run, or one sentence for the person who typed it. */
export type Prepared = { readonly run: Run } | { readonly mistake: string };
export type Run = (context: CommandContext, reply: Reply, caller: Caller) => Promise<void> | void;

const FORM_OPTIONS = ['--ifconfig', ...IFCONFIG_FORMS.map((form) => `--ifconfig=${form}`)];

function formOf(option: string): IfconfigForm | undefined {
  return IFCONFIG_FORMS.find((form) => option === `--ifconfig=${form}`);
}

export const COMMANDS: readonly ControlCommand[] = [
  {
    name: 'status',
    usage: 'status [--json | --ifconfig[=FORM]]',
    help: 'who holds which address, since when and why; the servers; FORM: freebsd9, freebsd10 or openbsd',
    prepare: (words) =>
      oneOption('status', ['--json', ...FORM_OPTIONS], words, (option) => async (context, reply) => {
        if (option?.startsWith('--ifconfig')) return reply.send(await showIfconfig(context, { form: formOf(option) }));
        const report = await context.status();
        reply.send(option === '--json' ? `${JSON.stringify(report)}\n` : renderStatus(report));
      }),
  },
  ...IFCONFIG_COMMANDS,
  ...CARP_COMMANDS,
  {
    name: 'events',
    usage: 'events',
    help: 'what happened lately, then what happens, one JSON object a line',
    prepare: (words) =>
      oneOption('events', [], words, () => (context, reply) => reply.stream((write) => context.events.follow(write))),
  },
  ...ORDER_COMMANDS,
  ...RUNTIME_CONTROL_COMMANDS,
  {
    name: 'reload',
    usage: 'reload',
    help: 'read the configuration again and change to it without a break (also by SIGHUP and SIGUSR2)',
    prepare: (words) => oneOption('reload', [], words, () => reloadNow),
  },
  {
    name: HAND_OVER,
    usage: `${HAND_OVER} [vhids]`,
    help: 'give the listening sockets, or the vhids, to a new process (what `carpool -x` asks for)',
    prepare: (words) =>
      oneOption(HAND_OVER, ['vhids'], words, (option) => (context, reply) => {
        if (option === 'vhids') return reply.stream((write) => context.offerVhids(write));
        reply.passDescriptors(
          context.listeners().map(({ fd, thread, place }) => ({ text: `${thread} ${place}\n`, fd })),
        );
      }),
  },
  {
    name: 'workers',
    usage: 'workers',
    help: 'the configuration that holds, and earlier ones with what they wait for',
    prepare: (words) => oneOption('workers', [], words, () => (context, reply) => reply.send(context.workers())),
  },
  {
    name: 'version',
    usage: 'version',
    help: 'the version that runs',
    prepare: (words) =>
      oneOption('version', [], words, () => (context, reply) => reply.send(`carpool ${context.version}\n`)),
  },
  {
    name: 'help',
    usage: 'help',
    help: 'this list',
    prepare: (words) => oneOption('help', [], words, () => (_context, reply) => reply.send(renderHelp())),
  },
];

async function reloadNow({ reload }: CommandContext, reply: Reply): Promise<void> {
  const result = await reload?.();
  if (result === undefined) reply.refuse('This daemon was not started from files that could be read again.');
  else if (result.done) reply.send(`configuration ${result.generation} holds\n`);
  else reply.refuse([`Everything stays as it is: ${result.why}.`, ...result.errors].join('\n'));
}

function renderHelp(): string {
  const width = Math.max(...COMMANDS.map((command) => command.usage.length));
  return COMMANDS.map((command) => `${command.usage.padEnd(width)}  ${command.help}\n`).join('');
}

/** Pure: finds the command and checks what follows it. */
export function parseCommandLine(words: readonly string[]): Prepared {
  const [name = '', ...rest] = words;
  const command = COMMANDS.find((candidate) => candidate.name === name);
  if (command === undefined) return { mistake: `There is no command "${name}"; "help" lists them all.` };
  return command.prepare(rest);
}

/** For commands that take one of a few words, or none. */
function oneOption(
  name: string,
  options: readonly string[],
  words: readonly string[],
  run: (option: string | undefined) => Run,
): Prepared {
  const unknown = words.find((word) => !options.includes(word));
  // `--ifconfig=freebsd9` and its like are told as one
  const told = options
    .filter((option) => !option.includes('='))
    .map((one) => (options.some((o) => o.startsWith(`${one}=`)) ? `${one}[=FORM]` : one));
  const takes = told.length > 0 ? `takes ${told.join(' or ')}` : 'takes no options';
  if (unknown !== undefined) return { mistake: `"${name}" ${takes}, not "${unknown}".` };
  if (words.length > 1) return { mistake: `Choose one of ${told.join(' and ')}.` };
  return { run: run(words[0]) };
}
