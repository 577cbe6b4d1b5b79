/**
 * The rise/fall counter: what the last checks of one server add up to. This is HAProxy's counter, to the step:
 *
 *                          DOWN │ UP
 *   health   0   1  …  rise-1   │   rise  …   rise+fall-1
 *            └──── passed: +1 ──▶ jumps ─────────▶ top            one pass while UP: to the top
 *            ◀──────── jumps ───────────── failed: -1 ┘           one failure while DOWN: to 0
 *
 * The counter starts at `rise`: UP, but the first failure is enough to go DOWN, and the first pass is enough to be
 * wholly UP. This is the operational state. What people set (maintenance, drain) is the administrative state; it
 * stands beside this one and never moves it.
 */

export type Thresholds = {
  /** Passed checks that bring a DOWN server back, at least 1. */
  readonly rise: number;
  /** Failed checks that take an UP server away, at least 1. */
  readonly fall: number;
};

/** Between the end of a check and the beginning of the next one. */
export type Intervals = {
  readonly inter_ms: number;
  /** While the state is about to change; undefined: as `inter_ms`. */
  readonly fastinter_ms: number | undefined;
  /** While DOWN for good; undefined: as `inter_ms`. */
  readonly downinter_ms: number | undefined;
};

/** The counter after one more check. */
export function foldCheck(health: number, passed: boolean, { rise, fall }: Thresholds): number {
  if (passed) return health + 1 >= rise ? topHealth({ rise, fall }) : health + 1;
  return health - 1 >= rise ? health - 1 : 0;
}

/** Before the first check, and when a server comes back from maintenance. */
export function firstHealth({ rise }: Thresholds): number {
  return rise;
}

export function isUp(health: number, { rise }: Thresholds): boolean {
  return health >= rise;
}

/** How long to wait until the next check. */
export function nextInterval_ms(health: number, thresholds: Thresholds, intervals: Intervals): number {
  if (health === topHealth(thresholds)) return intervals.inter_ms;
  if (health === 0) return intervals.downinter_ms ?? intervals.inter_ms;
  return intervals.fastinter_ms ?? intervals.inter_ms;
}

function topHealth({ rise, fall }: Thresholds): number {
  return rise + fall - 1;
}
