/** Conditions as functions: compiled once, when a configuration begins to hold. */
import type { AclTest, Disjunction, RuleCondition, Sample } from '../../config/model.ts';
import { fetchNamed } from './fetches.ts';
import { matcherOf } from './matches.ts';
import type { Accept, Subject, Value } from './subject.ts';

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

function converterOf(name: string, [index, delimiters]: readonly string[]): (value: Value) => Value | undefined {
  switch (name) {
    case 'lower':
      return (value) => String(value).toLowerCase();
    case 'upper':
      return (value) => String(value).toUpperCase();
    case 'length':
      return (value) => String(value).length;
    case 'field':
      return (value) => partOf(splitAt(String(value), delimiters), Number(index));
    case 'word':
      return (value) =>
        partOf(
          splitAt(String(value), delimiters).filter((part) => part !== ''),
          Number(index),
        );
    default:
      throw new Error(`no converter is called ${name}`);
  }
}

/** At each of the characters. */
function splitAt(text: string, delimiters: string): string[] {
  const parts = [''];
  for (const character of text) {
    if (delimiters.includes(character)) parts.push('');
    else parts[parts.length - 1] += character;
  }
  return parts;
}

/** From 1, or from the end where it is negative. */
function partOf(parts: readonly string[], index: number): string | undefined {
  return index > 0 ? parts[index - 1] : parts[parts.length + index];
}
