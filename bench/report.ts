/** A run as the Markdown that is printed and kept in RESULTS.md. */
import { type CrowdOutcome, cost_us, judgeCrowds, type LoadName, median, type Outcome, type Rounds } from './bounds.ts';
import type { Machine } from './machine.ts';
import type { Crowd } from './many-clients.ts';
import type { Sample } from './measure.ts';

export type Run = {
  readonly machine: Machine;
  readonly how: string;
  readonly rounds: Rounds;
  readonly outcomes: readonly Outcome[];
  readonly crowds: Readonly<Record<'ring' | 'epoll', Crowd>>;
  readonly slow_reads: number;
  /** Of all CPU time, what programs outside the bench used; below a few percent it does not matter. */
  readonly others_share: number;
};

export function formatRun({ machine, how, rounds, outcomes, crowds, slow_reads, others_share }: Run): string {
  const { date, cpu, cores, memory_mib, kernel, versions } = machine;
  return `# carpool beside HAProxy

${date}, ${cpu}, ${cores} cores, ${memory_mib} MiB, Linux ${kernel}; ${versions.join('; ')}.
${how}
Programs outside the bench used ${(others_share * 100).toFixed(0)} % of the machine meanwhile.

## Bounds

Ratios, carpool / HAProxy: the median of ${rounds['50 connections'].length} rounds, in brackets the lowest and the highest.

${table(['what', 'reactor', 'at most', 'measured', 'held'], outcomes.map(outcomeRow))}

Many clients of carpool alone, 18,000 of them (each quiet one had one 64 KiB response; each slow one sends a byte a second):

${table(['what', 'reactor', 'at most', 'measured', 'held'], judgeCrowds(crowds).map(crowdRow))}

A client that reads slowly got its 10 MiB byte for byte, in each of ${slow_reads} rounds under that load.

## Figures

Medians. They swing from day to day and with the machine; only the ratios above mean something.

${table(['load', 'program', 'CPU per request', 'p99 latency', 'requests/s'], figureRows(rounds))}
`;
}

function outcomeRow({ load, figure, reactor, at_most, ratio, lowest, highest, held }: Outcome): string[] {
  const what = figure === 'CPU' ? `CPU per request, ${load}` : `p99 latency, ${load}`;
  const measured = `${ratio.toFixed(2)} (${lowest.toFixed(2)} to ${highest.toFixed(2)})`;
  return [what, reactorName(reactor), at_most.toFixed(2), measured, held ? 'yes' : '**no**'];
}

function crowdRow({ what, reactor, at_most, measured, held }: CrowdOutcome): string[] {
  return [what, reactorName(reactor), at_most.toFixed(2), measured.toFixed(2), held ? 'yes' : '**no**'];
}

function figureRows(rounds: Rounds): string[][] {
  return (Object.keys(rounds) as LoadName[]).flatMap((load) =>
    (['haproxy', 'ring', 'epoll'] as const).map((program) => {
      const middle = (figure: (sample: Sample) => number) =>
        median(rounds[load].map((round) => figure(round[program])));
      const name = program === 'haproxy' ? 'HAProxy' : `carpool, ${reactorName(program)}`;
      const rate = middle(({ requests, seconds }) => requests / seconds);
      return [
        load,
        name,
        duration(middle((sample) => cost_us(load, sample))),
        duration(middle((s) => s.p99_us)),
        rate.toFixed(0),
      ];
    }),
  );
}

function reactorName(reactor: 'ring' | 'epoll'): string {
  return reactor === 'ring' ? 'io_uring' : 'epoll';
}

function duration(us: number): string {
  return us < 1000 ? `${us.toFixed(1)} µs` : `${(us / 1000).toFixed(2)} ms`;
}

export function table(head: string[], rows: string[][]): string {
  const widths = head.map((_, column) => Math.max(...[head, ...rows].map((row) => row[column]!.length)));
  const line = (cells: string[]) => `| ${cells.map((cell, column) => cell.padEnd(widths[column]!)).join(' | ')} |`;
  return [line(head), `|${widths.map((width) => '-'.repeat(width + 2)).join('|')}|`, ...rows.map(line)].join('\n');
}
