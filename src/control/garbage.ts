/**
 * V8's garbage collector, told what a balancer needs.
 *
 *   as it comes   each of the small collections (2 MiB, twice a second) wakes four helping threads, for less work than that costs;
 *                 where all share a core, it then waits until each of them had its turn
 *   here          each thread does these alone
 *
 * A process that runs for months gives back what its start left (a parsed configuration, modules that were compiled once).
 * V8 does that when it needs room, and an idle process needs none: its size would go by chance, 10 MiB up or down.
 */
import { setFlagsFromString } from 'node:v8';

/**
 * For this thread and those that start from now on. Only collections of the young generation: whoever changes how the old one
 * is marked while the program runs has V8 end it at the next marking.
 */
export function collectYoungAlone(): void {
  setFlagsFromString('--no-parallel-scavenge');
}

/** All of this thread's garbage, and the room that it took, from the event loop: some 10 to 50 ms. */
export async function collectGarbage(): Promise<void> {
  const inspector = await import('node:inspector').catch(() => undefined); // Node may be built without it
  if (inspector === undefined) return;
  const session = new inspector.Session();
  session.connect();
  // not from within its answer, where V8 holds the lock that the end of a session takes
  session.post('HeapProfiler.collectGarbage', () => void setImmediate(() => session.disconnect()));
}
