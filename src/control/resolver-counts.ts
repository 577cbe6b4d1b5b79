/** What came of the questions to one nameserver, under the names that `show resolvers` has for it. */
import type { Answer } from '../dns/message.ts';
import type { QueryEvent } from './name-queries.ts';

type Meaning = 'valid' | 'nx' | 'refused' | 'other';

export type ResolverCounts = Record<QueryEvent | Meaning, number>;

export const NO_COUNTS: Readonly<ResolverCounts> = {
  sent: 0,
  snd_error: 0,
  valid: 0,
  nx: 0,
  timeout: 0,
  refused: 0,
  other: 0,
  invalid: 0,
  truncated: 0,
};

const NXDOMAIN = 3;
const REFUSED = 5;

export function meaningOf({ rcode }: Answer): Meaning {
  if (rcode === 0) return 'valid';
  return rcode === NXDOMAIN ? 'nx' : rcode === REFUSED ? 'refused' : 'other';
}
