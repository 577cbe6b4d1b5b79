/** A keyword that stands in a section which does not take it. HAProxy warns and ignores it; in defaults it refuses. */
import type { Span } from '../diagnostic.ts';
import type { Reporter } from '../reporter.ts';
import { suggest } from '../suggest.ts';
import type { SectionKind } from './keyword.ts';

export type SectionsByName = ReadonlyMap<string, readonly SectionKind[]>;

const LETTERS: readonly [string, SectionKind][] = [
  ['D', 'defaults'],
  ['F', 'frontend'],
  ['L', 'listen'],
  ['B', 'backend'],
];

export function reportWrongSection(
  what: string,
  span: Span,
  kind: SectionKind,
  belongs: readonly SectionKind[],
  report: Reporter,
): undefined {
  const message = `\`${what}\` has no place in ${kind === 'http-errors' ? 'an' : 'a'} ${kind} section.`;
  const mend = `Move it to ${oneOf(belongs)}.`;
  // as in HAProxy: traffic would go nowhere
  const is_server = kind === 'frontend' && what.startsWith('server');
  if ((kind === 'frontend' && !is_server) || kind === 'backend')
    report.warning(span, 'keyword-in-wrong-section', `${message.slice(0, -1)} and is ignored.`, mend);
  else report.error(span, 'keyword-in-wrong-section', message, mend);
}

/**
 * The mend for a word that nobody knows, by the words that there are and the sections that take each: the nearest one. In a proxy
 * it may be a word of other proxies, and is told so; of words equally near one of this section is meant.
 */
export function didYouMeanIn(kind: SectionKind, word: string, known: SectionsByName): string | undefined {
  const takenHere = (name: string) => known.get(name)!.includes(kind);
  const takenByProxies = (name: string) => !takenHere(name) && known.get(name)!.some(isProxy);
  const names = [...known.keys()];
  const elsewhere = isProxy(kind) ? names.filter(takenByProxies) : [];
  const nearest = suggest(word, [...names.filter(takenHere), ...elsewhere]);
  if (nearest === undefined) return undefined;
  const meant = `Did you mean \`${nearest}\`?`;
  const where = known.get(nearest)!.filter((section) => isProxy(section) && section !== 'defaults');
  return takenHere(nearest) ? meant : `${meant} It belongs in ${oneOf(where)}.`;
}

/** The rows of several tables as one; a word that several have is taken where any of them takes it. */
export function sectionsByName(rows: Iterable<readonly [string, readonly SectionKind[]]>): SectionsByName {
  const all = new Map<string, readonly SectionKind[]>();
  for (const [name, sections] of rows) all.set(name, [...new Set([...(all.get(name) ?? []), ...sections])]);
  return all;
}

/** What the letters of known-keywords.ts stand for. */
export function sectionsOf(letters: string): SectionKind[] {
  return LETTERS.filter(([letter]) => letters.includes(letter)).map(([, section]) => section);
}

function isProxy(section: SectionKind): boolean {
  return LETTERS.some(([, proxy]) => proxy === section);
}

function oneOf(sections: readonly SectionKind[]): string {
  const [first, ...others] = sections;
  return `${first === 'http-errors' ? 'an' : 'a'} ${[first, ...others].join(' or ')} section`;
}
