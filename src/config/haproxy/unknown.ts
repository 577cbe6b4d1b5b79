/** A first word that the section's table does not have: HAProxy knows it, another section has it, or nobody does. */
import { didYouMean } from '../suggest.ts';
import type { Word } from '../word.ts';
import { CARP_KEYWORDS } from './carp.ts';
import { HTTP_ERRORS_KEYWORDS } from './error-file.ts';
import { GLOBAL_KEYWORDS } from './global.ts';
import { GLOBAL_CARP_KEYWORDS } from './global-carp.ts';
import type { Context, SectionKind } from './keyword.ts';
import { HAPROXY_GLOBAL, HAPROXY_PROXY } from './known-keywords.ts';
import { PROXY_KEYWORDS } from './proxy.ts';
import { RESOLVERS_KEYWORDS } from './resolvers.ts';
import { reportWrongSection } from './wrong-section.ts';

const OUR_GLOBAL = [...GLOBAL_KEYWORDS, ...GLOBAL_CARP_KEYWORDS];

export function reportUnknownKeyword(keyword: Word, kind: SectionKind, { report }: Context): void {
  const { text, span } = keyword;
  const elsewhere = sectionsOf(text);
  if (text === 'appsession') {
    const message = '`appsession` is not supported: HAProxy has done without it since 1.6.';
    report.error(span, 'unsupported-keyword', message, 'Write `cookie NAME prefix`, or `cookie NAME insert`.');
  } else if (kind === 'global' && text.startsWith('tune.') && HAPROXY_GLOBAL.has(text)) {
    report.warning(span, 'no-effect', `\`${text}\` has no effect yet: carpool sizes itself.`);
  } else if (isKnownToHaproxy(text, kind)) {
    const message = `HAProxy's \`${text}\` is not supported yet in a ${kind} section.`;
    report.error(span, 'unsupported-keyword', message, 'Remove it if the set-up can do without.');
  } else if (elsewhere.length > 0) {
    reportWrongSection(text, span, kind, elsewhere, report);
  } else {
    const message = `\`${text}\` is not a keyword of ${kind === 'http-errors' ? 'an' : 'a'} ${kind} section.`;
    report.error(span, 'unknown-keyword', message, didYouMean(text, namesFor(kind)));
  }
}

function isKnownToHaproxy(name: string, kind: SectionKind): boolean {
  if (kind === 'carp' || kind === 'resolvers' || kind === 'http-errors') return false;
  return kind === 'global' ? HAPROXY_GLOBAL.has(name) : HAPROXY_PROXY.has(name);
}

/** Keywords that could be meant in a section, ours first so that they win a tie. */
function namesFor(kind: SectionKind): string[] {
  if (kind === 'carp') return CARP_KEYWORDS.map(({ name }) => name);
  if (kind === 'resolvers') return RESOLVERS_KEYWORDS.map(({ name }) => name);
  if (kind === 'http-errors') return HTTP_ERRORS_KEYWORDS.map(({ name }) => name);
  if (kind === 'global') return [...OUR_GLOBAL.map(({ name }) => name), ...HAPROXY_GLOBAL];
  return [...PROXY_KEYWORDS.map(({ name }) => name), ...HAPROXY_PROXY.keys()];
}

/** Every section in which one of our tables has the keyword. */
function sectionsOf(keyword: string): SectionKind[] {
  const rows = [
    ...OUR_GLOBAL,
    ...PROXY_KEYWORDS,
    ...RESOLVERS_KEYWORDS,
    ...HTTP_ERRORS_KEYWORDS,
    ...CARP_KEYWORDS,
  ].filter(({ name }) => name === keyword);
  return [...new Set(rows.flatMap(({ sections }) => sections))];
}
