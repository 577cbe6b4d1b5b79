/**
 * Who is preferred. Each node announces how often it adverts; the shorter interval wins. Intervals are compared as the
 * kernels do: seconds, and whole microseconds of the skew (truncated), so that no rounding makes two nodes disagree.
 *
 *   interval(advbase, advskew)     = advbase s + ⌊advskew · 10^6 / 256⌋ µs
 *   master-down                    = deadratio · advbase s + ⌊advskew · 10^6 / 256⌋ µs      (own advskew, undemoted)
 *   master-down when advbase is 0  = deadratio · ⌊advskew · 10^6 / 256⌋ µs                  (demoted)
 *
 * The last line is OpenBSD's rule: by the one above it a sub-second master would time out between two adverts. So is the
 * shortest interval, 1/256 s, where both are 0.
 */
import type { PeerKind } from './frame.ts';

/** Advskew never goes beyond this by demotion, so that 255 stays the bow-out's. */
export const DEMOTION_LIMIT = 240;
/** 1/256 s */
const SHORTEST_US = 3906;

export function interval_us(advbase: number, advskew: number): number {
  return Math.max(advbase * 1_000_000 + Math.floor((advskew * 1_000_000) / 256), SHORTEST_US);
}

export function masterDown_us(deadratio: number, advbase: number, advskew: number): number {
  return advbase === 0 ? deadratio * interval_us(0, advskew) : interval_us(deadratio * advbase, advskew);
}

/** What is put into adverts: skew and demotion together, at most 240 (a higher configured skew stays). */
export function demotedSkew(advskew: number, demotion: number): number {
  if (demotion === 0) return advskew;
  return Math.max(advskew, Math.min(advskew + demotion, DEMOTION_LIMIT));
}

export type Verdict = 'yield' | 'stay';

/**
 * Two MASTERs with the same interval. Kernels yield to an equal, so against a kernel we do the same (and say nothing:
 * it would yield to a last advert too, and nobody would be MASTER). ucarp, and we ourselves, break the tie by source
 * address (both of the same length), compared as ucarp does on x86: last octet first; the lower stays.
 */
export function breakTie(peer: PeerKind, own_source: Uint8Array, peer_source: Uint8Array): Verdict {
  if (peer === 'kernel') return 'yield';
  for (let i = own_source.length - 1; i >= 0; i--)
    if (peer_source[i] !== own_source[i]) return peer_source[i] < own_source[i] ? 'yield' : 'stay';
  return 'stay';
}
