/**
 * Which server next. A picker is a snapshot: it is built from the servers that can take traffic now and replaced
 * whenever one of them changes. It touches nothing but the numbers it is given.
 */

export const NO_SERVER = -1;

/** A server as balancing sees it. `position` is its place in the backend. */
export type Candidate = { readonly position: number; readonly weight: number };

export interface Picker {
  /**
   * The position of the next server, or NO_SERVER. `turn` counts the picks of all threads; `connections` tells how many a
   * server serves now; `avoid` is passed over where there is another one (a server that has just failed), else NO_SERVER.
   */
  pick(turn: number, connections: (position: number) => number, avoid: number): number;
}

export const emptyPicker: Picker = { pick: () => NO_SERVER };
