/**
 * What the checks of one server, its agent and its traffic add up to.
 *
 *   check ──▶ rise/fall counter ─┐
 *   traffic (observe) ──▶        ├─▶ DOWN | UP | STOPPING (no new clients)
 *   agent ──▶ 0 or 1 ────────────┘
 *
 * DOWN as soon as one of them says so; a server that is checked twice is UP only when both agree.
 */
import { firstHealth, foldCheck, isUp, type Thresholds } from './fold.ts';
import type { Verdict } from './verdict.ts';

export type Operational = 'DOWN' | 'UP' | 'STOPPING';

export type ServerHealth = {
  /** The rise/fall counter of the check. */
  readonly check: number;
  /** 1: the agent did not say down. */
  readonly agent: number;
  /** The last check passed conditionally. */
  readonly conditional: boolean;
};

export function firstServerHealth(thresholds: Thresholds): ServerHealth {
  return { check: firstHealth(thresholds), agent: 1, conditional: false };
}

/** What an earlier configuration's checks have left: the state, the counter, and what the agent said if there still is one. */
export type Left = { readonly state: Operational; readonly check: number; readonly agent: number | undefined };

export function resumedHealth({ state, check, agent }: Left, thresholds: Thresholds): ServerHealth {
  const { rise, fall } = thresholds;
  const first = firstServerHealth(thresholds);
  if (state !== 'DOWN') {
    const counter = check < rise ? first.check : Math.min(check, rise + fall - 1);
    return { check: counter, agent: 1, conditional: state === 'STOPPING' };
  }
  if (agent === 0) return { ...first, check: Math.min(check, rise + fall - 1), agent };
  return { ...first, check: Math.min(check, rise - 1) };
}

/** The same object when nothing changes. */
export function foldServerCheck(health: ServerHealth, verdict: Verdict, thresholds: Thresholds): ServerHealth {
  const check = foldCheck(health.check, verdict.passed, thresholds);
  const conditional = verdict.passed ? verdict.code === 'L7OKC' : health.conditional;
  if (check === health.check && conditional === health.conditional) return health;
  return { ...health, check, conditional };
}

export function foldAgent(health: ServerHealth, state: 'up' | 'down'): ServerHealth {
  const agent = state === 'up' ? 1 : 0;
  return agent === health.agent ? health : { ...health, agent };
}

/** What `on-error` makes of the traffic's errors; all of them also make the next check come after `fastinter`. */
export type OnError = 'fastinter' | 'fail-check' | 'sudden-death' | 'mark-down';

export function foldLiveErrors(health: ServerHealth, on_error: OnError, thresholds: Thresholds): ServerHealth {
  const { rise } = thresholds;
  if (on_error === 'fastinter' || health.check < rise) return health;
  // sudden-death leaves one failure before the end, mark-down none
  const before = { 'fail-check': health.check, 'sudden-death': Math.min(health.check, rise + 1), 'mark-down': rise };
  return { ...health, check: foldCheck(before[on_error], false, thresholds) };
}

export function operationalState({ check, agent, conditional }: ServerHealth, thresholds: Thresholds): Operational {
  if (!isUp(check, thresholds) || agent === 0) return 'DOWN';
  return conditional ? 'STOPPING' : 'UP';
}
