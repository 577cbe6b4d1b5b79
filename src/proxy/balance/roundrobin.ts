/**
 * Weighted round robin, smooth: a server of weight 3 beside one of weight 1 gives a a b a, never a a a b. The whole turn is
 * laid out in advance, so that a pick is one look-up at a position that all threads share.
 */
import { type Candidate, emptyPicker, NO_SERVER, type Picker, pickFromTurn } from './picker.ts';

/** Longest turn that is laid out; heavier sums of weights are scaled down to it. */
const LONGEST_TURN = 16_384;

export function roundRobin(candidates: readonly Candidate[]): Picker {
  const turn = layOut(scale(candidates));
  if (turn.length === 0) return emptyPicker;
  return { pick: (count, _hash, avoid, loads) => pickFromTurn(turn, count, avoid, loads) };
}

/** Divides the weights by their common divisor, and further if a turn would be too long. Every server keeps at least 1. */
function scale(candidates: readonly Candidate[]): Pick<Candidate, 'position' | 'weight'>[] {
  const usable = candidates.filter((candidate) => candidate.weight > 0);
  const divisor = usable.reduce((common, { weight }) => greatestCommonDivisor(common, weight), 0);
  const sum = usable.reduce((total, { weight }) => total + weight / divisor, 0);
  const shrink = Math.max(1, sum / LONGEST_TURN);
  return usable.map(({ position, weight }) => ({
    position,
    weight: Math.max(1, Math.round(weight / divisor / shrink)),
  }));
}

/** Each step every server gains its weight; the richest one is picked and pays the sum. */
function layOut(candidates: readonly Pick<Candidate, 'position' | 'weight'>[]): Int32Array {
  const sum = candidates.reduce((total, { weight }) => total + weight, 0);
  const credit = candidates.map(() => 0);
  const turn = new Int32Array(sum).fill(NO_SERVER);
  if (candidates.every(({ weight }) => weight === 1)) return Int32Array.from(candidates, ({ position }) => position);
  for (let step = 0; step < sum; step++) {
    let richest = 0;
    for (let index = 0; index < candidates.length; index++) {
      credit[index] += candidates[index].weight;
      if (credit[index] > credit[richest]) richest = index;
    }
    credit[richest] -= sum;
    turn[step] = candidates[richest].position;
  }
  return turn;
}

export function greatestCommonDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestCommonDivisor(b, a % b);
}
