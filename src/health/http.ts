/**
 * `option httpchk` and the `http-check` rules as steps. What is sent, byte for byte, is what HAProxy sends: names of headers
 * in lower case, `connection: close` for HTTP/1.1 only, no Host that nobody asked for.
 */
import type {
  CheckFormat,
  ExpectRule,
  HeaderPattern,
  HttpCheckMethod,
  HttpSendRule,
  IntegerRange,
} from '../config/model.ts';
import { knownExpression } from '../config/regular-expression.ts';
import { fromByteString } from './bytes.ts';
import { constantText, evaluateFormat } from './expression.ts';
import type { CheckFacts } from './facts.ts';
import type { HttpReply } from './http-reply.ts';
import { describeMatch, named } from './raw.ts';
import { describePlace, type Expectation, type Outcome, type Place, tellComment } from './steps.ts';
import { type Verdict, verdictOf } from './verdict.ts';

/** What `option httpchk` alone accepts. */
const SUCCESS: readonly IntegerRange[] = [{ min: 200, max: 399 }];

const CONDITIONAL = verdictOf('L7OKC', 'HTTP status 404: the server wants no new clients', 404, '');

// ── what is sent ────────────────────────────────────────────────────────────────────────────────

export type Request = { readonly bytes: Uint8Array | undefined; readonly compose: (facts: CheckFacts) => Uint8Array };

/** What requests behind the first are where their rule leaves it open. */
const NEXT = { method: 'OPTIONS', uri: '/', version: 'HTTP/1.0', headers: [], body: undefined } as const;

/** `rule` where there is one; what it leaves open is as `option httpchk` says (the first request) or HAProxy's default. */
export function httpRequest(rule: HttpSendRule | undefined, method: HttpCheckMethod, is_first: boolean): Request {
  const usual = is_first ? method : NEXT;
  const uri: CheckFormat = rule?.uri ?? [usual.uri];
  const parts: RequestParts = {
    method: rule?.method ?? usual.method,
    uri,
    version: rule?.version ?? usual.version,
    headers: rule?.headers.length ? rule.headers : usual.headers,
    body: rule?.body ?? usual.body,
    state: method.send_state,
  };
  const formats = [uri, ...parts.headers.map(({ value }) => value), parts.body ?? []];
  const is_constant = !method.send_state && formats.every((format) => constantText(format) !== undefined);
  const compose = (facts: CheckFacts) =>
    fromByteString(composeRequest(parts, (format) => evaluateFormat(format, facts), facts));
  if (!is_constant) return { bytes: undefined, compose };
  const bytes = fromByteString(composeRequest(parts, (format) => constantText(format)!, undefined));
  return { bytes, compose };
}

type RequestParts = {
  readonly method: string;
  readonly uri: CheckFormat;
  readonly version: string;
  readonly headers: HttpSendRule['headers'];
  readonly body: CheckFormat | undefined;
  readonly state: boolean;
};

function composeRequest(
  { method, uri, version, headers, body, state }: RequestParts,
  textOf: (format: CheckFormat) => string,
  facts: CheckFacts | undefined,
): string {
  const lines = [`${method} ${inOneLine(textOf(uri)).replace(/ /g, '%20')} ${version}`];
  for (const { name, value } of headers) lines.push(`${name.toLowerCase()}: ${inOneLine(textOf(value))}`);
  if (state) lines.push(`x-haproxy-server-state: ${facts?.about.state() ?? ''}`);
  const content = body === undefined ? '' : textOf(body);
  if (body !== undefined) lines.push(`content-length: ${content.length}`);
  const has_connection = headers.some(({ name }) => name.toLowerCase() === 'connection');
  if (version === 'HTTP/1.1' && !has_connection) lines.push('connection: close');
  return `${lines.join('\r\n')}\r\n\r\n${content}`;
}

/** What an expression brought along must not begin another header. */
function inOneLine(text: string): string {
  return text.replace(/[\r\n\0]/g, ' ');
}

