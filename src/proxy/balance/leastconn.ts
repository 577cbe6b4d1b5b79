/** Least connections, in proportion to the weights; equal loads take turns, and so do servers that have none. */
import { ALL_FULL, type Candidate, emptyPicker, type Picker } from './picker.ts';

export function leastConnections(candidates: readonly Candidate[]): Picker {
  const usable = candidates.filter((candidate) => candidate.weight > 0);
  if (usable.length === 0) return emptyPicker;
  return {
    pick(turn, _hash, avoid, loads) {
      const first = (turn >>> 0) % usable.length;
      let last = ALL_FULL;
      let best = ALL_FULL;
      let best_load = Number.POSITIVE_INFINITY;
      for (let step = 0; step < usable.length; step++) {
        const { position, weight } = usable[(first + step) % usable.length];
        const connections = loads.connectionsOf(position);
        // as HAProxy: who is idle comes first whatever its weight, or the heaviest would serve a quiet site alone
        const load = connections === 0 ? 0 : (connections + 1) / weight;
        if (load >= best_load || loads.isFull(position)) continue;
        if (position === avoid) {
          last = avoid;
          continue;
        }
        best = position;
        best_load = load;
      }
      return best === ALL_FULL ? last : best;
    },
  };
}
