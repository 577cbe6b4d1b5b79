/** What rules say about a request's place in a queue: `http-request set-priority-class` and `set-priority-offset` (manual 4.2). */
import type { PriorityRule } from '../../config/model.ts';
import type { Assignment } from '../assignment.ts';
import { compileRuleCondition, type Holds } from '../sample/condition.ts';
import type { Subject } from '../sample/subject.ts';
import { compileSample, type Read } from '../sample/value.ts';

/** HAProxy's: beyond them the nearest counts. */
const MOST_CLASS = 2_047;
const MOST_OFFSET_MS = 524_287;

export class Priorities {
  private readonly rules: readonly {
    readonly sets: PriorityRule['sets'];
    readonly holds: Holds;
    readonly read: Read;
  }[];

  private constructor(rules: readonly PriorityRule[]) {
    this.rules = rules.map(({ sets, sample, when }) => ({
      sets,
      holds: compileRuleCondition(when),
      read: compileSample(sample),
    }));
  }

  /** Of a frontend and of a backend, in this order; a listen section is both. Null: there are none. */
  static of(own: readonly PriorityRule[], its: readonly PriorityRule[]): Priorities | null {
    const rules = own === its ? own : [...own, ...its];
    return rules.length === 0 ? null : new Priorities(rules);
  }

  /** All that hold, one after the other; a sample that is not there changes nothing. */
  apply(subject: Subject, assignment: Assignment): void {
    for (const { sets, holds, read } of this.rules) {
      const value = holds(subject) ? read(subject) : undefined;
      if (value === undefined) continue;
      if (sets === 'class') assignment.priority = within(Number(value), MOST_CLASS);
      else assignment.offset_ms = within(Number(value), MOST_OFFSET_MS);
    }
  }
}

function within(value: number, most: number): number {
  return Math.max(-most, Math.min(most, value));
}
