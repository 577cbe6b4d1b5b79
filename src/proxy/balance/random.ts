/** The least loaded of a few servers that are drawn by lot, in proportion to the weights ("power of two choices"). */
import { ALL_FULL, type Candidate, emptyPicker, type Loads, type Picker } from './picker.ts';

export function randomOf(draws: number, candidates: readonly Candidate[]): Picker {
  const usable = candidates.filter(({ weight }) => weight > 0);
  if (usable.length === 0) return emptyPicker;
  const ends = new Float64Array(usable.length);
  let sum = 0;
  for (const [index, { weight }] of usable.entries()) {
    sum += weight;
    ends[index] = sum;
  }
  const draw = (loads: Loads) => usable[placeOf(ends, ((loads.random() >>> 0) / 2 ** 32) * sum)];
  return {
    pick(_turn, _hash, avoid, loads) {
      let best = draw(loads);
      for (let more = draws - 1; more > 0; more--) {
        const other = draw(loads);
        if (best.position === avoid || isLighter(other, best, loads)) best = other;
      }
      if (best.position === avoid) best = besideIt(usable, avoid) ?? best;
      return loads.isFull(best.position) ? ALL_FULL : best.position;
    },
  };
}

/** The same with `hash-balance-factor`: each lot is a point of the ring, and a server that has its share already passes it on. */
export function boundedRandomOf(draws: number, candidates: readonly Candidate[], ring: Picker): Picker {
  const weights = new Map(candidates.map(({ position, weight }) => [position, weight]));
  const load = (position: number, loads: Loads) => loads.connectionsOf(position) / (weights.get(position) || 1);
  return {
    pick(turn, _hash, avoid, loads) {
      let best = ring.pick(turn, loads.random() >>> 0, avoid, loads);
      if (best < 0) return best;
      for (let more = draws - 1; more > 0; more--) {
        const other = ring.pick(turn, loads.random() >>> 0, avoid, loads);
        if (load(other, loads) < load(best, loads)) best = other;
      }
      return loads.isFull(best) ? ALL_FULL : best;
    },
  };
}

function isLighter(one: Candidate, other: Candidate, loads: Loads): boolean {
  return loads.connectionsOf(one.position) * other.weight < loads.connectionsOf(other.position) * one.weight;
}

function besideIt(usable: readonly Candidate[], avoid: number): Candidate | undefined {
  return usable.find(({ position }) => position !== avoid);
}

/** The index of the first end beyond `point`. */
function placeOf(ends: Float64Array, point: number): number {
  let low = 0;
  let high = ends.length - 1;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (ends[middle] > point) high = middle;
    else low = middle + 1;
  }
  return low;
}
