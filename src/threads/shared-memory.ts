/**
 * What threads share, every offset in one place. One SharedArrayBuffer of 32-bit words:
 *
 *   word 0        CONTROL          stop word, counts
 *   THREADS       16 words a thread   (one cache line; only its own thread writes it)
 *   SERVERS       48 words a server   (first line: checks and control write; second line: data threads add;
 *                                      third line: only the checks thread writes)
 *   BACKENDS      16 words a backend
 *   FRONTENDS     16 words a frontend
 *   BINDS         16 words a bind of a frontend, in the order of the frontends
 *   QUEUES        4 words a thread and server, backend or limit of clients   (only that thread writes it; all of one thread
 *                                      stand together)
 *   COUNTERS      doubles, a row a data thread and frontend, backend, server or bind   (only that thread writes it; counters.ts)
 *
 * Words with one writer are stored and loaded through Atomics; words with several writers only by Atomics.add, exchange and
 * compareExchange.
 */

const CONTROL_WORDS = 16;
/** Not 0: every thread leaves its loop at the next pass (value is STOP_*). */
export const STOP = 0;
export const STOP_SOFT = 1;
export const STOP_HARD = 2;
export const SET_MAXCONN = 1; // of the whole process, what people set at run time; 0: as configured
export const SET_CONNECTION_RATE = 2; // what people set at run time, and 1; 0: as configured
export const SET_SESSION_RATE = 3; // the same
export const MEMORY_MAXCONN = 4; // of the whole process while memory is short, what main allows; 0: as many as otherwise
export const PROCESS_CLIENTS = 6; // LIMIT_* of all clients together
export const BAD_MESSAGES = 8; // invalid requests and responses whose bytes were kept, wraps
export const PROCESS_CONNECTION_RATE = 12; // two words of proxy/client-rate.ts
export const PROCESS_SESSION_RATE = 14; // two words of proxy/client-rate.ts

export const LINE = 16;

/** Per thread: offsets in its line. */
export const THREAD_BEAT_MS = 0; // monotonic milliseconds, low 31 bits, of the last pass
export const THREAD_STATE = 1; // 0 starting, 1 running, 2 stopped
export const THREAD_CONNECTIONS = 2; // client connections open now
export const THREAD_REQUESTS = 3; // requests finished, wraps
export const THREAD_WAKE_FD = 4; // eventfd of a data thread or of checks, for data threads; 0 while it does not run
/** Not its own to write alone: 0, or 1 + the number of a server that has room for one of its waiting requests, or ROOM_AT_SEVERAL. */
export const THREAD_ROOM_AT = 5;
export const ROOM_AT_SEVERAL = -1;
/** Of a generation that another one has replaced. */
export const THREAD_OLDEST_MS = 6; // when the oldest of its clients came, monotonic, low 31 bits
export const THREAD_RETIRED = 7; // 1: it has no client left in this thread

/** Per server, first line: one writer. */
export const SERVER_OPERATIONAL = 0; // SERVER_UP | SERVER_DOWN | SERVER_STOPPING (what checks say)
export const SERVER_ADMINISTRATIVE = 1; // 0 or a mask of ADMIN_* (what people set, what resolving says, and what is inherited)
export const SERVER_WEIGHT = 2; // 0..256, now
export const SERVER_CHECKS_DONE = 3; // checks finished since the start
export const SERVER_HEALTH = 4; // the rise/fall counter
export const SERVER_UP_SINCE_MS = 5; // monotonic, low 31 bits, never 0: when it last came back; 0: it was always up
export const SERVER_AGENT_MAXCONN = 6; // `maxconn:` of an agent; 0: as configured
export const SERVER_SET_MAXCONN = 7; // what people set at run time; 0: as configured
/** Per server, second line: data threads add. */
export const SERVER_CONNECTIONS = 16; // requests or connections being served now
export const SERVER_TOTAL = 17;
export const SERVER_CONNECTIONS_MAX = 18;
export const SERVER_QUEUED = 19; // requests that wait for this server now
export const SERVER_QUEUED_MAX = 20;
export const SERVER_DEQUEUED = 21; // requests that have left its queue, wraps
export const SERVER_ERRORS_IN_A_ROW = 26; // what `observe` counts
export const SERVER_ALARMS = 27; // how often `error-limit` was reached; the checks thread acts on it
/** Per server, third line. A code is its position in CODES of health/verdict.ts, 0 before the first check. */
export const SERVER_CHECK_CODE = 32;
export const SERVER_CHECK_STATUS = 33; // of the protocol: an HTTP status, an error number; 0 when there is none
export const SERVER_CHECK_DURATION_MS = 34;
export const SERVER_CHECKS_FAILED = 35; // while UP, wraps
export const SERVER_WENT_DOWN = 36; // how often, wraps
export const SERVER_CHANGED_MS = 37; // monotonic, low 31 bits, never 0: the last change of the operational state; 0: none
export const SERVER_AGENT_HEALTH = 38; // 1, or 0 after the agent said down
export const SERVER_AGENT_CODE = 39;
export const SERVER_AGENT_STATUS = 40;
export const SERVER_AGENT_DURATION_MS = 41;
export const SERVER_WORDS = 48;

