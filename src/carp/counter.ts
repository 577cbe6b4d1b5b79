/**
 * The 64-bit counters of adverts: fresh pseudo-random ones for each advert, which no peer minds, and a memory of the
 * latest, so that a reflected or doctored copy of an own advert is known when it comes back.
 *
 * The generator is xorshift128 (Marsaglia 2003): deterministic from its seed. A counter is no secret and needs no more
 * than not to repeat; the digest is what cannot be guessed. (Uneven waiting draws from it, too.)
 */

const REMEMBERED = 32;

export type CounterSource = Uint32Array;

/** @throws RangeError unless the seed is four words, not all 0. */
export function createCounterSource(seed: Uint32Array): CounterSource {
  if (seed.length !== 4 || seed.every((word) => word === 0)) throw new RangeError('a seed is four words, not all 0');
  return Uint32Array.from(seed);
}

/** An unsigned 32-bit word. */
export function nextWord(source: CounterSource): number {
  let t = source[3];
  const s = source[0];
  source[3] = source[2];
  source[2] = source[1];
  source[1] = s;
  t ^= t << 11;
  t ^= t >>> 8;
  source[0] = t ^ s ^ (s >>> 19);
  return source[0];
}

/** The latest 32 counters as pairs of words, oldest overwritten. */
export type OwnCounters = { readonly words: Uint32Array; next: number; count: number };

export function createOwnCounters(): OwnCounters {
  return { words: new Uint32Array(2 * REMEMBERED), next: 0, count: 0 };
}

export function remember(own: OwnCounters, high: number, low: number): void {
  own.words[2 * own.next] = high;
  own.words[2 * own.next + 1] = low;
  own.next = (own.next + 1) % REMEMBERED;
  if (own.count < REMEMBERED) own.count++;
}

export function isOwn(own: OwnCounters, high: number, low: number): boolean {
  for (let i = 0; i < own.count; i++) if (own.words[2 * i] === high && own.words[2 * i + 1] === low) return true;
  return false;
}
