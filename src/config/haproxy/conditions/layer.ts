/** What a condition needs to know. */
import type { AclTest, RuleCondition, Sample } from '../../model.ts';
import { FETCHES } from './sample-names.ts';

/** Any of its samples is of a request. */
export function asksAboutHttp({ condition }: RuleCondition): boolean {
  return condition.some((terms) => terms.some(({ test }) => testAsks(test)));
}

function testAsks(test: AclTest): boolean {
  if (test.kind === 'any') return test.tests.some(testAsks);
  return test.kind === 'match' && asksHttp(test.sample);
}

/** It is taken from a request or a response. */
export function asksHttp({ fetch }: Sample): boolean {
  return FETCHES.get(fetch)?.http ?? false;
}
