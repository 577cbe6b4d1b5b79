import * as libc from './libc.ts';

const CLOCK_MONOTONIC = 1;
const timespec = libc.allocatePinned(16);
const NS_PER_S = 1_000_000_000;
const TWO_32 = 0x1_0000_0000;

/**
 * CLOCK_MONOTONIC in nanoseconds, the same for every process of this machine. A Number is exact for the first
 * 104 days of uptime and a microsecond at most off for centuries after. Allocates nothing.
 */
export function now_ns(): number {
  libc.clock_gettime(CLOCK_MONOTONIC, timespec.address);
  const words = timespec.words;
  return ((words[0] >>> 0) + words[1] * TWO_32) * NS_PER_S + (words[2] >>> 0);
}

/** Milliseconds of the same clock, low 31 bits: what shared memory holds. */
export function now_ms31(): number {
  return toMs31(now_ns());
}

export function toMs31(time_ns: number): number {
  return Math.floor(time_ns / 1e6) % 0x8000_0000;
}

/** How long ago `then` was, both from `now_ms31`, across the wrap. */
export function ageOfMs31(then: number, now: number): number {
  return (now - then) & 0x7fff_ffff;
}

/** What to add to `performance.now()` for milliseconds of CLOCK_MONOTONIC: the closest of a few pairs of readings. */
export function monotonicOffset_ms(): number {
  let offset_ms = 0;
  let closest_ms = Number.POSITIVE_INFINITY;
  for (let pair = 0; pair < 8; pair++) {
    const before_ms = performance.now();
    const middle_ms = now_ns() / 1e6;
    const took_ms = performance.now() - before_ms;
    if (took_ms >= closest_ms) continue;
    closest_ms = took_ms;
    offset_ms = middle_ms - before_ms - took_ms / 2;
  }
  return offset_ms;
}
