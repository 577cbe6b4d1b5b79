/**
 * The commands that a running daemon understands, one table behind the control socket and the command line
 * (`carpool status` sends the line `status`).
 */
import type { EventLog } from './event-log.ts';
import { renderIfconfig } from './status-ifconfig.ts';
import type { StatusReport } from './status-report.ts';
import { renderStatus } from './status-text.ts';

/** An answer that begins so is a sentence about what is wrong. */
export const ERROR = 'error: ';

/** What the commands may see of the daemon. */
export type CommandContext = {
  readonly version: string;
  readonly events: EventLog;
  status(): Promise<StatusReport>;
};

/** Where an answer goes. `stream` sends line by line until the other end has gone. */
export type Reply = {
  send(text: string): void;
  stream(follow: (write: (line: string) => void) => () => void): void;
};

export type ControlCommand = {
  readonly name: string;
  readonly usage: string;
  readonly help: string;
  /** Words that may follow the name; at most one of them. */
  readonly options: readonly string[];
  run(option: string | undefined, context: CommandContext, reply: Reply): Promise<void> | void;
};

export const COMMANDS: readonly ControlCommand[] = [
  {
    name: 'status',
    usage: 'status [--json | --ifconfig]',
    help: 'who holds which address, since when and why; the servers',
    options: ['--json', '--ifconfig'],
    async run(option, context, reply) {
      const report = await context.status();
      if (option === '--json') reply.send(`${JSON.stringify(report)}\n`);
      else reply.send(option === '--ifconfig' ? renderIfconfig(report) : renderStatus(report));
    },
  },
  {
    name: 'events',
    usage: 'events',
    help: 'what happened lately, then what happens, one JSON object a line',
    options: [],
    run: (_option, context, reply) => reply.stream((write) => context.events.follow(write)),
  },
  {
    name: 'version',
    usage: 'version',
    help: 'the version that runs',
    options: [],
    run: (_option, context, reply) => reply.send(`carpool ${context.version}\n`),
  },
  {
    name: 'help',
    usage: 'help',
    help: 'this list',
    options: [],
    run: (_option, _context, reply) => reply.send(renderHelp()),
  },
];

function renderHelp(): string {
  const width = Math.max(...COMMANDS.map((command) => command.usage.length));
  return COMMANDS.map((command) => `${command.usage.padEnd(width)}  ${command.help}\n`).join('');
}

export type ParsedLine =
  | { readonly command: ControlCommand; readonly option: string | undefined }
  | { readonly mistake: string };

/** Pure: finds the command and checks what follows it. */
export function parseCommandLine(words: readonly string[]): ParsedLine {
  const [name = '', ...rest] = words;
  const command = COMMANDS.find((candidate) => candidate.name === name);
  if (command === undefined) return { mistake: `There is no command "${name}"; "help" lists them all.` };
  const unknown = rest.find((word) => !command.options.includes(word));
  const takes = command.options.length > 0 ? `takes ${command.options.join(' or ')}` : 'takes no options';
  if (unknown !== undefined) return { mistake: `"${name}" ${takes}, not "${unknown}".` };
  if (rest.length > 1) return { mistake: `Choose one of ${command.options.join(' and ')}.` };
  return { command, option: rest[0] };
}
