/** What all parts of one run share: the network, the clock, where files go, and where news go. */
import type { History } from './history.ts';
import type { Network } from './network.ts';
import type { Timeline } from './timeline.ts';

export type Stage = {
  readonly network: Network;
  /** A directory of this run alone; who made it removes it. */
  readonly directory: string;
  readonly history: History;
  readonly timeline: Timeline;
  /** CLOCK_MONOTONIC when the run began. */
  readonly start_ns: number;
};

/** Milliseconds since the run began, with fractions. */
export function elapsed_ms(stage: Stage): number {
  return toElapsed_ms(stage, Number(process.hrtime.bigint()));
}

export function toElapsed_ms(stage: Stage, at_ns: number): number {
  return (at_ns - stage.start_ns) / 1e6;
}
