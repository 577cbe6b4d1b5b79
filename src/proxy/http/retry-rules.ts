/** On which failures of a server a request is tried again (manual 4.2 "retry-on"). Compiled once for a backend. */
import type * as model from '../../config/model.ts';

export type RetryRules = {
  /** No connection came about. */
  readonly on_connect: boolean;
  /** The server closed and had not said a word. */
  readonly on_empty: boolean;
  /** What it said is no response, or not all of one's head. */
  readonly on_junk: boolean;
  readonly on_timeout: boolean;
  /** Null: none. */
  readonly statuses: ReadonlySet<number> | null;
  /** Requests are to be kept, so that they can be sent again. */
  readonly keeps_request: boolean;
};

const ALL: readonly model.RetryEvent[] = ['conn-failure', 'empty-response', 'junk-response', 'response-timeout'];
const ALL_STATUSES = [500, 502, 503, 504];

export function retryRulesOf({ mode, retry_on }: model.Backend): RetryRules {
  const all = retry_on.includes('all-retryable-errors');
  const events: ReadonlySet<model.RetryEvent> = new Set([...retry_on, ...(all ? [...ALL, ...ALL_STATUSES] : [])]);
  const statuses = new Set([...events].filter((event) => typeof event === 'number'));
  const on_empty = events.has('empty-response');
  const on_junk = events.has('junk-response');
  const on_timeout = events.has('response-timeout');
  return {
    on_connect: mode === 'tcp' || events.has('conn-failure'),
    on_empty,
    on_junk,
    on_timeout,
    statuses: statuses.size > 0 ? statuses : null,
    keeps_request: on_empty || on_junk || on_timeout || statuses.size > 0,
  };
}
