/** Least connections, in proportion to the weights; equal loads take turns. */
import { type Candidate, emptyPicker, NO_SERVER, type Picker } from './picker.ts';

export function leastConnections(candidates: readonly Candidate[]): Picker {
  const usable = candidates.filter((candidate) => candidate.weight > 0);
  if (usable.length === 0) return emptyPicker;
  return {
    pick(turn, connections, avoid) {
      const first = (turn >>> 0) % usable.length;
      let best = NO_SERVER;
      let best_load = Number.POSITIVE_INFINITY;
      for (let step = 0; step < usable.length; step++) {
        const { position, weight } = usable[(first + step) % usable.length];
        if (position === avoid) continue;
        const load = (connections(position) + 1) / weight;
        if (load < best_load) {
          best = position;
          best_load = load;
        }
      }
      return best === NO_SERVER ? avoid : best;
    },
  };
}
