/**
 * `hash-type consistent`: each server stands at many points of a ring of 2^32; a hash goes to the nearest point. When a server comes
 * or goes, only its own clients move. The points are HAProxy's, one for each sixteenth of a weight, from the server's id. Weights
 * are counted in sixteenths here.
 *
 *   all points, sorted once:   a3 b0 c7 a1 b9 …     of every server at its full weight
 *   the ring of this moment:   a3    c7 a1    …     without the servers that are away, with fewer points while one starts slowly
 */
import { avalanche } from './hash-functions.ts';
import { type Candidate, emptyPicker, type Loads, NO_HASH, type Picker, pickFromTurn } from './picker.ts';

const POINTS_OF_AN_ID = 4096;
/** Beyond this many points of a backend all servers have fewer. */
const MOST_POINTS = 1 << 20;

/** Every point of every server, for pickers to choose from. */
export class Ring {
  private readonly share: number;
  private readonly keys: Float64Array;
  private readonly positions: Int32Array;
  private readonly indexes: Int32Array;

  /** Each server with the highest weight that it may come to have. */
  constructor(servers: readonly Candidate[]) {
    const sum = servers.reduce((total, { weight }) => total + weight, 0);
    this.share = Math.min(1, MOST_POINTS / Math.max(1, sum));
    const points = servers.flatMap(({ position, id, weight }) =>
      Array.from({ length: this.pointsFor(weight) }, (_, index) => ({
        key: avalanche(Math.imul(id, POINTS_OF_AN_ID) + index),
        position,
        index,
      })),
    );
    points.sort((a, b) => a.key - b.key);
    this.keys = Float64Array.from(points, ({ key }) => key);
    this.positions = Int32Array.from(points, ({ position }) => position);
    this.indexes = Int32Array.from(points, ({ index }) => index);
  }

  private pointsFor(weight: number): number {
    return weight > 0 ? Math.max(1, Math.floor(weight * this.share)) : 0;
  }

  /** Those of these servers, each with the points of its weight. */
  select(candidates: readonly Candidate[]): { keys: Float64Array; positions: Int32Array } {
    const points = new Map(candidates.map(({ position, weight }) => [position, this.pointsFor(weight)]));
    const kept = new Int32Array(this.keys.length);
    let count = 0;
    for (let at = 0; at < this.keys.length; at++) {
      if (this.indexes[at] < (points.get(this.positions[at]) ?? 0)) kept[count++] = at;
    }
    const chosen = kept.subarray(0, count);
    return {
      keys: Float64Array.from(chosen, (at) => this.keys[at]),
      positions: Int32Array.from(chosen, (at) => this.positions[at]),
    };
  }
}

/** `balance_factor`: percent of its fair share that a server may serve at once; undefined: any. */
export function ringOf(ring: Ring, candidates: readonly Candidate[], balance_factor: number | undefined): Picker {
  const { keys, positions } = ring.select(candidates);
  if (keys.length === 0) return emptyPicker;
  const turns = Int32Array.from(candidates, ({ position }) => position);
  const bound = balance_factor === undefined ? undefined : new Bound(candidates, balance_factor);
  return {
    pick(turn, hash, avoid, loads) {
      if (hash === NO_HASH) return pickFromTurn(turns, turn, avoid, loads);
      const nearest = nearestPoint(keys, hash);
      if (positions[nearest] !== avoid && !bound) return positions[nearest];
      bound?.measure(loads);
      for (let step = 0, at = nearest; step < keys.length; step++, at++) {
        if (at === keys.length) at = 0;
        const position = positions[at];
        if (position !== avoid && (!bound || bound.allows(position, loads))) return position;
      }
      return positions[nearest];
    },
  };
}

function nearestPoint(keys: Float64Array, hash: number): number {
  let low = 0;
  let high = keys.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (keys[middle] < hash) low = middle + 1;
    else high = middle;
  }
  const next = low === keys.length ? 0 : low;
  const previous = next === 0 ? keys.length - 1 : next - 1;
  const behind = (hash - keys[previous]) >>> 0;
  const ahead = (keys[next] - hash) >>> 0;
  return behind <= ahead ? previous : next;
}

/** How much each server may serve at once: its share of all requests, and a little more. */
class Bound {
  private readonly weights: ReadonlyMap<number, number>;
  private readonly sum: number;
  private readonly factor: number;
  private slots = 0;

  constructor(candidates: readonly Candidate[], factor: number) {
    this.weights = new Map(candidates.map(({ position, weight }) => [position, weight]));
    this.sum = candidates.reduce((total, { weight }) => total + weight, 0);
    this.factor = factor;
  }

  measure(loads: Loads): void {
    let served = 1; // the one that is to be placed
    for (const position of this.weights.keys()) served += loads.connectionsOf(position);
    this.slots = Math.ceil((served * this.factor) / 100);
  }

  allows(position: number, loads: Loads): boolean {
    const weight = this.weights.get(position) ?? 0;
    return loads.connectionsOf(position) < Math.max(1, Math.floor((this.slots * weight) / this.sum));
  }
}
