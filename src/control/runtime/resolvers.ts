/** `show resolvers`: what came of the questions to each nameserver, in HAProxy's form. */
import { NO_COUNTS, type ResolverCounts } from '../resolver-counts.ts';
import type { RuntimeDaemon } from './command.ts';

const NAMES = Object.keys(NO_COUNTS) as readonly (keyof ResolverCounts)[];
const WIDTH = 13;

export function showResolvers([name]: readonly string[], daemon: RuntimeDaemon): string {
  const sections = daemon.generation().config.resolvers.filter((each) => name === undefined || each.name === name);
  if (name !== undefined && sections.length === 0) return "Can't find that resolvers section\n";
  const counts = daemon.resolverCounts();
  return sections
    .map((section) => {
      const asked = counts?.get(section.name) ?? new Map<string, ResolverCounts>(idle(section.nameservers));
      const nameservers = [...asked].map(([server, of]) => ` nameserver ${server}:\n${linesOf(of)}`);
      return `Resolvers section ${section.name}\n${nameservers.join('')}`;
    })
    .join('');
}

/** Nobody looks names up with it. */
function idle(nameservers: readonly { readonly kind: string; readonly name?: string }[]): [string, ResolverCounts][] {
  return nameservers.flatMap(({ name }) => (name === undefined ? [] : [[name, NO_COUNTS]]));
}

function linesOf(counts: ResolverCounts): string {
  return NAMES.map((name) => `  ${`${name}:`.padEnd(WIDTH)}${counts[name]}\n`).join('');
}
