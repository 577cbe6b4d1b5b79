/** What carpool promises beside HAProxy, as data, and whether a run kept it. All figures are ratios: ours / HAProxy's. */
import type { Crowd } from './many-clients.ts';
import type { Sample } from './measure.ts';
import type { Reactor } from './programs.ts';

export type LoadName = '50 connections' | '8 connections' | 'closed connections' | '10 MiB bodies' | '10 MiB tunnels';
export type Figure = 'CPU' | 'p99';

export type Bound = {
  readonly load: LoadName;
  readonly figure: Figure;
  readonly reactor: Reactor;
  readonly at_most: number;
};

export const BOUNDS: readonly Bound[] = [
  { load: '50 connections', figure: 'CPU', reactor: 'ring', at_most: 0.75 },
  { load: '8 connections', figure: 'CPU', reactor: 'ring', at_most: 0.85 },
  { load: '50 connections', figure: 'CPU', reactor: 'epoll', at_most: 0.95 },
  { load: '8 connections', figure: 'CPU', reactor: 'epoll', at_most: 0.95 },
  { load: '50 connections', figure: 'p99', reactor: 'ring', at_most: 1.2 },
  { load: '8 connections', figure: 'p99', reactor: 'ring', at_most: 1.2 },
  { load: '50 connections', figure: 'p99', reactor: 'epoll', at_most: 1.2 },
  { load: '8 connections', figure: 'p99', reactor: 'epoll', at_most: 1.2 },
  { load: 'closed connections', figure: 'CPU', reactor: 'ring', at_most: 0.9 },
  { load: 'closed connections', figure: 'CPU', reactor: 'epoll', at_most: 0.9 },
  { load: '10 MiB bodies', figure: 'CPU', reactor: 'ring', at_most: 0.8 },
  { load: '10 MiB bodies', figure: 'CPU', reactor: 'epoll', at_most: 0.8 },
  { load: '10 MiB tunnels', figure: 'CPU', reactor: 'ring', at_most: 0.8 },
  { load: '10 MiB tunnels', figure: 'CPU', reactor: 'epoll', at_most: 0.8 },
];

/** Samples taken one right after the other: what drifts on the machine drifts for all of them. */
export type Round = { readonly haproxy: Sample } & { readonly [reactor in Reactor]: Sample };
export type Rounds = { readonly [load in LoadName]: readonly Round[] };

export type Outcome = Bound & {
  /** Median of the rounds' ratios. */
  readonly ratio: number;
  readonly lowest: number;
  readonly highest: number;
  readonly held: boolean;
};

export function judge(bound: Bound, rounds: Rounds): Outcome {
  const ratios = rounds[bound.load].map(
    (round) => figureOf(bound, round[bound.reactor]) / figureOf(bound, round.haproxy),
  );
  const ratio = median(ratios);
  // Judged as printed, so that nobody reads "0.75 at most 0.75: no".
  const held = Number(ratio.toFixed(2)) <= bound.at_most;
  return { ...bound, ratio, lowest: Math.min(...ratios), highest: Math.max(...ratios), held };
}

function figureOf({ figure, load }: Bound, sample: Sample): number {
  return figure === 'p99' ? sample.p99_us : cost_us(load, sample);
}

/** CPU time for one request; for large bodies for 10 MiB that arrived, as some are under way when the load ends. */
export function cost_us(load: LoadName, { cpu_us, requests, bytes }: Sample): number {
  return load.startsWith('10 MiB') ? (cpu_us / bytes) * 10 * 1024 * 1024 : cpu_us / requests;
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

export type CrowdOutcome = {
  readonly what: string;
  readonly reactor: Reactor;
  readonly at_most: number;
  readonly measured: number;
  readonly held: boolean;
};

/** 1.2 KiB for a quiet client, and slow ones at most double the p99 of the others. */
export function judgeCrowds(crowds: Readonly<Record<Reactor, Crowd>>): CrowdOutcome[] {
  return (['ring', 'epoll'] as const).flatMap((reactor) => {
    const { quiet_kib, slow_ratio } = crowds[reactor];
    return [
      crowdOutcome('KiB for each quiet client', reactor, 1.2, quiet_kib),
      crowdOutcome('p99 beside slow clients / without them', reactor, 2, slow_ratio),
    ];
  });
}

function crowdOutcome(what: string, reactor: Reactor, at_most: number, measured: number): CrowdOutcome {
  return { what, reactor, at_most, measured, held: Number(measured.toFixed(2)) <= at_most };
}
