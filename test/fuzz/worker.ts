/** The thread of watched.ts. */
import { parentPort, workerData } from 'node:worker_threads';
import { fuzz, TARGETS } from './fuzz.js';

const { name, seed, count, time_ms, shared } = workerData;
const target = TARGETS.find((one) => one.name === name)!;
const onInput = (seed: number): void => {
  Atomics.store(shared, 0, seed);
};
parentPort!.postMessage(fuzz(target, { seed, count, time_ms, onInput }));
