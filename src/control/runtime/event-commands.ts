/** `show events`: the rings of the log and the lines in them. */
import { type LogRing, logRings } from '../log-rings.ts';
import type { Followed, RuntimeCommand } from './command.ts';

export const EVENT_COMMANDS: readonly RuntimeCommand[] = [
  {
    words: ['show', 'events'],
    usage: 'show events [<sink>] [-w] [-n]',
    help: 'the lines of a ring (-w: wait for more, -n: only new ones)',
    level: 'user',
    run: ([name, ...options]) => (name === undefined ? listSinks() : showEvents(name, options.join(''))),
  },
];

const NAME_WIDTH = 10;
const decoder = new TextDecoder();
const textOf = (line: Uint8Array) => `${decoder.decode(line)}\n`;

function listSinks(): string {
  const printing = [
    ['stdout', 'fd', 0, 'standard output (fd#1)'],
    ['stderr', 'fd', 0, 'standard output (fd#2)'],
  ] as const;
  const rings = logRings
    .all()
    .map(({ config, dropped }) => [config.name, 'buffer', dropped, config.description] as const);
  const lines = [...printing, ...rings].map(
    ([name, type, dropped, description]) =>
      `    ${name.padEnd(NAME_WIDTH)} : type=${type}, ${dropped} dropped, ${description}\n`,
  );
  return `Supported events sinks are listed below. Add -w(wait), -n(new). Any key to stop\n${lines.join('')}`;
}

function showEvents(name: string, options: string): string | Followed {
  const ring = logRings.named(name);
  if (ring === undefined) return 'No such event sink';
  if (!/^(-[wn0]+)*$/.test(options)) return 'unknown option';
  const begin = options.includes('n') ? '' : ring.all().map(textOf).join('');
  return options.includes('w') ? { begin, follow: followerOf(ring) } : begin;
}

function followerOf(ring: LogRing): Followed['follow'] {
  return (write) => ring.follow((line) => write(textOf(line)));
}
