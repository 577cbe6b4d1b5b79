/**
 * The configuration's checks -> steps. What HAProxy adds unasked is added here: a first connection, a last expectation of
 * an HTTP answer.
 */
import type { CheckMethod, CheckRule, HttpCheckMethod, SendRule, SetVariableRule } from '../config/model.ts';
import { fromByteString, fromHex } from './bytes.ts';
import { constantText, evaluate, evaluateFormat, readVariable, setVariable } from './expression.ts';
import type { CheckFacts } from './facts.ts';
import { expectSuccess, httpExpectation, httpRequest, looksBehindStatus } from './http.ts';
import { HttpReply } from './http-reply.ts';
import { ldapProgram } from './ldap.ts';
import { mysqlProgram } from './mysql.ts';
import { pgsqlProgram } from './pgsql.ts';
import { describeMatch, RawAnswer, rawExpectation } from './raw.ts';
import { redisProgram } from './redis.ts';
import { smtpProgram } from './smtp.ts';
import { sslHelloProgram } from './ssl-hello.ts';
import { type Answer, type ConnectStep, connectToServer, type Place, type Program, type Step } from './steps.ts';

/** The method must be one over a connection: not `external`. */
export function compileCheck(method: Exclude<CheckMethod, { kind: 'external' }>): Program {
  return compile(method) as Program;
}

function compile(method: Exclude<CheckMethod, { kind: 'external' }>) {
  switch (method.kind) {
    case 'tcp':
      return tcpProgram(method.rules);
    case 'http':
      return httpProgram(method);
    case 'smtp':
      return smtpProgram(method.hello, method.domain);
    case 'ldap':
      return ldapProgram();
    case 'redis':
      return redisProgram();
    case 'ssl-hello':
      return sslHelloProgram();
    case 'mysql':
      return mysqlProgram(method.user, method.protocol);
    case 'pgsql':
      return pgsqlProgram(method.user);
  }
}

function tcpProgram(rules: readonly CheckRule[]): Program<RawAnswer> {
  const steps = new StepList<RawAnswer>();
  for (const [index, rule] of withConnect(rules).entries()) {
    const place = placeOf(rules, rule, index, true);
    if (rule.kind === 'send') steps.add({ kind: 'send', place, ...compileSend(rule), flush: false });
    else if (rule.kind === 'expect') steps.expect(place, rawExpectation(rule, place), rule.negated);
    else steps.addCommon(rule, place);
  }
  return { steps: steps.finished(), createAnswer: () => new RawAnswer() };
}

function httpProgram(method: HttpCheckMethod): Program<HttpReply> {
  const { rules, disable_on_404 } = method;
  const steps = new StepList<HttpReply>();
  let requests = 0;
  const addRequest = (rule: Extract<CheckRule, { kind: 'http-send' }> | undefined, place: Place): void => {
    steps.add({ kind: 'send', place, ...httpRequest(rule, method, requests++ === 0), flush: false });
  };
  const written = withConnect(rules);
  for (const [index, rule] of written.entries()) {
    const place = placeOf(rules, rule, index, false);
    if (rule.kind === 'http-send') addRequest(rule, place);
    else if (rule.kind === 'expect') {
      if (steps.last !== 'expect' && steps.last !== 'send') addRequest(undefined, undefined);
      steps.expect(place, httpExpectation(rule, place, disable_on_404), rule.negated);
    } else steps.addCommon(rule, place);
  }
  if (requests === 0) addRequest(undefined, undefined);
  if (steps.last !== 'expect') steps.expect(undefined, expectSuccess(disable_on_404), false);
  const keeps = rules.some((rule) => rule.kind === 'set-var' || (rule.kind === 'expect' && looksBehindStatus(rule)));
  const asks = method.rules.some((rule) => rule.kind === 'http-send' && requests > 1);
  const has_rules = rules.some(({ kind }) => kind === 'expect');
  return { steps: steps.finished(), createAnswer: () => new HttpReply(keeps || asks, has_rules) };
}

const CONNECT: CheckRule = {
  kind: 'connect',
  default: true,
  port: undefined,
  address: undefined,
  send_proxy: false,
  linger: false,
  comment: undefined,
};

function withConnect(rules: readonly CheckRule[]): readonly CheckRule[] {
  const first = rules.find(({ kind }) => kind !== 'comment' && kind !== 'set-var' && kind !== 'unset-var');
  return first?.kind === 'connect' ? rules : [CONNECT, ...rules];
}

