/** The runtime API: from a line to its answer. Words may be shortened as long as one command is meant (`sh st`). */
import { DENIED, mayUse, type RuntimeCommand, type RuntimeDaemon, type Said, type Session } from './command.ts';
import { EVENT_COMMANDS } from './event-commands.ts';
import { MASTER_COMMANDS } from './master-commands.ts';
import { PROCESS_COMMANDS } from './process-commands.ts';
import { SERVER_COMMANDS } from './server-commands.ts';
import { SESSION_COMMANDS } from './sessions-commands.ts';
import { SHOW_COMMANDS } from './show-commands.ts';

/** What HAProxy has and we cannot have yet: the answer says why. */
const MISSING: readonly RuntimeCommand[] = (
  [
    ['shutdown frontend', 'admin', 'Write `disable frontend`, or remove it from the configuration and reload.'],
    ['show schema json', 'user', 'The schema is that of HAProxy (management manual, 9.3).'],
  ] as const
).map(([words, level, why]) => ({
  words: words.split(' '),
  usage: words,
  help: `not here: ${why}`,
  level,
  run: () => `${why}\n`,
}));

export const RUNTIME_COMMANDS: readonly RuntimeCommand[] = [
  ...SHOW_COMMANDS,
  ...EVENT_COMMANDS,
  ...SESSION_COMMANDS,
  ...SERVER_COMMANDS,
  ...PROCESS_COMMANDS,
  ...MASTER_COMMANDS,
  ...MISSING,
  { words: ['help'], usage: 'help [<command>]', help: 'this list', level: 'user', run: ([word]) => help(word) },
];

/** Undefined: no command begins like this. `@1 `, a worker's number in front, is heeded by nobody: there is one process. */
export function runRuntimeCommand(
  words: readonly string[],
  daemon: RuntimeDaemon,
  session: Session,
): Promise<Said> | undefined {
  const asked = /^@!?\d*$/.test(words[0] ?? '') ? words.slice(1) : words;
  const command = findCommand(asked);
  if (command === undefined) return undefined;
  if (!mayUse(command.level, session)) return Promise.resolve(DENIED);
  return Promise.resolve(command.run(asked.slice(command.words.length), daemon, session));
}

/** Words in full come first, then the one command that these are the beginnings of. */
export function findCommand(asked: readonly string[]): RuntimeCommand | undefined {
  const exact = RUNTIME_COMMANDS.filter(({ words }) => words.every((word, index) => asked[index] === word));
  if (exact.length > 0) return exact.reduce((a, b) => (b.words.length > a.words.length ? b : a));
  const begun = RUNTIME_COMMANDS.filter(({ words }) =>
    words.every((word, index) => asked[index] && word.startsWith(asked[index])),
  );
  return begun.length === 1 ? begun[0] : undefined;
}

const QUIT = { usage: 'quit', help: 'disconnect' };
const WIDTH = 40;

function help(word?: string): string {
  const listed = RUNTIME_COMMANDS.filter(({ usage }) => word === undefined || usage.startsWith(word));
  const lines = [...listed].sort((a, b) => (a.usage < b.usage ? -1 : 1));
  return `The following commands are valid at this level:\n${[...lines, QUIT].map(helpLine).join('')}`;
}

function helpLine(command: { readonly usage: string; readonly help: string }): string {
  return `  ${command.usage.padEnd(WIDTH)}: ${command.help}\n`;
}

/** For a line that is no command: those that begin with its first word. */
export function unknownCommand(words: readonly string[]): string {
  const near = RUNTIME_COMMANDS.filter((command) => command.words[0] === words[0]);
  const listed = near.length > 0 ? near : RUNTIME_COMMANDS.filter(({ words: [first] }) => first === 'help');
  return `Unknown command, but maybe one of the following ones is a better match:\n${[...listed, QUIT].map(helpLine).join('')}`;
}
