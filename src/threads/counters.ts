/**
 * What the data threads count, for statistics. Each thread has a row of doubles for every frontend, backend and server, which only
 * it writes; main adds the rows of all threads up. So counting is exact, without a lock and without a shared cache line, and a
 * plain increment: an aligned double is read and written whole on every processor that Node runs on.
 *
 *   thread 0 │ frontend 0 │ … │ backend 0 │ … │ server 0 │ … │
 *   thread 1 │ …
 */
import { COUNTERS_IN_A_ROW, type SharedMemory, THREAD_DATA } from './shared-memory.ts';

/** A frontend's clients, and the sessions that began. */
export const CONNECTIONS = 0;
export const SESSIONS = 1;
export const REQUESTS = 2;
export const BYTES_IN = 3;
export const BYTES_OUT = 4;
export const DENIED_REQUESTS = 5;
export const DENIED_RESPONSES = 6;
export const REQUEST_ERRORS = 7;
/** Requests that found no server, or whose last attempt to connect failed. */
export const CONNECT_ERRORS = 8;
export const RESPONSE_ERRORS = 9;
export const RETRIES = 10;
export const REDISPATCHES = 11;
export const CLIENT_ABORTS = 12;
export const SERVER_ABORTS = 13;
/** Chosen by the balancing algorithm, not by a cookie. */
export const BALANCED = 14;
export const INTERNAL_ERRORS = 15;
/** Answered here: statistics, services. */
export const INTERCEPTED = 16;
/** Responses by the first digit of their status: 1xx, 2xx, 3xx, 4xx, 5xx, other. */
export const RESPONSES = 17;
const RESPONSE_CLASSES = 6;

/** Connections to servers that were used again. */
export const REUSES = 24;
/** Monotonic milliseconds; 0: never. */
export const LAST_SESSION_MS = 25;
/** Times in milliseconds: a sum that slides over the last so many (`slide`), then the maxima, in the same order. */
export const QUEUE_TIME = 26;
export const CONNECT_TIME = 27;
export const RESPONSE_TIME = 28;
export const TOTAL_TIME = 29;
export const TIMES_MAX = 30; // four
/** Of a server, this thread's: connections in use and lying idle. */
export const IDLE_CONNECTIONS = 34;

/** HAProxy's TIME_STATS_SAMPLES. */
export const SAMPLES = 512;
const LONGEST_TIME_MS = 0x7fffffff;

export type Row = Float64Array;

/** Rows are in the order frontends, backends, servers, binds. */
function rowAt(memory: SharedMemory, thread: number, row: number): Row {
  const { frontends, backends, servers, binds } = memory.counts;
  const rows = frontends + backends + servers + binds;
  const position = (thread - THREAD_DATA) * rows + row;
  const at = memory.counters * 4 + position * COUNTERS_IN_A_ROW * 8;
  return new Float64Array(memory.words.buffer, at, COUNTERS_IN_A_ROW);
}

export function frontendRow(memory: SharedMemory, thread: number, frontend: number): Row {
  return rowAt(memory, thread, frontend);
}

export function backendRow(memory: SharedMemory, thread: number, backend: number): Row {
  return rowAt(memory, thread, memory.counts.frontends + backend);
}

export function bindRow(memory: SharedMemory, thread: number, bind: number): Row {
  const { frontends, backends, servers } = memory.counts;
  return rowAt(memory, thread, frontends + backends + servers + bind);
}

export function serverRow(memory: SharedMemory, thread: number, server: number): Row {
  return rowAt(memory, thread, memory.counts.frontends + memory.counts.backends + server);
}

/** Where the response of this status is counted. */
export function responseClass(status: number): number {
  const digit = Math.trunc(status / 100);
  return RESPONSES + (digit >= 1 && digit <= 5 ? digit - 1 : RESPONSE_CLASSES - 1);
}

/** `time`: QUEUE_TIME … TOTAL_TIME. The sliding sum forgets one part in SAMPLES with each new time. */
export function noteTime(row: Row, time: number, time_ms: number): void {
  const ms = Math.min(Math.max(0, time_ms), LONGEST_TIME_MS);
  row[time] += ms - Math.floor((row[time] + SAMPLES - 1) / SAMPLES);
  const max = time - QUEUE_TIME + TIMES_MAX;
  if (ms > row[max]) row[max] = ms;
}

/** The mean of a sliding sum. */
export function meanTime_ms(sum: number): number {
  return Math.floor((sum + SAMPLES - 1) / SAMPLES);
}
