/** What carpool promises about failover, as data, and whether a run kept it. */
import { median } from '../bounds.ts';
import type { IdleCost, Role } from './idle.ts';
import type { Measured } from './inside.ts';
import type { Happening, Trial } from './trial.ts';

export const BY_HAND = '<!-- From here on written by hand. -->\n';

export type Outcome = {
  readonly what: string;
  /** `at_most` and `measured` in this unit. */
  readonly unit: 'ms' | 'ms/s' | 'KiB';
  readonly at_most: number;
  readonly measured: number;
  readonly held: boolean;
};

const FAST = 'carpool, advbase 0, advskew 1/2';

type FailoverBound = {
  readonly happening: Happening;
  readonly of: 'median' | 'worst';
  readonly figure: 'outage_ms' | 'moved_ms';
  readonly at_most: number;
};

const FAILOVER_BOUNDS: readonly FailoverBound[] = [
  { happening: 'host death', of: 'median', figure: 'outage_ms', at_most: 25 },
  { happening: 'host death', of: 'worst', figure: 'outage_ms', at_most: 40 },
  { happening: 'graceful stop', of: 'median', figure: 'outage_ms', at_most: 10 },
];
const MOST_KIB_PER_VHID = 30;

export function judgeAll(measured: Measured): Outcome[] {
  return [...judgeFailover(measured), ...judgeIdle(measured.idle)];
}

function judgeFailover({ trials }: Measured): Outcome[] {
  return FAILOVER_BOUNDS.flatMap(({ happening, of, figure, at_most }) => {
    const found = trials.find((one) => one.program === FAST && one.happening === happening);
    if (!found || found.trials.length === 0) return [];
    const value = of === 'median' ? medianOf(found.trials, figure) : worstOf(found.trials, figure);
    return [outcome(`${happening}, ${FAST}: ${of} outage`, 'ms', at_most, value)];
  });
}

function judgeIdle(idle: readonly IdleCost[]): Outcome[] {
  const outcomes: Outcome[] = [];
  for (const role of ['MASTER', 'BACKUP'] as const) {
    const ours = costOf(idle, 'carpool', 4, role);
    const theirs = costOf(idle, 'keepalived', 4, role);
    if (!ours || !theirs) continue;
    const what = `CPU of the whole process with ${ours.vhids} vhids, ${role}; at most keepalived's`;
    outcomes.push(outcome(what, 'ms/s', theirs.cpu_ms, ours.cpu_ms));
  }
  const many = costOf(idle, 'carpool', 4, 'MASTER');
  const one = idle.find((cost) => cost.software === 'carpool' && cost.vhids === 1 && cost.role === 'MASTER');
  if (many && one) {
    const each = (many.memory_kib - one.memory_kib) / (many.vhids - 1);
    outcomes.push(outcome('memory of each vhid beyond the first, MASTER', 'KiB', MOST_KIB_PER_VHID, each));
  }
  return outcomes;
}

function costOf(idle: readonly IdleCost[], software: string, family: 4 | 6, role: Role): IdleCost | undefined {
  return idle.find((one) => one.software === software && one.family === family && one.role === role && one.vhids > 1);
}

/** Judged as printed. */
function outcome(what: string, unit: Outcome['unit'], at_most: number, measured: number): Outcome {
  const held = Number(measured.toFixed(1)) <= Number(at_most.toFixed(1));
  return { what, unit, at_most, measured, held };
}

export function medianOf(trials: readonly Trial[], figure: 'outage_ms' | 'moved_ms' | 'overlap_ms'): number {
  return median(trials.map((trial) => trial[figure]));
}

export function worstOf(trials: readonly Trial[], figure: 'outage_ms' | 'moved_ms' | 'overlap_ms'): number {
  return Math.max(...trials.map((trial) => trial[figure]));
}
