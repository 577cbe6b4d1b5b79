/**
 * A target in threads of its own, which have little memory and are looked at from outside: what hangs or eats memory is
 * stopped, and the input that did it is known by the seed that its thread left in shared memory.
 *
 *   shared words    | stop | seed of lane 0 | seed of lane 1 | …       lane n of N tries the seeds n, n + N, n + 2 N, …
 */
import { Worker } from 'node:worker_threads';
import { type FuzzOptions, type Outcome, printInput, TARGETS } from './fuzz.js';

const HEAP_MB = 192;
const HANG_MS = 30_000;
const LOOK_MS = 500;

export type Watched = { readonly name: string } & Pick<FuzzOptions, 'seed' | 'count' | 'time_ms'>;

/** The first lane that finds something stops the others. */
export async function fuzzWatched(watched: Watched, lanes = 1): Promise<Outcome> {
  const shared = new Int32Array(new SharedArrayBuffer(4 * (1 + lanes)));
  const { seed, count } = watched;
  const outcomes = await Promise.all(
    Array.from({ length: lanes }, (_, lane) => {
      const share = { ...watched, seed: seed + lane, step: lanes, count: Math.ceil((count - lane) / lanes) };
      return runLane(share, shared, lane);
    }),
  );
  return outcomes.reduce(together);
}

function together(one: Outcome, other: Outcome): Outcome {
  const tally = { ...one.tally };
  for (const [kind, times] of Object.entries(other.tally)) tally[kind] = (tally[kind] ?? 0) + times;
  return {
    name: one.name,
    inputs: one.inputs + other.inputs,
    time_ms: Math.max(one.time_ms, other.time_ms),
    slowest_ms: Math.max(one.slowest_ms, other.slowest_ms),
    heap_most_mb: Math.max(one.heap_most_mb, other.heap_most_mb),
    tally,
    broken: one.broken ?? other.broken,
  };
}

async function runLane(share: Watched & { step: number }, shared: Int32Array, lane: number): Promise<Outcome> {
  const begun_ms = performance.now();
  const why = await new Promise<Outcome | string>((resolve) => {
    const worker = new Worker(new URL('./worker.js', import.meta.url), {
      workerData: { ...share, shared, lane },
      resourceLimits: { maxOldGenerationSizeMb: HEAP_MB },
    });
    const stopWatching = watch(shared, 1 + lane, () => {
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
  Atomics.store(shared, 0, 1);
  const { name, seed: first, step } = share;
  const seed = shared[1 + lane]!;
  const nothing = { slowest_ms: 0, heap_most_mb: 0, tally: {}, time_ms: performance.now() - begun_ms };
  const broken = { seed, why, input: printInput(TARGETS.find((target) => target.name === name)!, seed) };
  return { name, inputs: (seed - first) / step, ...nothing, broken };
}

/** Calls when the word stays the same for too long; returns how to stop looking. */
function watch(shared: Int32Array, word: number, onHang: () => void): () => void {
  let last = -1;
  let since_ms = performance.now();
  const timer = setInterval(() => {
    const now = Atomics.load(shared, word);
    if (now !== last) since_ms = performance.now();
    last = now;
    if (performance.now() - since_ms > HANG_MS) onHang();
  }, LOOK_MS);
  return () => clearInterval(timer);
}
