/** `retry-on EVENT …` (manual 4.2). */
import type { RetryEvent } from '../model.ts';
import { didYouMean } from '../suggest.ts';
import type { ProxyDraft } from './drafts.ts';
import type { Context, Statement } from './keyword.ts';

const EVENTS = [
  'conn-failure',
  'empty-response',
  'junk-response',
  'response-timeout',
  '0rtt-rejected',
  'all-retryable-errors',
] as const;
const STATUSES = [401, 403, 404, 408, 425, 500, 501, 502, 503, 504];

export const RETRY_EVENTS: readonly string[] = ['none', ...EVENTS, ...STATUSES.map(String)];

/** Each line replaces what was said before. */
export function parseRetryOn(draft: ProxyDraft, { keyword, args }: Statement, { report }: Context): void {
  draft.spans['retry_on'] = keyword.span;
  if (args.length === 0) {
    const mend = 'Write for example `retry-on conn-failure empty-response 503`.';
    report.error(keyword.span, 'missing-value', '`retry-on` needs at least one kind of failure.', mend);
    return;
  }
  const events: RetryEvent[] = [];
  for (const word of args) {
    const event = eventOf(word.text);
    if (event !== undefined) events.push(event);
    else if (word.text !== 'none') {
      const mend = didYouMean(word.text, RETRY_EVENTS) ?? `Write one of ${RETRY_EVENTS.join(', ')}.`;
      report.error(word.span, 'unknown-value', `\`${word.text}\` is no failure that \`retry-on\` knows.`, mend);
    } else if (args.length > 1) {
      report.error(word.span, 'contradiction', '`none` cannot stand beside other kinds of failure.', 'Remove it.');
    }
  }
  draft.retry_on = events;
}

function eventOf(text: string): RetryEvent | undefined {
  const status = STATUSES.find((known) => String(known) === text);
  return status ?? EVENTS.find((known) => known === text);
}