export const SERVER_UP = 1;
export const SERVER_DOWN = 0;
/** Up, but it wants no new clients (`disable-on-404`): those it has may stay. */
export const SERVER_STOPPING = 2;
export const ADMIN_MAINTENANCE = 1;
export const ADMIN_DRAIN = 2;
/** It has no address: a name does not resolve. */
export const ADMIN_UNRESOLVED = 4;
/** The server that it tracks is in maintenance, or drained. */
export const ADMIN_INHERITED_MAINTENANCE = 8;
export const ADMIN_INHERITED_DRAIN = 16;
/** Any of these is maintenance. */
export const ADMIN_ANY_MAINTENANCE = ADMIN_MAINTENANCE | ADMIN_UNRESOLVED | ADMIN_INHERITED_MAINTENANCE;
export const ADMIN_ANY_DRAIN = ADMIN_DRAIN | ADMIN_INHERITED_DRAIN;

/** Per backend. */
export const BACKEND_VERSION = 0; // +1 whenever a server's state or weight changed: pickers rebuild
export const BACKEND_ROUND = 1; // the shared position of round robin
export const BACKEND_CONNECTIONS = 2; // requests or sessions, those that wait among them
export const BACKEND_QUEUED = 3; // requests that wait for any server now; the next two follow it as they do in a server
export const BACKEND_QUEUED_MAX = 4;
export const BACKEND_DEQUEUED = 5;
export const BACKEND_CONNECTIONS_MAX = 6;

/** Where clients are counted against a limit: the process, a frontend, a bind. */
export const LIMIT_CLIENTS = 0;
export const LIMIT_CLIENTS_MAX = 1;
export const LIMIT_WAITING = 4; // listeners, over all threads, that hold a client who has to wait for room here

/** Per frontend; the words LIMIT_* among them. */
export const FRONTEND_CONNECTIONS = LIMIT_CLIENTS;
export const FRONTEND_CONNECTIONS_MAX = LIMIT_CLIENTS_MAX;
export const FRONTEND_SET_MAXCONN = 2; // what people set at run time; 0: as configured
export const FRONTEND_STOPPED = 3; // 1: people disabled it; nobody is accepted
export const FRONTEND_SESSION_RATE = 6; // two words of proxy/client-rate.ts

/** Per thread and server, backend or limit: who of that thread's waits longest. Only that thread writes it. */
export const QUEUE_LENGTH = 0;
export const QUEUE_PRIORITY = 1;
export const QUEUE_SINCE_MS = 2; // monotonic, low 31 bits
const QUEUE_WORDS = 4;

/** A row of counters: COUNTERS_IN_A_ROW doubles of counters.ts. */
export const COUNTERS_IN_A_ROW = 40;
const COUNTER_ROW_WORDS = 2 * COUNTERS_IN_A_ROW;

export type Counts = {
  readonly threads: number;
  readonly servers: number;
  readonly backends: number;
  readonly frontends: number;
  /** Of all frontends. */
  readonly binds: number;
};

