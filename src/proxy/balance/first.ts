/** The first server with room, in the order of their ids: the others stay idle as long as that goes. */
import { ALL_FULL, type Candidate, emptyPicker, type Picker } from './picker.ts';

export function firstWithRoom(candidates: readonly Candidate[]): Picker {
  const order = candidates.filter(({ weight }) => weight > 0).sort((a, b) => a.id - b.id);
  if (order.length === 0) return emptyPicker;
  return {
    pick(_turn, _hash, avoid, loads) {
      let last = ALL_FULL;
      for (let index = 0; index < order.length; index++) {
        const { position } = order[index];
        if (loads.isFull(position)) continue;
        if (position !== avoid) return position;
        last = avoid;
      }
      return last;
    },
  };
}
