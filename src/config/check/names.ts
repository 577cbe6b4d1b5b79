/** Names that must be unique, and names that must exist. */
import type { Span } from '../diagnostic.ts';
import type { Server } from '../model.ts';
import type { Reporter } from '../reporter.ts';

type Named = { readonly name: string; readonly span: Span };

/** `what` is the kind of thing: "frontend", "server". */
export function checkUnique(things: readonly Named[], what: string, report: Reporter): void {
  const seen = new Map<string, Span>();
  for (const { name, span } of things) {
    const earlier = seen.get(name);
    if (earlier === undefined) seen.set(name, span);
    else
      report.error(
        span,
        'duplicate-name',
        `The ${what} \`${name}\` exists already (${placeOf(earlier)}).`,
        'Give one of them another name.',
      );
  }
}

export function placeOf({ file, line }: Span): string {
  return line > 0 ? `${file}:${line}` : file;
}

/** All servers of a `server-template` have one line, which is to be complained of once. */
export function onePerLine(servers: readonly Server[]): Server[] {
  const hosts = new Set<Span>();
  return servers.filter(({ spans, span }) => {
    const place = spans['host'] ?? span;
    return !hosts.has(place) && hosts.add(place);
  });
}
