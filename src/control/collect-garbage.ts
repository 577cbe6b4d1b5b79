/**
 * A process that runs for months gives back what its start left (a parsed configuration, modules that were compiled once).
 * V8 does that when it needs room, and an idle process needs none: its size would go by chance, 10 MiB up or down.
 */

/** All of this thread's garbage, and the room that it took, from the event loop: some 10 to 50 ms. */
export async function collectGarbage(): Promise<void> {
  const inspector = await import('node:inspector').catch(() => undefined); // Node may be built without it
  if (inspector === undefined) return;
  const session = new inspector.Session();
  session.connect();
  // not from within its answer, where V8 holds the lock that the end of a session takes
  session.post('HeapProfiler.collectGarbage', () => void setImmediate(() => session.disconnect()));
}
