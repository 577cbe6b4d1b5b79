/**
 * Ending threads. Those that block in the kernel see the stop word only when they are woken, and while one of them
 * blocks process.exit() hangs for ever: so wake, wait for a bounded time, then leave without them.
 */
import { writeSync } from 'node:fs';
import * as libc from '../system/libc.ts';
import { type SharedMemory, STOP, THREAD_STATE, threadAt } from '../threads/shared-memory.ts';

/** A thread of ours that runs until the stop word is set. */
export type RunningThread = {
  readonly name: string;
  /** Its number in shared memory. */
  readonly thread: number;
  wake(): void;
};

const STOPPED = 2;
const POLL_MS = 5;

/** Stores `how` (STOP_*) and waits until every thread has stopped; false when some did not in time. */
export async function stopThreads(
  memory: SharedMemory,
  threads: readonly RunningThread[],
  how: number,
  limit: { readonly timeout_ms: number; readonly hurried?: () => boolean },
): Promise<boolean> {
  Atomics.store(memory.words, STOP, how);
  const stopped = () =>
    threads.every(({ thread }) => Atomics.load(memory.words, threadAt(memory, thread) + THREAD_STATE) === STOPPED);
  for (const thread of threads) thread.wake();
  return waitUntil(() => stopped() || (limit.hurried?.() ?? false), limit.timeout_ms).then(stopped);
}

/** For a thread that ended without a word. */
export function noteStopped(memory: SharedMemory, thread: number): void {
  Atomics.store(memory.words, threadAt(memory, thread) + THREAD_STATE, STOPPED);
}

/** Whether the condition held in time; looked at every few milliseconds. */
export async function waitUntil(holds: () => boolean, timeout_ms: number): Promise<boolean> {
  const end_ms = performance.now() + timeout_ms;
  while (!holds()) {
    if (performance.now() >= end_ms) return false;
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
  return true;
}

/** Leaves at once, also while threads block. The guardian cleans up what they held. */
export function exitNow(status: number, last_words?: string): never {
  if (last_words !== undefined) writeSync(2, `${last_words}\n`);
  libc._exit(status);
  throw new Error('unreachable');
}
