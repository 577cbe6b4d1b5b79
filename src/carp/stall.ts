/**
 * Stalls: a thread that runs later than it asked for (SIGSTOP, a paused or a crowded machine, a long way through the
 * kernel). Who shares the machine below this one is late by some milliseconds now and then, real-time scheduling or not.
 */
import { interval_us } from './election.ts';

/** Shorter ones happen on every busy machine. */
export const SHORT_STALL_NS = 100e6;

/**
 * The shell steps `stall` when it is this late: an interval of the vhid that adverts most often, if that is more than a
 * short stall; else half of one, which is enough to take a silence for what it is not.
 */
export function tellStallFrom_ns(vhids: readonly { readonly advbase: number; readonly advskew: number }[]): number {
  const shortest_ns = shortestInterval_ns(vhids);
  return shortest_ns < SHORT_STALL_NS ? shortest_ns / 2 : shortest_ns;
}

/**
 * Whether a pass of the shell may run timers. It reads what waits from `from_ns` on, and runs them as of `from_ns`: what
 * came until then has been heard, and a frame that comes while it reads may wait for the next pass without a harm. Where
 * reading was held up so long that a MASTER would have to step back, what came meanwhile is heard first, in another pass.
 *
 *   wake ──── late: `stall` ───> from_ns ──── reads everything ────> until_ns ──> timers as of from_ns
 */
export function mayRunTimers(from_ns: number, until_ns: number, shortest_interval_ns: number): boolean {
  return until_ns - from_ns < Math.max(shortest_interval_ns, SHORT_STALL_NS);
}

/** Infinity without vhids. */
export function shortestInterval_ns(vhids: readonly { readonly advbase: number; readonly advskew: number }[]): number {
  return Math.min(...vhids.map(({ advbase, advskew }) => 1000 * interval_us(advbase, advskew)));
}
