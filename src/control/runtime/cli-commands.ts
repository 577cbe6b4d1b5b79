/** The session of a stats socket itself: its level, its patience, and how it is spoken with. */
import type { RuntimeCommand, Session } from './command.ts';
import { parseDuration_ms } from './duration.ts';

export const CLI_COMMANDS: readonly RuntimeCommand[] = [
  ...(['user', 'operator'] as const).map(lower),
  {
    words: ['set', 'timeout'],
    usage: 'set timeout [cli] <delay>',
    help: 'how long this session may be silent, in seconds or with a unit',
    level: 'user',
    run: ([what, delay], _daemon, session) => {
      if (what !== 'cli') return "'set timeout' only supports 'cli'.\n";
      if (delay === undefined) return 'Expects an integer value.\n';
      const idle_ms = parseDuration_ms(delay);
      if (idle_ms === undefined) return 'Invalid timeout value.\n';
      session.idle_ms = idle_ms;
      return '';
    },
  },
  {
    words: ['set', 'severity-output'],
    usage: 'set severity-output [none|number|string]',
    help: 'put how grave an answer is in front of it: `none` only',
    level: 'user',
    run: ([form]) => {
      if (form === 'none') return '';
      if (form === 'number' || form === 'string') return 'Answers have no severities here.\n';
      return "one of 'none', 'number', 'string' is a required argument\n";
    },
  },
  mode('expert'),
  mode('experimental'),
  {
    words: ['prompt'],
    usage: 'prompt',
    help: 'go on asking for commands after each answer',
    level: 'user',
    run: (_args, _daemon, session) => {
      session.interactive = !session.interactive;
      return '';
    },
  },
];

/** Nobody goes up again. */
function lower(level: 'user' | 'operator'): RuntimeCommand {
  return {
    words: [level],
    usage: level,
    help: `lower this session's level to ${level}`,
    level,
    run: (_args, _daemon, session: Session) => {
      session.level = level;
      return '';
    },
  };
}

/** Scripts switch them on before commands that HAProxy guards by them; nothing here needs that. */
function mode(name: 'expert' | 'experimental'): RuntimeCommand {
  return {
    words: [`${name}-mode`],
    usage: `${name}-mode [on|off]`,
    help: 'accepted for scripts: nothing is guarded by it',
    level: 'admin',
    run: ([state], _daemon, { modes }) => {
      if (state === undefined) return `${name}-mode is ${modes.has(name) ? 'ON' : 'OFF'}\n`;
      if (state === 'on') modes.add(name);
      else modes.delete(name);
      return '';
    },
  };
}
