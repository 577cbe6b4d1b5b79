/** A run as the Markdown that is printed and kept in RESULTS-failover.md. */
import { median } from '../bounds.ts';
import { describeMachine, firstLine } from '../machine.ts';
import { table } from '../report.ts';
import type { IdleCost } from './idle.ts';
import type { Measured, Trials } from './inside.ts';
import { judgeAll, medianOf, type Outcome, worstOf } from './judge.ts';
import type { Trial } from './trial.ts';

export function formatFailover(measured: Measured, others_share: number): string {
  const peers = [
    firstLine('sh', ['-c', 'PATH=$PATH:/usr/sbin keepalived -v 2>&1']),
    `ucarp ${packageVersion('ucarp')}`,
  ];
  const { date, cpu, cores, memory_mib, kernel, versions } = describeMachine(peers);
  const count = Math.max(...measured.trials.map(({ trials }) => trials.length));
  return `# Failover: carpool beside ucarp and keepalived

${date}, ${cpu}, ${cores} cores, ${memory_mib} MiB, Linux ${kernel}; ${versions.join('; ')}.
${count} trials each, on two hosts (network namespaces) of one switch. An ICMP probe each millisecond, open loop: the
outage is from the last answered probe to the next one. Overlap: how long both hosts had the address. TCP: of the
connections begun in the gap (one every 5 ms), how long the slowest took; the median and the worst of the trials.
Programs outside the bench used ${percent(others_share)} of the machine meanwhile, and its host took ${percent(measured.steal_share)} (steal time).

## Bounds

${table(['what', 'at most', 'measured', 'held'], judgeAll(measured).map(outcomeRow))}

## Failover

${table(['what happens', 'program', 'outage, median', 'worst', 'peer has it after', 'overlap', 'worst', 'TCP begun in the gap', 'worst'], trialRows(measured.trials))}

## 255 addresses, each with a vhid or virtual router of its own, idle

${table(['program', 'vhids', 'state', 'CPU, CARP or VRRP alone', 'CPU, all threads', 'memory'], measured.idle.map(idleRow))}
`;
}

function outcomeRow({ what, unit, at_most, measured, held }: Outcome): string[] {
  return [what, `${at_most.toFixed(1)} ${unit}`, `${measured.toFixed(1)} ${unit}`, held ? 'yes' : '**no**'];
}

function trialRows(all: readonly Trials[]): string[][] {
  const by_happening = [...all].sort((a, b) => a.happening.localeCompare(b.happening));
  return by_happening
    .filter(({ trials }) => trials.length > 0)
    .map(({ program, happening, trials }) => [
      happening,
      program,
      ms(medianOf(trials, 'outage_ms')),
      ms(worstOf(trials, 'outage_ms')),
      ms(medianOf(trials, 'moved_ms')),
      ...overlaps(trials),
      ...connects(trials),
    ]);
}

/** Two columns: the median and the worst. */
function overlaps(trials: readonly Trial[]): [string, string] {
  if (trials.some((trial) => trial.overlaps_still)) return ['until it is started again', ''];
  return [ms(medianOf(trials, 'overlap_ms')), ms(worstOf(trials, 'overlap_ms'))];
}

function connects(trials: readonly Trial[]): [string, string] {
  const slowest = trials.flatMap((trial) => trial.slowest_connect_ms ?? []);
  if (slowest.length === 0) return ['none lost', ''];
  const failed = trials.reduce((sum, trial) => sum + trial.failed_connects, 0);
  return [ms(median(slowest)), ms(Math.max(...slowest)) + (failed > 0 ? `, ${failed} failed` : '')];
}

function idleRow({ software, family, vhids, role, carp_cpu_ms, cpu_ms, memory_kib }: IdleCost): string[] {
  const cpu = [`${carp_cpu_ms.toFixed(1)} ms/s`, `${cpu_ms.toFixed(1)} ms/s`];
  return [`${software}, IPv${family}`, String(vhids), role, ...cpu, `${(memory_kib / 1024).toFixed(1)} MiB`];
}

function ms(value: number): string {
  return value < 1000 ? `${value.toFixed(value < 100 ? 1 : 0)} ms` : `${(value / 1000).toFixed(2)} s`;
}

function percent(share: number): string {
  return `${(share * 100).toFixed(0)} %`;
}

function packageVersion(name: string): string {
  return firstLine('dpkg-query', ['-W', '-f', '${Version}\n', name]);
}
