/** A first word that the section's table does not have: HAProxy knows it, another section has it, or nobody does. */
import { CARP_KEYWORDS } from './carp.ts';
import { DROPPED_KEYWORDS, reportDropped } from './dropped.ts';
import { HTTP_ERRORS_KEYWORDS } from './error-file.ts';
import { GLOBAL_KEYWORDS } from './global.ts';
import { GLOBAL_CARP_KEYWORDS } from './global-carp.ts';
import type { Context, SectionKind, Statement } from './keyword.ts';
import { HAPROXY_GLOBAL, HAPROXY_PROXY } from './known-keywords.ts';
import { PROXY_KEYWORDS } from './proxy.ts';
import { RESOLVERS_KEYWORDS } from './resolvers.ts';
import { RING_KEYWORDS } from './ring.ts';
import { USERLIST_KEYWORDS } from './userlist.ts';
import { didYouMeanIn, reportWrongSection, sectionsByName, sectionsOf } from './wrong-section.ts';

/** The first words of lines that our tables have, with every section that takes them. */
const OURS = sectionsByName(
  [
    GLOBAL_KEYWORDS,
    GLOBAL_CARP_KEYWORDS,
    PROXY_KEYWORDS,
    RESOLVERS_KEYWORDS,
    RING_KEYWORDS,
    USERLIST_KEYWORDS,
    HTTP_ERRORS_KEYWORDS,
    CARP_KEYWORDS,
  ]
    .flat()
    .map(({ name, sections }) => [name, sections] as const),
);

/** HAProxy's own too. Ours come first: they win where two words are equally near. */
const ALL = sectionsByName([
  ...OURS,
  ...[...HAPROXY_GLOBAL].map((name) => [name, ['global']] as const),
  ...[...HAPROXY_PROXY].map(([name, letters]) => [name, sectionsOf(letters)] as const),
]);

export function reportUnknownKeyword({ keyword, args }: Statement, kind: SectionKind, { report }: Context): void {
  const { text, span } = keyword;
  const elsewhere = OURS.get(text);
  if (kind !== 'carp' && reportDropped(DROPPED_KEYWORDS, keyword, args, report)) return;
  if (kind === 'global' && text.startsWith('tune.') && HAPROXY_GLOBAL.has(text)) {
    report.warning(span, 'no-effect', `\`${text}\` has no effect yet: carpool sizes itself.`);
  } else if (isKnownToHaproxy(text, kind)) {
    const message = `HAProxy's \`${text}\` is not supported yet in a ${kind} section.`;
    report.error(span, 'unsupported-keyword', message, 'Remove it if the set-up can do without.');
  } else if (elsewhere !== undefined) {
    reportWrongSection(text, span, kind, elsewhere, report);
  } else {
    const message = `\`${text}\` is not a keyword of ${kind === 'http-errors' ? 'an' : 'a'} ${kind} section.`;
    report.error(span, 'unknown-keyword', message, didYouMeanIn(kind, text, ALL));
  }
}

/** Of carpool's keywords and HAProxy's, in whatever section. */
export function isKeywordSomewhere(name: string): boolean {
  return ALL.has(name);
}

function isKnownToHaproxy(name: string, kind: SectionKind): boolean {
  if (kind === 'carp' || kind === 'resolvers' || kind === 'ring' || kind === 'userlist' || kind === 'http-errors')
    return false;
  return kind === 'global' ? HAPROXY_GLOBAL.has(name) : HAPROXY_PROXY.has(name);
}
