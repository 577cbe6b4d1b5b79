/** What came of the questions to one nameserver, under the names that `show resolvers` has for it (management manual, 9.3). */
import { type Answer, type Question, RCODE_NONE, RCODE_NX, RCODE_REFUSED, recordsFor } from '../dns/message.ts';
import type { QueryEvent } from './name-queries.ts';

type Meaning = 'valid' | 'nx' | 'refused' | 'other' | 'any_err' | 'cname_error';

/** `update`: addresses of servers that changed by it; `cname`: answers with an alias; `outdated`: others were quicker. */
export type ResolverCounts = Record<QueryEvent | Meaning | 'update' | 'cname' | 'outdated', number>;

/** In HAProxy's order. */
export const NO_COUNTS: Readonly<ResolverCounts> = {
  sent: 0,
  snd_error: 0,
  valid: 0,
  update: 0,
  cname: 0,
  cname_error: 0,
  any_err: 0,
  nx: 0,
  timeout: 0,
  refused: 0,
  other: 0,
  invalid: 0,
  too_big: 0,
  truncated: 0,
  outdated: 0,
};

/** An answer that is waited for. */
export function countAnswer(counts: ResolverCounts, answer: Answer, question: Question): void {
  counts[meaningOf(answer, question)]++;
  if (hasAlias(answer)) counts.cname++;
}

/** An alias that leads to nothing is an error, and so is an answer that is empty. */
function meaningOf(answer: Answer, question: Question): Meaning {
  if (answer.rcode === RCODE_NX) return 'nx';
  if (answer.rcode === RCODE_REFUSED) return 'refused';
  if (answer.rcode !== RCODE_NONE) return 'other';
  if (recordsFor(answer, question).length > 0) return 'valid';
  if (hasAlias(answer)) return 'cname_error';
  return answer.answers.length === 0 ? 'any_err' : 'other';
}

function hasAlias({ answers }: Answer): boolean {
  return answers.some(({ type }) => type === 'CNAME');
}
