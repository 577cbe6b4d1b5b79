/** Conditions as functions: compiled once, when a configuration begins to hold. */
import type { AclTest, Disjunction, RuleCondition, Sample } from '../../config/model.ts';
import { converterOf } from './converters/converters.ts';
import { fetchNamed } from './fetches.ts';
import { matcherOf } from './matches.ts';
import type { Accept, Subject } from './subject.ts';

export type Holds = (subject: Subject) => boolean;

const ALWAYS: Holds = () => true;

/** Without a condition a rule always holds. */
export function compileRuleCondition(rule: RuleCondition | undefined): Holds {
  if (rule === undefined) return ALWAYS;
  const holds = compileDisjunction(rule.condition);
  return rule.polarity === 'if' ? holds : (subject) => !holds(subject);
}

function compileDisjunction(condition: Disjunction<AclTest>): Holds {
  const groups = condition.map((terms) =>
    terms.map(({ negated, test }): Holds => {
      const holds = compileTest(test);
      return negated ? (subject) => !holds(subject) : holds;
    }),
  );
  return (subject) => groups.some((terms) => terms.every((holds) => holds(subject)));
}

function compileTest(test: AclTest): Holds {
  if (test.kind === 'constant') return test.value ? ALWAYS : () => false;
  if (test.kind === 'any') {
    const tests = test.tests.map(compileTest);
    return (subject) => tests.some((holds) => holds(subject));
  }
  const any = fetchNamed(test.sample.fetch)(test.sample.args);
  const accept = throughConverters(test.sample, matcherOf(test.match));
  return (subject) => any(subject, accept);
}

function throughConverters({ converters }: Sample, accept: Accept): Accept {
  return converters.reduceRight<Accept>((next, { name, args }) => {
    const convert = converterOf(name, args);
    return (value) => {
      const converted = convert(value);
      return converted !== undefined && next(converted);
    };
  }, accept);
}
