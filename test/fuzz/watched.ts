/**
 * A target in a thread of its own, which has little memory and is looked at from outside: what hangs or eats memory is
 * stopped, and the input that did it is known by the seed that the thread left in shared memory.
 */
import { Worker } from 'node:worker_threads';
import { type FuzzOptions, type Outcome, printInput, TARGETS } from './fuzz.js';

const HEAP_MB = 192;
const HANG_MS = 10_000;
const LOOK_MS = 500;

export type Watched = { readonly name: string } & Pick<FuzzOptions, 'seed' | 'count' | 'time_ms'>;

export async function fuzzWatched(watched: Watched): Promise<Outcome> {
  const target = TARGETS.find(({ name }) => name === watched.name)!;
  const shared = new Int32Array(new SharedArrayBuffer(4));
  const begun_ms = performance.now();
  const why = await new Promise<Outcome | string>((resolve) => {
    const worker = new Worker(new URL('./worker.js', import.meta.url), {
      workerData: { ...watched, shared },
      resourceLimits: { maxOldGenerationSizeMb: HEAP_MB },
    });
    const stopWatching = watch(shared, () => {
      resolve(`it did not end within ${HANG_MS / 1000} s`);
      void worker.terminate();
    });
    worker.once('message', resolve);
    worker.once('error', (error) => resolve(String(error.stack ?? error)));
    worker.once('exit', () => {
      stopWatching();
      resolve('the thread ended without a word');
    });
  });
  if (typeof why !== 'string') return why;
  const seed = shared[0]!;
  const nothing = { slowest_ms: 0, heap_most_mb: 0, tally: {}, time_ms: performance.now() - begun_ms };
  const broken = { seed, why, input: printInput(target, seed) };
  return { name: watched.name, inputs: seed - watched.seed, ...nothing, broken };
}

/** Calls when the number stays the same for too long; returns how to stop looking. */
function watch(shared: Int32Array, onHang: () => void): () => void {
  let last = -1;
  let since_ms = performance.now();
  const timer = setInterval(() => {
    const now = Atomics.load(shared, 0);
    if (now !== last) since_ms = performance.now();
    last = now;
    if (performance.now() - since_ms > HANG_MS) onHang();
  }, LOOK_MS);
  return () => clearInterval(timer);
}
