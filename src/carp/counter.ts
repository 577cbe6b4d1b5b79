/**
 * The 64-bit counters of adverts: fresh pseudo-random ones for each advert, which no peer minds. The lower word is a tag
 * of the higher one under this process's secret, so that a reflected, doctored or replayed copy of an own advert is known
 * however late it comes back. A peer's counter looks like that by accident once in 2^32 adverts; the next one does not.
 *
 *   ┌──────────────┬─────────────────────┐
 *   │ random word  │ tag(secret, word)   │
 *   └──────────────┴─────────────────────┘
 *
 * The generator is xorshift128 (Marsaglia 2003): deterministic from its seed. A counter is no secret and needs no more
 * than not to repeat; the digest is what cannot be guessed. (Uneven waiting draws from it, too.)
 */

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

/** Of this process; four words. */
export type CounterSecret = Uint32Array;

/** The lower word that belongs to `high`. (murmur3's finalizer with the secret between its steps.) */
export function tagOf(secret: CounterSecret, high: number): number {
  let word = high ^ secret[0];
  word = Math.imul(word ^ (word >>> 16), 0x85ebca6b) ^ secret[1];
  word = Math.imul(word ^ (word >>> 13), 0xc2b2ae35) ^ secret[2];
  word = Math.imul(word ^ (word >>> 16), 0x27d4eb2f) ^ secret[3];
  return (word ^ (word >>> 15)) >>> 0;
}

export function isOwn(secret: CounterSecret, high: number, low: number): boolean {
  return tagOf(secret, high) === low;
}
