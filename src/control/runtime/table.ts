/** The runtime API: from a line to its answer. Words may be shortened as long as one command is meant (`sh st`). */

import { CLI_COMMANDS } from './cli-commands.ts';
import { DENIED, mayUse, type RuntimeCommand, type RuntimeDaemon, type Said, type Session } from './command.ts';
import { EVENT_COMMANDS } from './event-commands.ts';
import { MASTER_COMMANDS } from './master-commands.ts';
import { MISSING_COMMANDS } from './missing.ts';
import { PROCESS_COMMANDS } from './process-commands.ts';
import { SERVER_COMMANDS } from './server-commands.ts';
import { SESSION_COMMANDS } from './sessions-commands.ts';
import { SHOW_COMMANDS } from './show-commands.ts';

export const RUNTIME_COMMANDS: readonly RuntimeCommand[] = [
  ...SHOW_COMMANDS,
  ...EVENT_COMMANDS,
  ...SESSION_COMMANDS,
  ...SERVER_COMMANDS,
  ...PROCESS_COMMANDS,
  ...MASTER_COMMANDS,
  ...CLI_COMMANDS,
  {
    words: ['help'],
    usage: 'help [<command>]',
    help: 'this list, or what begins with these words',
    level: 'user',
    run: (words) => help(words),
  },
];

/** The master, the one worker by its number, or either by its pid: they are all this process. */
const MASTER: readonly string[] = ['@', '@master', '@0'];
const HERE: readonly string[] = [...MASTER, '@1', `@!${process.pid}`];

/** Undefined: no command begins like this. */
export function runRuntimeCommand(
  words: readonly string[],
  daemon: RuntimeDaemon,
  session: Session,
): Promise<Said> | undefined {
  const [first = ''] = words;
  const is_addressed = /^@(master|!?\d*)$/.test(first);
  if (is_addressed && !HERE.includes(first)) {
    return Promise.resolve(`Can't find the target PID matching the prefix '${first}'\n`);
  }
  const asked = is_addressed ? words.slice(1) : words;
  if (asked.length === 0 && is_addressed) {
    if (session.target !== undefined) session.target = MASTER.includes(first) ? 'master' : 'worker';
    return Promise.resolve('');
  }
  const command = findCommand(asked);
  if (command === undefined) return undefined;
  if (!mayUse(command.level, session)) return Promise.resolve(DENIED);
  return Promise.resolve(command.run(asked.slice(command.words.length), daemon, session));
}

/** Words in full come first, then the one command that these are the beginnings of. */
export function findCommand(asked: readonly string[]): RuntimeCommand | undefined {
  const known = [...RUNTIME_COMMANDS, ...MISSING_COMMANDS];
  const exact = known.filter(({ words }) => words.every((word, index) => asked[index] === word));
  if (exact.length > 0) return exact.reduce((a, b) => (b.words.length > a.words.length ? b : a));
  const begun = RUNTIME_COMMANDS.filter(({ words }) =>
    words.every((word, index) => asked[index] && word.startsWith(asked[index])),
  );
  return begun.length === 1 ? begun[0] : undefined;
}

const QUIT = { usage: 'quit', help: 'disconnect' };
const WIDTH = 40;

type Listed = { readonly usage: string; readonly help: string };

function list(commands: readonly Listed[]): string {
  const sorted = [...commands].sort((a, b) => (a.usage < b.usage ? -1 : 1));
  return [...sorted, QUIT].map(({ usage, help }) => `  ${usage.padEnd(WIDTH)}: ${help}\n`).join('');
}

/** Without words what there is; with words also what there is not, and why. */
function help(words: readonly string[]): string {
  const asked = words.join(' ');
  const all: readonly Listed[] = asked === '' ? RUNTIME_COMMANDS : [...RUNTIME_COMMANDS, ...MISSING_COMMANDS];
  const listed = all.filter(({ usage }) => usage.startsWith(asked));
  return `The following commands are valid at this level:\n${list(listed)}`;
}

/** For a line that is no command: those that begin as it does, in as many words as possible. */
export function unknownCommand(asked: readonly string[]): string {
  const shared = ({ words }: RuntimeCommand) => {
    const first = words.findIndex((word, index) => word !== asked[index]);
    return first < 0 ? words.length : first;
  };
  const most = Math.max(...RUNTIME_COMMANDS.map(shared));
  const near = RUNTIME_COMMANDS.filter((command) => most > 0 && shared(command) === most);
  const listed = near.length > 0 ? near : RUNTIME_COMMANDS.filter(({ words: [first] }) => first === 'help');
  return `Unknown command, but maybe one of the following ones is a better match:\n${list(listed)}`;
}
