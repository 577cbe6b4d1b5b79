/** `carpool -cc CONDITION`: the exit status is 0 when it holds, 1 when it does not or is none. */

import { evaluateCondition } from '../config/haproxy/condition.ts';
import { complain } from './complain.ts';

export function runCondition(text: string): number {
  const outcome = evaluateCondition(text, process.env);
  if ('holds' in outcome) return outcome.holds ? 0 : 1;
  return complain(`"${text}" is no condition: ${outcome.problem}.`);
}