/** The words and where each table begins. Built once by the daemon; threads get it by message and call `attach`. */
export type SharedMemory = { readonly words: Int32Array; readonly counts: Counts } & Tables;
type Tables = {
  readonly threads: number;
  readonly servers: number;
  readonly backends: number;
  readonly frontends: number;
  readonly binds: number;
  readonly queues: number;
  readonly counters: number;
  readonly length: number;
};

/** All 0, but for servers: they are UP, with agents that have not said otherwise. */
export function createSharedMemory(counts: Counts): SharedMemory {
  const memory = attachSharedMemory(new SharedArrayBuffer(layout(counts).length * 4), counts);
  for (let server = 0; server < counts.servers; server++) {
    memory.words[serverAt(memory, server) + SERVER_OPERATIONAL] = SERVER_UP;
    memory.words[serverAt(memory, server) + SERVER_AGENT_HEALTH] = 1;
  }
  return memory;
}

export function attachSharedMemory(buffer: SharedArrayBuffer, counts: Counts): SharedMemory {
  return { ...layout(counts), words: new Int32Array(buffer), counts };
}

function layout(counts: Counts): Tables {
  const threads = CONTROL_WORDS;
  const servers = threads + counts.threads * LINE;
  const backends = servers + counts.servers * SERVER_WORDS;
  const frontends = backends + counts.backends * LINE;
  const binds = frontends + counts.frontends * LINE;
  const queues = binds + counts.binds * LINE;
  const counters = queues + counts.threads * queueLines(counts) * LINE;
  const rows = counts.frontends + counts.backends + counts.servers + counts.binds;
  const length = counters + Math.max(0, counts.threads - THREAD_DATA) * rows * COUNTER_ROW_WORDS;
  return { threads, servers, backends, frontends, binds, queues, counters, length };
}

/** Rows of a thread: the servers, the backends, then the limits: of the process, of frontends, of binds. */
function queueLines({ servers, backends, frontends, binds }: Counts): number {
  return Math.ceil(((servers + backends + 1 + frontends + binds) * QUEUE_WORDS) / LINE);
}

/** Thread numbers: the control thread, carp and checks first, then data 0, data 1, … */
export const THREAD_CONTROL = 0;
export const THREAD_CARP = 1;
export const THREAD_CHECKS = 2;
export const THREAD_DATA = 3;

/** HAProxy's most. */
export const MOST_DATA_THREADS = 64;

/**
 * Of the process, for good: stop word and heartbeats. A thread that a reload ended may still serve somebody while others take its
 * number in the next generation, so each has a place of its own here: two for each number.
 */
export function createProcessMemory(): SharedMemory {
  return createSharedMemory({
    threads: THREAD_DATA + 2 * MOST_DATA_THREADS,
    servers: 0,
    backends: 0,
    frontends: 0,
    binds: 0,
  });
}

export function threadAt(memory: SharedMemory, thread: number): number {
  return memory.threads + thread * LINE;
}
export function serverAt(memory: SharedMemory, server: number): number {
  return memory.servers + server * SERVER_WORDS;
}
export function backendAt(memory: SharedMemory, backend: number): number {
  return memory.backends + backend * LINE;
}
export function frontendAt(memory: SharedMemory, frontend: number): number {
  return memory.frontends + frontend * LINE;
}
export function bindAt(memory: SharedMemory, bind: number): number {
  return memory.binds + bind * LINE;
}

/** The row of a thread for a server; a backend's is that of the server `counts.servers + backend`, and `limitRow` says a limit's. */
export function queueAt(memory: SharedMemory, thread: number, server: number): number {
  return memory.queues + thread * queueLines(memory.counts) * LINE + server * QUEUE_WORDS;
}

/** For `queueAt`: 0 is the process, then come the frontends, then the binds. */
export function limitRow({ counts }: SharedMemory, limit: number): number {
  return counts.servers + counts.backends + limit;
}

/** Makes a word, which only grows, at least `value`. A lost race costs precision of a maximum that is shown, no more. */
export function raise({ words }: SharedMemory, at: number, value: number): void {
  if (value > Atomics.load(words, at)) Atomics.store(words, at, value);
}
