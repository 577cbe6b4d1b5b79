/**
 * Who is preferred. Each node announces how often it adverts; the shorter interval wins. Intervals are compared as the
 * kernels do: seconds, and whole microseconds of the skew (truncated), so that no rounding makes two nodes disagree.
 *
 *   interval(advbase, advskew)     = advbase s + ⌊advskew · 10^6 / 256⌋ µs
 *   master-down                    = deadratio · advbase s + ⌊advskew · 10^6 / 256⌋ µs      (own advskew, undemoted)
 *   master-down when advbase is 0  = deadratio · ⌊advskew · 10^6 / 256⌋ µs                  (demoted)
 *
 * The last line is OpenBSD's rule: by the one above it a sub-second master would time out between two adverts.
 */
import type { PeerKind } from './frame.ts';

/** Advskew never goes beyond this by demotion, so that 255 stays the bow-out's. */
export const DEMOTION_LIMIT = 240;

export function interval_us(advbase: number, advskew: number): number {
  return advbase * 1_000_000 + Math.floor((advskew * 1_000_000) / 256);
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
 * address, compared as ucarp does on x86: last octet first; the lower stays.
 */
export function breakTie(peer: PeerKind, own_source: number, peer_source: number): Verdict {
  if (peer === 'kernel') return 'yield';
  return byteReversed(peer_source) < byteReversed(own_source) ? 'yield' : 'stay';
}

function byteReversed(address: number): number {
  const swapped = (address << 24) | ((address & 0xff00) << 8) | ((address >>> 8) & 0xff00) | (address >>> 24);
  return swapped >>> 0;
}