// ── what is expected ────────────────────────────────────────────────────────────────────────────

/** Behind the last request, when no rule says what to expect. */
export function expectSuccess(disable_on_404: boolean): Expectation<HttpReply> {
  const isExpected = statusesOf(SUCCESS);
  return {
    timeout: 'L7TOUT',
    judge: (reply, ended, facts) =>
      conclude(reply, ended, disable_on_404, facts, () => {
        const status = reply.status();
        return isExpected[status] ? 'matched' : statusVerdict(status, false, reply.phrase());
      }),
    success: (reply) => (disable_on_404 && reply.status() === 404 ? CONDITIONAL : statusVerdict(reply.status(), true)),
  };
}

export function httpExpectation(rule: ExpectRule, place: Place, disable_on_404: boolean): Expectation<HttpReply> {
  const judgeRule = compileRule(rule, place);
  const { ok_status = 'L7OK' } = rule;
  return {
    timeout: rule.timeout_status ?? 'L7TOUT',
    judge: (reply, ended, facts) => conclude(reply, ended, disable_on_404, facts, () => judgeRule(reply, ended, facts)),
    success(reply, facts) {
      const status = reply.status();
      if (disable_on_404 && status === 404) return CONDITIONAL;
      if (ok_status === 'L7OK' && rule.on_success === undefined && rule.status_code === undefined) {
        return statusVerdict(status, true);
      }
      const verdict = named(ok_status, `HTTP status ${status}`, rule.on_success, rule, facts);
      return rule.status_code === undefined ? { ...verdict, status } : verdict;
    },
  };
}

/** A head must be there; and 404 may stand above all rules, as long as the server is not DOWN. */
function conclude(
  reply: HttpReply,
  ended: boolean,
  disable_on_404: boolean,
  facts: CheckFacts,
  judgeRule: () => Outcome,
): Outcome {
  const problem = reply.problem(ended);
  if (problem !== undefined) return problem;
  if (disable_on_404 && reply.status() === 404 && facts.about.isUp()) return 'matched';
  return judgeRule();
}

type JudgeRule = (reply: HttpReply, ended: boolean, facts: CheckFacts) => Outcome;

function compileRule(rule: ExpectRule, place: Place): JudgeRule {
  const { match } = rule;
  switch (match.kind) {
    case 'status': {
      const isExpected = statusesOf(match.ranges);
      return statusRule(rule, (status) => isExpected[status], place);
    }
    case 'status-regex': {
      const regex = knownExpression(match.pattern);
      return statusRule(rule, (status) => regex.test(String(status)), place);
    }
    case 'header':
      return headerRule(rule, match.full, match.name, match.value, place);
    default:
      return bodyRule(rule, place);
  }
}

function statusRule(rule: ExpectRule, isExpected: (status: number) => boolean, place: Place): JudgeRule {
  const comment = tellComment(place);
  return (reply, _, facts) => {
    const status = reply.status();
    if (isExpected(status) !== rule.negated) return 'matched';
    if (rule.error_status === undefined && rule.on_error === undefined && rule.status_code === undefined) {
      return statusVerdict(status, false, reply.phrase() + comment);
    }
    const info = reply.phrase() + comment;
    const verdict = named(rule.error_status ?? 'L7STS', `HTTP status ${status}`, rule.on_error, rule, facts, info);
    return rule.status_code === undefined ? { ...verdict, status } : verdict;
  };
}

/** HAProxy calls a missing header a wrong status, too. */
function headerRule(
  rule: ExpectRule,
  full: boolean,
  name: HeaderPattern,
  value: HeaderPattern | undefined,
  place: Place,
): JudgeRule {
  const isName = compilePattern(name, true);
  const isValue = value && compilePattern(value, false);
  const says = rule.negated ? 'an unwanted header is there' : 'the expected header is missing';
  return (reply, _, facts) => {
    const found = reply.headers().some(([header, text]) => {
      if (!isName(header, facts)) return false;
      if (isValue === undefined) return true;
      return full ? isValue(text, facts) : text.split(',').some((part) => isValue(part.trim(), facts));
    });
    if (found !== rule.negated) return 'matched';
    const reason = `${says}${describePlace(place)}`;
    const info = reply.phrase() + tellComment(place);
    const verdict = named(rule.error_status ?? 'L7STS', reason, rule.on_error, rule, facts, info);
    return rule.status_code === undefined ? { ...verdict, status: reply.status() } : verdict;
  };
}

