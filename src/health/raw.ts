/** Answers of any protocol: bytes, and the matches of `tcp-check expect`. */
import type { CheckMatch, ExpectRule } from '../config/model.ts';
import { knownExpression } from '../config/regular-expression.ts';
import { fromByteString, fromHex } from './bytes.ts';
import { asInteger, constantText, evaluate, evaluateFormat } from './expression.ts';
import type { CheckFacts } from './facts.ts';
import { Received } from './received.ts';
import {
  type Answer,
  describePlace,
  type Expectation,
  type Naming,
  type Outcome,
  type Place,
  tellComment,
} from './steps.ts';
import { type Code, type Verdict, verdictOf } from './verdict.ts';

export class RawAnswer extends Received implements Answer {
  get begun(): boolean {
    return this.length > 0;
  }

  payload(): string {
    return this.text();
  }

  status(): number {
    return 0;
  }

  header(): undefined {
    return undefined;
  }
}

/** Does the answer hold it? Undefined: it is too short to say, whatever it holds. */
type Matches = (answer: RawAnswer, ended: boolean, facts: CheckFacts) => boolean | undefined;

export function rawExpectation(rule: ExpectRule, place: Place): Expectation<RawAnswer> {
  const { negated, min_recv, ok_status = 'L7OK', error_status = 'L7RSP', timeout_status = 'L7TOUT' } = rule;
  const matches = compileMatch(rule.match);
  const says = negated ? 'holds' : 'does not hold';
  const problem = `the answer ${says} ${describeMatch(rule.match)}${describePlace(place)}`;
  const info = `${tellMismatch(rule)}${place ? ` at step ${place.step}` : ''}${tellComment(place)}`;
  const nothing = verdictOf(error_status, `there is no answer${describePlace(place)}`, 0, tellSilence(place));
  return {
    timeout: timeout_status,
    judge(answer, ended, facts): Outcome {
      if (!ended && answer.length < (min_recv ?? 0)) return 'wait';
      if (answer.length === 0) return nothing;
      const matched = matches(answer, ended, facts);
      if (matched === undefined || (!matched && !ended && min_recv === undefined)) return 'wait';
      return matched !== negated ? 'matched' : named(error_status, problem, rule.on_error, rule, facts, info);
    },
    success: (_, facts) => named(ok_status, '(tcp-check)', rule.on_success, rule, facts),
  };
}

/** A verdict with the text and the number that the rule wants in it. */
export function named(
  code: Code,
  usual: string,
  wanted: Naming['on_error'],
  { status_code }: Naming,
  facts: CheckFacts,
  info?: string,
): Verdict {
  const text = wanted === undefined ? usual : evaluateFormat(wanted, facts);
  const number = status_code === undefined ? undefined : asInteger(evaluate(status_code, facts));
  return verdictOf(code, text, number ?? 0, wanted === undefined ? info : undefined);
}

/** In HAProxy's words, which logs have: who watches them looks for these. */
function tellMismatch({ match, negated }: ExpectRule): string {
  const what = negated ? 'TCPCHK matched unwanted content' : 'TCPCHK did not match content';
  if (match.kind === 'regex' || match.kind === 'binary-regex') return `${what} (regex)`;
  if (match.kind === 'binary') return `${what} (binary)`;
  const text = match.kind === 'string' ? constantText(match.pattern) : undefined;
  return text === undefined ? `${what} (log-format string)` : `${what} '${text}'`;
}

function tellSilence(place: Place): string {
  if (place === undefined) return 'TCPCHK got an empty response';
  return `TCPCHK got an empty response at step ${place.step}${place.comment === undefined ? '' : ` comment: '${place.comment}'`}`;
}

function compileMatch(match: CheckMatch): Matches {
  switch (match.kind) {
    case 'string':
    case 'binary':
      return compilePattern(match);
    case 'regex': {
      const regex = knownExpression(match.pattern);
      return (answer) => regex.test(answer.text());
    }
    case 'binary-regex': {
      const regex = knownExpression(match.pattern);
      return (answer) => regex.test(answer.hex());
    }
    default:
      throw new Error(`${match.kind} is matched in HTTP answers only`);
  }
}

function compilePattern({ kind, pattern }: Extract<CheckMatch, { kind: 'string' | 'binary' }>): Matches {
  const bytesOf = (text: string) => (kind === 'binary' ? fromHex(text) : fromByteString(text));
  const constant = constantText(pattern);
  const fixed = constant === undefined ? undefined : bytesOf(constant);
  return (answer, ended, facts) => {
    const bytes = fixed ?? bytesOf(evaluateFormat(pattern, facts));
    if (bytes === undefined) return false;
    return answer.length < bytes.length && !ended ? undefined : answer.holds(bytes);
  };
}

/** As people wrote it. */
export function describeMatch(match: CheckMatch): string {
  switch (match.kind) {
    case 'string':
    case 'binary': {
      const text = constantText(match.pattern);
      return text === undefined ? 'what was expected' : `${match.kind === 'binary' ? 'binary ' : ''}'${text}'`;
    }
    case 'header':
      return 'the header';
    case 'status':
      return 'the status';
    default:
      return `/${match.pattern}/`;
  }
}
