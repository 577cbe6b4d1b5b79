/**
 * Errors of a server's traffic (`observe`), from the data threads to the checks thread, which decides (`on-error`).
 *
 *   data: noteLiveError ── consecutive errors reach error-limit ──▶ alarm in shared memory, eventfd ──▶ checks
 */
import * as libc from '../system/libc.ts';
import {
  SERVER_ALARMS,
  SERVER_ERRORS_IN_A_ROW,
  type SharedMemory,
  serverAt,
  THREAD_CHECKS,
  THREAD_WAKE_FD,
  threadAt,
} from './shared-memory.ts';

/** What a write to an eventfd needs; once a thread. */
let one: libc.Pinned | undefined;

/** A request or connection to the server failed in a way that `observe` looks at. */
export function noteLiveError(memory: SharedMemory, server: number, error_limit: number): void {
  const { words } = memory;
  const at = serverAt(memory, server);
  if (Atomics.add(words, at + SERVER_ERRORS_IN_A_ROW, 1) + 1 < error_limit) return;
  Atomics.store(words, at + SERVER_ERRORS_IN_A_ROW, 0);
  Atomics.add(words, at + SERVER_ALARMS, 1);
  wakeChecks(memory);
}

/** Only consecutive errors count. */
export function noteLiveSuccess(memory: SharedMemory, server: number): void {
  const at = serverAt(memory, server) + SERVER_ERRORS_IN_A_ROW;
  if (Atomics.load(memory.words, at) !== 0) Atomics.store(memory.words, at, 0);
}

function wakeChecks(memory: SharedMemory): void {
  const fd = Atomics.load(memory.words, threadAt(memory, THREAD_CHECKS) + THREAD_WAKE_FD);
  if (fd === 0) return;
  if (!one) {
    one = libc.allocatePinned(8);
    one.words[0] = 1;
  }
  libc.write(fd, one.address, 8);
}
