/**
 * Which server next. A picker is a snapshot: it is built from the servers that can take traffic now and replaced
 * whenever one of them changes. It touches nothing but the numbers it is given.
 */

/** No server can take traffic. */
export const NO_SERVER = -1;
/** Each server that could serves as many as it may: the request waits for the first that has room. */
export const ALL_FULL = -2;
/** The request has nothing to be hashed by. */
export const NO_HASH = -1;

/** A server as balancing sees it. `position` is its place in the backend, `id` what consistent hashes begin with. */
export type Candidate = { readonly position: number; readonly id: number; readonly weight: number };

/** What only this moment knows; over all threads. */
export interface Loads {
  /** Requests that a server serves, or that wait for it. */
  connectionsOf(position: number): number;
  /** It serves as many as it may, or others wait for it already. */
  isFull(position: number): boolean;
  /** 32 bits. */
  random(): number;
}

export interface Picker {
  /**
   * The position of the next server, NO_SERVER or ALL_FULL. `turn` counts the picks of all threads; `hash` is the request's, 32
   * bits, or NO_HASH; `avoid` is passed over where there is another one (a server that has just failed), else NO_SERVER.
   */
  pick(turn: number, hash: number, avoid: number, loads: Loads): number;
}

export const emptyPicker: Picker = { pick: () => NO_SERVER };

/** Looks at each server of a turn once, from the one whose turn it is, for one with room. */
export function pickFromTurn(turn: Int32Array, count: number, avoid: number, loads: Loads): number {
  let last = ALL_FULL;
  for (let step = 0, at = (count >>> 0) % turn.length; step < turn.length; step++, at++) {
    if (at === turn.length) at = 0;
    const position = turn[at];
    if (loads.isFull(position)) continue;
    if (position !== avoid) return position;
    last = avoid;
  }
  return last;
}
