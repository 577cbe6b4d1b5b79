/** The first words of the runtime API as commands of the control socket, where whoever may connect may do everything. */
import type { ControlCommand, Prepared } from './commands.ts';
import type { Session } from './runtime/command.ts';
import { findCommand, runRuntimeCommand } from './runtime/table.ts';

const FIRST_WORDS: readonly (readonly [name: string, usage: string, help: string])[] = [
  [
    'show',
    'show WHAT …',
    'HAProxy’s runtime API: stat, info, sess, servers state, servers conn, backend, activity, env',
  ],
  ['set', 'set server|weight|maxconn …', 'change servers, frontends and limits (reference: the runtime API)'],
  ['get', 'get weight BACKEND/SERVER', 'the weight that a server has and the one it was given'],
  ['enable', 'enable server|frontend|health|agent NAME', 'undo `disable`'],
  ['disable', 'disable server|frontend|health|agent NAME', 'take a server, a frontend or checks out'],
  ['clear', 'clear counters [all]', 'set maxima, or all counters, back'],
  ['shutdown', 'shutdown session ID | sessions server BACKEND/SERVER', 'end sessions'],
];

export const RUNTIME_CONTROL_COMMANDS: readonly ControlCommand[] = FIRST_WORDS.map(([name, usage, help]) => ({
  name,
  usage,
  help,
  prepare: (words) => prepare([name, ...words]),
}));

function prepare(words: readonly string[]): Prepared {
  if (findCommand(words) === undefined) {
    return { mistake: `There is no command "${words.slice(0, 2).join(' ')}"; "help" lists them all.` };
  }
  return {
    async run({ runtime }, reply) {
      const session: Session = {
        level: 'admin',
        interactive: false,
        idle_ms: undefined,
        target: undefined,
        modes: new Set(),
        exposes_listeners: false,
      };
      const said = (await runRuntimeCommand(words, runtime, session)) ?? '';
      if (typeof said === 'string') return isRefusal(words[0]!, said) ? reply.refuse(said.trim()) : reply.send(said);
      reply.stream((line) => {
        const write = (text: string) => line(text.replace(/\n$/, ''));
        if (said.begin !== '') write(said.begin);
        return said.follow(write);
      });
    },
  };
}

/** What only looks has an answer, unless there is no such thing. */
const LOOKING: readonly string[] = ['show', 'get'];

/** Orders that are done say nothing, or what they changed of an address. */
function isRefusal(order: string, said: string): boolean {
  if (LOOKING.includes(order)) return /^(No such|Can't find|Require|Variable not found)/.test(said);
  return said !== '' && (said.startsWith('Invalid') || !said.includes("by 'stats socket command'"));
}
