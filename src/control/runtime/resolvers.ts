/** `show resolvers`: what came of the questions to each nameserver, in HAProxy's form. */
import { NO_COUNTS, type ResolverCounts } from '../resolver-counts.ts';
import type { RuntimeDaemon } from './command.ts';

/** In HAProxy's order. What is undefined carpool does not tell apart, and counts as 0. */
const LINES: readonly (readonly [string, keyof ResolverCounts | undefined])[] = [
  ['sent', 'sent'],
  ['snd_error', 'snd_error'],
  ['valid', 'valid'],
  ['update', undefined],
  ['cname', undefined],
  ['cname_error', undefined],
  ['any_err', undefined],
  ['nx', 'nx'],
  ['timeout', 'timeout'],
  ['refused', 'refused'],
  ['other', 'other'],
  ['invalid', 'invalid'],
  ['too_big', undefined],
  ['truncated', 'truncated'],
  ['outdated', undefined],
];
const WIDTH = 13;

export function showResolvers([name]: readonly string[], daemon: RuntimeDaemon): string {
  const sections = daemon.generation().config.resolvers.filter((each) => name === undefined || each.name === name);
  if (name !== undefined && sections.length === 0) return "Can't find that resolvers section\n";
  const counts = daemon.resolverCounts();
  return sections
    .map((section) => {
      const asked = counts?.get(section.name) ?? new Map<string, ResolverCounts>(idle(section.nameservers));
      const nameservers = [...asked].map(([server, of]) => ` nameserver ${server}:\n${LINES.map(lineOf(of)).join('')}`);
      return `Resolvers section ${section.name}\n${nameservers.join('')}`;
    })
    .join('');
}

/** Nobody looks names up with it. */
function idle(nameservers: readonly { readonly kind: string; readonly name?: string }[]): [string, ResolverCounts][] {
  return nameservers.flatMap(({ name }) => (name === undefined ? [] : [[name, NO_COUNTS]]));
}

function lineOf(counts: ResolverCounts): (line: (typeof LINES)[number]) => string {
  return ([name, field]) => `  ${`${name}:`.padEnd(WIDTH)}${field === undefined ? 0 : counts[field]}\n`;
}