/** Undefined for a rule that nobody wrote. Steps count from 1, comments too, as in HAProxy's messages. */
function placeOf(rules: readonly CheckRule[], rule: CheckRule, index: number, is_told: boolean): Place {
  const step = rules.indexOf(rule) + 1;
  if (step === 0) return undefined;
  const before = rules[step - 2];
  const own = 'comment' in rule ? rule.comment : undefined;
  const comment = own ?? (before?.kind === 'comment' ? before.text : undefined);
  const told = is_told ? tellRule(rule) : undefined;
  return { step: step || index, what: describeRule(rule), comment, own_comment: own, told };
}

function describeRule(rule: CheckRule): string {
  if (rule.kind === 'expect') return `expect ${rule.negated ? '! ' : ''}${describeMatch(rule.match)}`;
  if (rule.kind === 'connect') {
    const port = rule.port?.fetch === 'int' && rule.port.converters.length === 0 ? ` port ${rule.port.args[0]}` : '';
    return `connect${port}`;
  }
  return rule.kind === 'http-send' ? 'send' : rule.kind;
}

/** In HAProxy's words. */
function tellRule(rule: CheckRule): string {
  if (rule.kind !== 'expect') return describeRule(rule);
  const { match } = rule;
  if (match.kind === 'regex') return 'expect regex';
  if (match.kind === 'binary-regex') return 'expect binary regex';
  if (match.kind !== 'string' && match.kind !== 'binary') return describeRule(rule);
  const text = constantText(match.pattern);
  if (text === undefined) return `expect log-format ${match.kind}`;
  return `expect ${match.kind} '${text}'`;
}

class StepList<A extends Answer> {
  private readonly steps: Step<A>[] = [];
  /** Where a run of expectations looks again: its first negated one. */
  private first_negated = -1;

  /** The last step that is more than a variable. */
  get last(): Step<A>['kind'] | undefined {
    return this.steps.filter(({ kind }) => kind !== 'set').at(-1)?.kind;
  }

  add(step: Step<A>): void {
    if (step.kind !== 'set') this.first_negated = -1;
    this.steps.push(step);
  }

  expect(place: Place, expectation: Extract<Step<A>, { kind: 'expect' }>['expectation'], negated: boolean): void {
    const at = this.steps.length;
    if (negated && this.first_negated < 0) this.first_negated = at;
    this.steps.push({
      kind: 'expect',
      place,
      expectation,
      again_from: this.first_negated < 0 ? at : this.first_negated,
    });
  }

  addCommon(rule: CheckRule, place: Place): void {
    if (rule.kind === 'connect') this.add(compileConnect(rule, place));
    else if (rule.kind === 'set-var') this.add({ kind: 'set', act: compileSet(rule) });
    else if (rule.kind === 'unset-var')
      this.add({ kind: 'set', act: (facts) => setVariable(rule.variable, undefined, facts) });
  }

  /** A send behind which nothing is expected must have left before the check ends or goes elsewhere. */
  finished(): readonly Step<A>[] {
    return this.steps.map((step, index) => {
      if (step.kind !== 'send') return step;
      const next = this.steps.slice(index + 1).find(({ kind }) => kind !== 'set');
      return { ...step, flush: next?.kind !== 'expect' };
    });
  }
}

function compileConnect(rule: Extract<CheckRule, { kind: 'connect' }>, place: Place): ConnectStep {
  const { port, address, send_proxy, linger } = rule;
  return { ...connectToServer(linger), place, port, address, as_server: rule.default, send_proxy };
}

function compileSend({ binary, data }: SendRule) {
  const bytesOf = (text: string) => (binary ? fromHex(text) : fromByteString(text));
  const constant = constantText(data);
  const compose = (facts: CheckFacts) => bytesOf(evaluateFormat(data, facts));
  return { bytes: constant === undefined ? undefined : bytesOf(constant), compose };
}

function compileSet({ variable, condition, value }: SetVariableRule): (facts: CheckFacts) => void {
  const [only] = value;
  const compute = (facts: CheckFacts) =>
    value.length === 1 && typeof only !== 'string' ? evaluate(only, facts) : evaluateFormat(value, facts);
  return (facts) => {
    const found = compute(facts);
    const before = readVariable(variable, facts);
    if (holds(condition, before !== undefined, found)) setVariable(variable, found, facts);
  };
}

function holds(condition: SetVariableRule['condition'], exists: boolean, value: unknown): boolean {
  switch (condition) {
    case 'always':
      return true;
    case 'ifexists':
    case 'ifset':
      return exists;
    case 'ifnotexists':
    case 'ifnotset':
      return !exists;
    case 'ifempty':
      return value === undefined || value === '';
    case 'ifnotempty':
      return value !== undefined && value !== '';
  }
}
