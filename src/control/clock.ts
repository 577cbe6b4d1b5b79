import { now_ns } from '../system/clock.ts';

/** The wall clock's time at a moment of the monotonic clock. */
export function wallTime(at_ns: number): Date {
  return new Date(Date.now() - (now_ns() - at_ns) / 1e6);
}

/** Seconds since a moment of the monotonic clock, to the millisecond. */
export function age_s(since_ns: number): number {
  return Math.round((now_ns() - since_ns) / 1e6) / 1000;
}
