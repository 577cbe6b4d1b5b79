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
import { runInNewContext } from 'node:vm';

/** Bytes; 64 MiB more than after the last collection are what V8 has not noticed yet. */
const BEYOND_V8S_LIMIT = 70 * 1024 * 1024;

/**
 * For this thread and those that start from now on. Only collections of the young generation: whoever changes how the old one
 * is marked while the program runs has V8 end it at the next marking.
 */
export function collectYoungAlone(): void {
  setFlagsFromString('--no-parallel-scavenge');
}

/**
 * Has V8 collect all of this thread's garbage, in steps of some 10 ms between other work: with 10,000 servers the collection
 * that the inspector offers held everybody up for 200 ms. What has V8 begin by itself is memory outside its heap, and
 * zeroes that nobody reads are not memory yet.
 */
export function beginCollecting(): void {
  void new ArrayBuffer(BEYOND_V8S_LIMIT);
}

let collect: (() => void) | undefined;

/** For when memory is short: all of this thread's garbage at once, and back to the system. */
export function collectNow(): void {
  if (collect === undefined) {
    setFlagsFromString('--expose-gc');
    collect = runInNewContext('gc') as () => void;
  }
  collect();
}
