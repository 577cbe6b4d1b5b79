/**
 * What an exchange or a session adds to the counters of its frontend, backend and server when it is over, read from its
 * termination state (manual, section 8.5) as HAProxy counts it.
 */
import * as c from '../threads/counters.ts';
import type { Assignment } from './assignment.ts';
import type { Frontend } from './frontend.ts';

/** The status of what a rule denies. */
const DENIED = 403;

/** What both have to tell. Times are monotonic milliseconds, -1: it did not come to that. */
type Ended = {
  readonly frontend: Frontend;
  /** Of its bind, with `option socket-stats`. */
  readonly bind_counters: c.Row | null;
  readonly assignment: Assignment;
  readonly cause: string;
  readonly phase: string;
  /** 0 in TCP mode. */
  readonly status: number;
  /** A response that a rule did not let pass. */
  readonly withheld?: boolean;
  readonly bytes_received: number;
  readonly bytes_sent: number;
  readonly connected_ms: number;
  readonly response_ms: number;
};

/** `began_ms`: when the request or the session was there. */
export function countEnd(ended: Ended, began_ms: number, now_ms: number): void {
  const { frontend, assignment, bytes_received, bytes_sent } = ended;
  const { backend, server_seen } = assignment;
  addBytes(frontend.counters, bytes_received, bytes_sent);
  if (ended.bind_counters) addBytes(ended.bind_counters, bytes_received, bytes_sent);
  countRequestError(ended);
  if (ended.withheld) frontend.counters[c.DENIED_RESPONSES]++;
  countResponse(ended);
  if (!backend) return;
  addBytes(backend.counters, bytes_received, bytes_sent);
  countFailure(ended, backend.counters);
  if (!server_seen) return;
  addBytes(server_seen.counters, bytes_received, bytes_sent);
  countFailure(ended, server_seen.counters);
  if (ended.connected_ms < 0) return;
  countTimes(ended, backend.counters, began_ms, now_ms);
  countTimes(ended, server_seen.counters, began_ms, now_ms);
}

function addBytes(row: c.Row, bytes_in: number, bytes_out: number): void {
  row[c.BYTES_IN] += bytes_in;
  row[c.BYTES_OUT] += bytes_out;
}

/** The request never came as a whole, was none, or a rule denied it. */
function countRequestError({ frontend, bind_counters, assignment, cause, phase, status }: Ended): void {
  const counter = cause === 'P' && status === DENIED ? c.DENIED_REQUESTS : c.REQUEST_ERRORS;
  const never_came = phase === 'R' && cause !== '-' && cause !== 'L';
  if (!never_came && !(phase === 'H' && cause === 'c') && !isBadBody(cause, phase, status)) return;
  frontend.counters[counter]++;
  if (bind_counters) bind_counters[counter]++;
  if (assignment.backend && counter === c.DENIED_REQUESTS) assignment.backend.counters[counter]++;
}

/** A server counts what it said itself, the others what the client got. */
function countResponse({ frontend, assignment, status, response_ms }: Ended): void {
  if (status <= 0) return;
  const place = c.responseClass(status);
  frontend.counters[place]++;
  if (!assignment.backend) return;
  assignment.backend.counters[place]++;
  const { server_seen } = assignment;
  if (!server_seen || response_ms < 0) return;
  server_seen.counters[place]++;
  server_seen.counters[c.REQUESTS]++;
}

function countFailure({ cause, phase, status, withheld }: Ended, row: c.Row): void {
  const of_server = cause === 'S' || cause === 's';
  if (cause === 'S' && phase === 'D' && status > 0) row[c.RESPONSE_ERRORS]++; // beside the abort, in HTTP
  if (withheld) row[c.DENIED_RESPONSES]++;
  else if (of_server && (phase === 'C' || phase === 'Q')) row[c.CONNECT_ERRORS]++;
  else if (isBadBody(cause, phase, status)) return;
  else if (phase === 'H' && (of_server || cause === 'P')) row[c.RESPONSE_ERRORS]++;
  else if (of_server && phase !== 'R') row[c.SERVER_ABORTS]++;
  else if ((cause === 'C' || cause === 'c') && phase !== 'R' && phase !== '-') row[c.CLIENT_ABORTS]++;
  else if (cause === 'I' || cause === 'R') row[c.INTERNAL_ERRORS]++;
}

/** The request turned out to be none within its body. */
function isBadBody(cause: string, phase: string, status: number): boolean {
  return cause === 'P' && phase === 'H' && status === 400;
}

function countTimes(
  { assignment, connected_ms, response_ms }: Ended,
  row: c.Row,
  began_ms: number,
  now_ms: number,
): void {
  const { assigned_ms } = assignment;
  c.noteTime(row, c.QUEUE_TIME, assigned_ms - began_ms);
  c.noteTime(row, c.CONNECT_TIME, connected_ms - assigned_ms);
  if (response_ms >= 0) c.noteTime(row, c.RESPONSE_TIME, response_ms - connected_ms);
  c.noteTime(row, c.TOTAL_TIME, now_ms - began_ms);
}