function compilePattern(
  { method, pattern }: HeaderPattern,
  is_name: boolean,
): (text: string, facts: CheckFacts) => boolean {
  if (method === 'reg') {
    const regex = knownExpression(constantText(pattern) ?? '', is_name);
    return (text) => regex.test(text);
  }
  const wanted = (facts: CheckFacts) => {
    const text = evaluateFormat(pattern, facts);
    return is_name ? text.toLowerCase() : text;
  };
  switch (method) {
    case 'str':
      return (text, facts) => text === wanted(facts);
    case 'beg':
      return (text, facts) => text.startsWith(wanted(facts));
    case 'end':
      return (text, facts) => text.endsWith(wanted(facts));
    case 'sub':
      return (text, facts) => text.includes(wanted(facts));
  }
}

function bodyRule(rule: ExpectRule, place: Place): JudgeRule {
  const holds = bodyMatch(rule);
  const says = rule.negated ? 'holds' : 'does not hold';
  const problem = `the body ${says} ${describeMatch(rule.match)}${describePlace(place)}`;
  const told = rule.negated ? 'HTTP check matched unwanted content' : 'HTTP content check did not match';
  return (reply, ended, facts) => {
    const { text, complete } = reply.body();
    const is_all = ended || complete;
    if (!is_all && text.length < (rule.min_recv ?? 0)) return 'wait';
    const matched = holds(text, facts);
    if (!matched && !is_all && rule.min_recv === undefined) return 'wait';
    // an empty body is no answer to either question
    if (matched !== rule.negated && text !== '') return 'matched';
    const shown = text === '' ? `there is no body${describePlace(place)}` : problem;
    const info = (text === '' ? 'HTTP content check could not find a response body' : told) + tellComment(place);
    return named(rule.error_status ?? 'L7RSP', shown, rule.on_error, rule, facts, info);
  };
}

function bodyMatch({ match }: ExpectRule): (text: string, facts: CheckFacts) => boolean {
  if (match.kind === 'regex') {
    const regex = knownExpression(match.pattern);
    return (text) => regex.test(text);
  }
  if (match.kind !== 'string') throw new Error(`${match.kind} is not matched in HTTP answers`);
  const { pattern } = match;
  return (text, facts) => text.includes(evaluateFormat(pattern, facts));
}

/** Does a rule look behind the status? */
export function looksBehindStatus(rule: ExpectRule): boolean {
  const { match, on_success, on_error, status_code } = rule;
  const asks = (on_success ?? []).concat(on_error ?? []).some((part) => typeof part !== 'string');
  return asks || status_code !== undefined || (match.kind !== 'status' && match.kind !== 'status-regex');
}

/** By status, for 0..999. */
function statusesOf(ranges: readonly IntegerRange[]): readonly boolean[] {
  const inside = (status: number) => ranges.some(({ min, max }) => status >= (min ?? 0) && status <= (max ?? 999));
  return Array.from({ length: 1000 }, (_, status) => inside(status));
}

/** By status, good ones behind bad ones; filled as they occur. */
const verdicts: (Verdict | undefined)[] = new Array(2000).fill(undefined);

function statusVerdict(status: number, passed: boolean, info = ''): Verdict {
  const index = status + (passed ? 1000 : 0);
  const known = verdicts[index];
  if (known?.info === info) return known;
  return (verdicts[index] = verdictOf(passed ? 'L7OK' : 'L7STS', `HTTP status ${status}`, status, info));
}
