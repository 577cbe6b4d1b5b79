/**
 * A server that is checked by a program (`external-check`): the control thread runs it, because threads cannot. Bounded
 * twice: there by killing the program, here by not waiting for an answer that never comes.
 *
 *   WAITING ──▶ queued ──▶ RUNNING ── program-ended ──▶ WAITING
 */
import { nextInterval_ms } from '../health/fold.ts';
import type { CheckPlan } from '../health/plan.ts';
import { programTimedOut, type Verdict } from '../health/verdict.ts';
import { Timer } from '../reactor/timers.ts';
import type { Check, CheckRound } from './checks-server.ts';
import type { CheckedServer } from './checks-subject.ts';

export interface ProgramRunner {
  /** The check's `onEnd` is called with the verdict, once, unless `forget` came first. Returns the run's number. */
  run(check: ProgramCheck, timeout_ms: number): number;
  forget(run: number): void;
}

/** The control thread kills at the time-out; its answer takes a moment more. */
const GRACE_MS = 1000;

export class ProgramCheck implements Check {
  readonly plan: CheckPlan;
  readonly server: CheckedServer;
  done_once = false;
  next_queued: Check | null = null;
  private readonly round: CheckRound;
  private readonly runner: ProgramRunner;
  private readonly timer = new Timer(() => this.onTimer());
  private run = -1;
  private queued = false;
  private begun_ms = 0;
  private deadline_ms = 0;

  constructor(plan: CheckPlan, server: CheckedServer, round: CheckRound, runner: ProgramRunner) {
    this.plan = plan;
    this.server = server;
    this.round = round;
    this.runner = runner;
  }

  /** HAProxy: `timeout check` where it is set, else `inter`. */
  get timeout_ms(): number {
    return this.plan.answer_timeout_ms ?? this.plan.connect_timeout_ms;
  }

  onMove(): void {}

  start(): void {
    this.wakeIn(this.plan.first_delay_ms);
  }

  begin(): boolean {
    this.queued = false;
    this.begun_ms = this.round.reactor.now_ms;
    this.run = this.runner.run(this, this.timeout_ms);
    this.wakeIn(this.timeout_ms + GRACE_MS);
    return true;
  }

  onEnd(verdict: Verdict): void {
    this.run = -1;
    this.round.record(this, verdict, this.round.reactor.now_ms - this.begun_ms);
    const { health, subject } = this.server;
    const interval_ms = nextInterval_ms(health.check, subject.thresholds, this.plan.intervals);
    this.wakeIn(Math.round(interval_ms * (1 + this.round.spread())));
    this.round.landed(this);
  }

  hurry(): void {
    const soon_ms = this.plan.intervals.fastinter_ms;
    if (soon_ms === undefined || this.run >= 0 || this.queued) return;
    if (this.round.reactor.now_ms + soon_ms < this.deadline_ms) this.wakeIn(soon_ms);
  }

  stop(): void {
    this.round.reactor.timers.remove(this.timer);
    if (this.run < 0) return;
    this.runner.forget(this.run);
    this.run = -1;
    this.round.landed(this);
  }

  private onTimer(): void {
    if (this.queued) return;
    if (this.run >= 0) {
      this.runner.forget(this.run);
      this.onEnd(programTimedOut(this.timeout_ms));
    } else if (this.server.inMaintenance) {
      this.wakeIn(this.plan.intervals.inter_ms);
      this.round.record(this, undefined, 0);
    } else {
      this.server.heedOrders();
      this.queued = true;
      this.round.queue(this);
    }
  }

  private wakeIn(delay_ms: number): void {
    const { reactor } = this.round;
    this.deadline_ms = reactor.now_ms + delay_ms;
    reactor.timers.arm(this.timer, this.deadline_ms);
  }
}
