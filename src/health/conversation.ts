/**
 * One check as a state machine without I/O: it says what it needs next, and is told what happened.
 *
 *   begin ─▶ CONNECT ─ onConnected ─▶ SEND ─ onSent ─▶ RECEIVE ─ onBytes / onEnd ─▶ … ─▶ DONE, with a verdict
 *                                       └─ FLUSH: what was sent must have left before it goes on
 *
 * Steps that stand side by side and expect something look at the same answer. One object a server, used for all its checks.
 */
import { asInteger, evaluate } from './expression.ts';
import type { CheckFacts, ServerFacts, Value } from './facts.ts';
import { type Answer, type ConnectStep, describePlace, type Program, type SendStep, tellPlace } from './steps.ts';
import { answerTimedOut, connectFailed, connectTimedOut, type Verdict, verdictOf } from './verdict.ts';

export const CONNECT = 1;
export const SEND = 2;
export const FLUSH = 3;
export const RECEIVE = 4;
export const DONE = 5;
export type Need = typeof CONNECT | typeof SEND | typeof FLUSH | typeof RECEIVE | typeof DONE;

const ACCEPTED = verdictOf('L4OK', 'the server accepts connections', 0, '');
const ACCEPTED_BY_RULES = verdictOf('L4OK', 'the server accepts connections', 0, '(tcp-check)');
const DONE_BY_RULES = verdictOf('L7OK', 'every step went well', 0, '(tcp-check)');

export class Conversation implements CheckFacts {
  /** What is needed now. */
  need: Need = DONE;
  verdict: Verdict = DONE_BY_RULES;
  /** With CONNECT. An empty address and port 0 are the server's. */
  target_address = '';
  target_port = 0;
  connecting: ConnectStep | null = null;
  /** With CONNECT: nothing is said, or asked, before the server has spoken. */
  server_speaks_first = false;
  /** With SEND: the step, and its bytes. */
  sending: SendStep | null = null;
  bytes: Uint8Array = new Uint8Array(0);
  readonly variables = new Map<string, Value>();
  readonly about: ServerFacts;
  private readonly program: Program;
  private readonly answer: Answer;
  private at = 0;
  private ended = false;

  constructor(program: Program, about: ServerFacts) {
    this.program = program;
    this.about = about;
    this.answer = program.createAnswer();
  }

  begin(): Need {
    this.at = 0;
    if (this.variables.size > 0) this.variables.clear();
    return this.walk();
  }

  onConnected(): Need {
    this.ended = false;
    this.answer.clear();
    return this.proceed();
  }

  /** The bytes are queued; with FLUSH they have left. */
  onSent(): Need {
    if (this.need === SEND && this.sending!.flush) return (this.need = FLUSH);
    return this.proceed();
  }

  onBytes(bytes: Uint8Array, offset: number, length: number): Need {
    if (this.need !== RECEIVE) return this.need;
    this.answer.add(bytes, offset, length);
    if (this.answer.full) this.ended = true;
    return this.walk();
  }

  /** The server sends no more. */
  onEnd(): Need {
    this.ended = true;
    return this.need === RECEIVE ? this.walk() : this.need;
  }

  /** The check is over, for whatever reason. */
  end(): void {
    this.need = DONE;
    this.answer.clear();
  }

  // ── what it means when it does not come to a verdict ──────────────────────────────────────────

  connectFailed(error: number): Verdict {
    return this.located(connectFailed(error));
  }

  timedOut(timeout_ms: number): Verdict {
    if (this.need === CONNECT) return this.located(connectTimedOut(timeout_ms));
    const step = this.program.steps[this.at];
    return this.located(answerTimedOut(timeout_ms, step?.kind === 'expect' ? step.expectation.timeout : 'L7TOUT'));
  }

  located(verdict: Verdict): Verdict {
    const step = this.program.steps[this.at];
    const place = step && step.kind !== 'set' ? step.place : undefined;
    if (!place) return verdict;
    const where = describePlace(place);
    return verdictOf(verdict.code, verdict.reason + where, verdict.status, verdict.info + tellPlace(place));
  }

  // ── the steps ─────────────────────────────────────────────────────────────────────────────────

  private proceed(): Need {
    this.at++;
    return this.walk();
  }

  private walk(): Need {
    const { steps } = this.program;
    for (; this.at < steps.length; this.at++) {
      const step = steps[this.at];
      if (step.kind === 'connect') return this.wantConnection(step);
      if (step.kind === 'send') return this.wantSent(step);
      if (step.kind === 'set') step.act(this);
      else {
        if (!this.answer.begun && !this.ended) return (this.need = RECEIVE);
        const outcome = step.expectation.judge(this.answer, this.ended, this);
        if (outcome === 'wait') {
          this.at = step.again_from;
          return (this.need = RECEIVE);
        }
        if (outcome !== 'matched') return this.finish(outcome);
      }
    }
    return this.finish(this.success());
  }

  private wantConnection(step: ConnectStep): Need {
    const port = step.port ? asInteger(evaluate(step.port, this)) : 0;
    if (port === undefined || port < 0 || port > 65535) {
      return this.finish(verdictOf('SOCKERR', `the port is no port${describePlace(step.place)}`));
    }
    this.connecting = step;
    this.target_address = step.address ?? '';
    this.target_port = port;
    this.server_speaks_first = this.expectsNext();
    return (this.need = CONNECT);
  }

  private expectsNext(): boolean {
    const { steps } = this.program;
    let next = this.at + 1;
    while (next < steps.length && steps[next].kind === 'set') next++;
    return next < steps.length && steps[next].kind === 'expect';
  }

  private wantSent(step: SendStep): Need {
    const bytes = step.bytes ?? step.compose(this);
    if (bytes === undefined) {
      return this.finish(verdictOf('L7RSP', `what is to be sent could not be made${describePlace(step.place)}`));
    }
    this.answer.clear();
    this.sending = step;
    this.bytes = bytes;
    return (this.need = SEND);
  }

  private success(): Verdict {
    const last = this.program.steps[this.program.steps.length - 1];
    if (last?.kind === 'expect') return last.expectation.success(this.answer, this);
    if (last?.kind === 'connect') return last.place === undefined ? ACCEPTED : ACCEPTED_BY_RULES;
    return DONE_BY_RULES;
  }

  private finish(verdict: Verdict): Need {
    this.verdict = verdict;
    return (this.need = DONE);
  }

  // ── what expressions may ask ──────────────────────────────────────────────────────────────────

  payload(): string {
    return this.answer.payload();
  }

  status(): number {
    return this.answer.status();
  }

  header(name: string): string | undefined {
    return this.answer.header(name);
  }
}
