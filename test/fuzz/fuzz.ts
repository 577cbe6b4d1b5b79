/** One target, input after input, each from a seed of its own, until one does not hold. */
import { readFileSync } from 'node:fs';
import { createRandom } from '#src/simulator/random.js';
import { DNS } from './answers.js';
import { COMMANDS } from './commands.js';
import { CONFIGURATIONS } from './configurations.js';
import { PACKETS } from './packets.js';
import type { Target } from './target.js';

export const TARGETS: readonly Target[] = [PACKETS, DNS, ...CONFIGURATIONS, ...COMMANDS];

/** An input on which a parser works for longer could hold it up. */
const SLOWEST_MS = 250;
const HEAP_LOOK_INPUTS = 4096;

export type FuzzOptions = {
  /** Of the first input; input n has seed + n * step. */
  readonly seed: number;
  readonly step?: number;
  readonly count: number;
  /** No new input after this time. */
  readonly time_ms: number;
  /** Told before each input. */
  readonly onInput?: (seed: number) => void;
  /** Asked before each input. */
  readonly goesOn?: () => boolean;
};

export type Finding = { readonly seed: number; readonly why: string; readonly input: string };

export type Outcome = {
  readonly name: string;
  readonly inputs: number;
  readonly time_ms: number;
  readonly slowest_ms: number;
  readonly heap_most_mb: number;
  /** How many inputs came to what. */
  readonly tally: Readonly<Record<string, number>>;
  readonly broken: Finding | undefined;
};

export function fuzz(
  target: Target,
  { seed: first, step = 1, count, time_ms, onInput = () => {}, goesOn = () => true }: FuzzOptions,
): Outcome {
  const begun_ms = performance.now();
  const tally: Record<string, number> = {};
  let slowest_ms = 0;
  let heap_most = 0;
  let inputs = 0;
  let broken: Finding | undefined;
  while (inputs < count && !broken && performance.now() - begun_ms < time_ms && goesOn()) {
    const seed = first + inputs * step;
    onInput(seed);
    const one = tryOne(target, seed);
    if ('why' in one) broken = one;
    else for (const kind of one.kinds) tally[kind] = (tally[kind] ?? 0) + 1;
    if (!('why' in one)) slowest_ms = Math.max(slowest_ms, one.took_ms);
    if (inputs++ % HEAP_LOOK_INPUTS === 0) heap_most = Math.max(heap_most, process.memoryUsage().heapUsed);
  }
  const spent_ms = performance.now() - begun_ms;
  return { name: target.name, inputs, time_ms: spent_ms, slowest_ms, heap_most_mb: heap_most / 2 ** 20, tally, broken };
}

/** The input of a seed, as text. */
export function printInput(target: Target, seed: number): string {
  return target.draw(createRandom(seed)).print();
}

function tryOne(target: Target, seed: number): { kinds: readonly string[]; took_ms: number } | Finding {
  const trial = target.draw(createRandom(seed));
  try {
    const begun_ms = performance.now();
    const kinds = [trial.run()].flat();
    let took_ms = performance.now() - begun_ms;
    // the machine may have been busy with something else
    for (let i = 0; i < 2 && took_ms > SLOWEST_MS; i++) took_ms = Math.min(took_ms, worked_ms(trial.run));
    if (took_ms <= SLOWEST_MS) return { kinds, took_ms };
    return { seed, why: `it took ${took_ms.toFixed(0)} ms`, input: trial.print() };
  } catch (error) {
    return { seed, why: String((error as Error).stack ?? error), input: trial.print() };
  }
}

/** By the processor's clock of this thread: others may have the machine meanwhile. */
function worked_ms(run: () => void): number {
  const before_ms = cpu_ms();
  run();
  return cpu_ms() - before_ms;
}

/** proc(5): time spent on the CPU, in nanoseconds, is the first number. */
function cpu_ms(): number {
  return Number(readFileSync('/proc/thread-self/schedstat', 'utf8').split(' ')[0]) / 1e6;
}
