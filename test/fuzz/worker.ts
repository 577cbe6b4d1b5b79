/** One lane of watched.ts. */
import { parentPort, workerData } from 'node:worker_threads';
import { fuzz, TARGETS } from './fuzz.js';

const { name, lane, ...options } = workerData;
const shared: Int32Array = workerData.shared;
const target = TARGETS.find((one) => one.name === name)!;
const onInput = (seed: number): void => {
  Atomics.store(shared, 1 + lane, seed);
};
const outcome = fuzz(target, { ...options, onInput, goesOn: () => Atomics.load(shared, 0) === 0 });
if (outcome.broken) Atomics.store(shared, 0, 1);
parentPort!.postMessage(outcome);
