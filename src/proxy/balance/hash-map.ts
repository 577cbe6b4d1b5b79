/**
 * `hash-type map-based` and `balance static-rr`: a table with as many places for a server as its weight says. A hash points to a
 * place, so nearly all clients move when the table changes. The order of the places is HAProxy's.
 */
import { type Candidate, emptyPicker, NO_HASH, type Picker, pickFromTurn } from './picker.ts';

/** Longest table that is laid out exactly, and the most work that it may be; heavier ones get coarser weights. */
const LONGEST_TABLE = 65_536;
const MOST_STEPS = 20_000_000;

export function mapOf(candidates: readonly Candidate[]): Picker {
  const table = layOutTable(candidates);
  if (table.length === 0) return emptyPicker;
  return {
    pick(turn, hash, avoid, loads) {
      if (hash === NO_HASH) return pickFromTurn(table, turn, avoid, loads);
      const position = table[hash % table.length];
      return position === avoid ? another(table, hash, avoid) : position;
    },
  };
}

export function staticTurns(candidates: readonly Candidate[]): Picker {
  const table = layOutTable(candidates);
  if (table.length === 0) return emptyPicker;
  return { pick: (turn, _hash, avoid, loads) => pickFromTurn(table, turn, avoid, loads) };
}

/** The next place's server that is another one; this happens only when one has failed. */
function another(table: Int32Array, hash: number, avoid: number): number {
  for (let step = 1; step < table.length; step++) {
    const position = table[(hash + step) % table.length];
    if (position !== avoid) return position;
  }
  return avoid;
}

/**
 * For each place every server gains its weight; the first one whose gain, in whole sums of weights, is the highest gets the place
 * and pays the sum.
 */
export function layOutTable(candidates: readonly Candidate[]): Int32Array {
  const usable = coarsen(candidates.filter(({ weight }) => weight > 0));
  const sum = usable.reduce((total, { weight }) => total + weight, 0);
  if (usable.every(({ weight }) => weight === 1)) return Int32Array.from(usable, ({ position }) => position);
  const table = new Int32Array(sum);
  const scores = new Float64Array(usable.length);
  for (let place = 0; place < sum; place++) {
    let best = -1;
    let highest = 0;
    for (let index = 0; index < usable.length; index++) {
      scores[index] += usable[index].weight;
      const whole = Math.trunc((scores[index] + sum) / sum);
      if (best >= 0 && whole <= highest) continue;
      best = index;
      highest = whole;
    }
    table[place] = usable[best].position;
    scores[best] -= sum;
  }
  return table;
}

function coarsen(usable: readonly Candidate[]): readonly Candidate[] {
  const sum = usable.reduce((total, { weight }) => total + weight, 0);
  const most = Math.max(usable.length, Math.min(LONGEST_TABLE, MOST_STEPS / Math.max(1, usable.length)));
  if (sum <= most) return usable;
  return usable.map((each) => ({ ...each, weight: Math.max(1, Math.round((each.weight * most) / sum)) }));
}
