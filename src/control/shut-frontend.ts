/**
 * `shutdown frontend`: the configuration that holds, without this frontend's listeners, begins to hold as a reload does. So its
 * ports are free at once, its clients are served to the end, and the files bring it back with the next reload.
 */
import { FRONTEND_SET_MAXCONN, FRONTEND_STOPPED, frontendAt, type SharedMemory } from '../threads/shared-memory.ts';
import type { Daemon, Fail } from './daemon-state.ts';
import { logLine } from './daemon-state.ts';
import { reload } from './reload.ts';

/** Undefined: done; else why not. */
export async function shutFrontend(daemon: Daemon, name: string, fail: Fail): Promise<string | undefined> {
  const { config, memory } = daemon.generation;
  const frontends = config.frontends.map((each) => (each.name === name ? { ...each, binds: [] } : each));
  const changed = await reload(daemon, () => ({ config: { ...config, frontends }, diagnostics: [] }), fail);
  if (!changed.done) return changed.why;
  keepOrders(memory, daemon.generation.memory);
  logLine(daemon.events, 'notice', `frontend ${name} is shut down (runtime command)`);
  return undefined;
}

/** What people set of the other frontends goes on; they are the same, in the same order. */
function keepOrders(from: SharedMemory, to: SharedMemory): void {
  for (let number = 0; number < from.counts.frontends; number++) {
    for (const word of [FRONTEND_STOPPED, FRONTEND_SET_MAXCONN]) {
      const value = Atomics.load(from.words, frontendAt(from, number) + word);
      Atomics.store(to.words, frontendAt(to, number) + word, value);
    }
  }
}
