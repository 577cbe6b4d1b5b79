/** A keyword that stands in a section which does not take it. HAProxy warns and ignores it; in defaults it refuses. */
import type { Span } from '../diagnostic.ts';
import type { Reporter } from '../reporter.ts';
import type { SectionKind } from './keyword.ts';

export function reportWrongSection(
  what: string,
  span: Span,
  kind: SectionKind,
  belongs: readonly SectionKind[],
  report: Reporter,
): undefined {
  const message = `\`${what}\` has no place in ${kind === 'http-errors' ? 'an' : 'a'} ${kind} section.`;
  const mend = `Move it to a ${belongs.join(' or ')} section.`;
  if (kind === 'frontend' || kind === 'backend')
    report.warning(span, 'keyword-in-wrong-section', `${message.slice(0, -1)} and is ignored.`, mend);
  else report.error(span, 'keyword-in-wrong-section', message, mend);
}
