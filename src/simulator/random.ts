/** All chance in a run comes from one seed, so that a seed is a run. (mulberry32: 32 bits of state, good enough for dice.) */
export type Random = { word: number };

export function createRandom(seed: number): Random {
  return { word: seed >>> 0 };
}

/** 0 <= x < 1 */
export function chance(random: Random): number {
  random.word = (random.word + 0x6d2b79f5) >>> 0;
  let t = Math.imul(random.word ^ (random.word >>> 15), random.word | 1);
  t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
  return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
}

/** A whole number, `low` <= n <= `high`. */
export function between(random: Random, low: number, high: number): number {
  return low + Math.floor(chance(random) * (high - low + 1));
}

/** What an engine wants for its counters: four words, not all 0. */
export function seedWords(random: Random): Uint32Array {
  return Uint32Array.from([1, 2, 3, 4], () => between(random, 1, 0xffffffff));
}
