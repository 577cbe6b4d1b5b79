/**
 * The checks of one server, one after the other: an object that is made once and allocates nothing from check to check.
 *
 *   WAITING ──▶ QUEUED ──▶ CONNECTING ──▶ ANSWERING ──▶ CLOSING ──▶ WAITING
 *    timer:      (a place   timer:         timer:        no timer    timer:
 *    next check   in flight) no connection  no answer                 next check
 *
 * A verdict is folded into the server's health at once; the interval to the next check counts from there. Connections
 * end with RST, so that neither side keeps a TIME_WAIT.
 */
import type { Answer } from '../health/exchange.ts';
import { firstHealth, foldCheck, isUp, nextInterval_ms } from '../health/fold.ts';
import type { CheckPlan } from '../health/plan.ts';
import { answerTimedOut, connectFailed, connectionBroke, connectTimedOut, type Verdict } from '../health/verdict.ts';
import type { Reactor } from '../reactor/reactor.ts';
import type { Socket, SocketOwner } from '../reactor/socket.ts';
import { Timer } from '../reactor/timers.ts';
import { EMFILE, ENFILE, ENOBUFS, ENOMEM } from '../system/abi/linux.ts';
import * as libc from '../system/libc.ts';
import type { PinnedAddress } from '../system/socket-address.ts';

/** What the checks of all servers share. */
export interface CheckRound {
  readonly reactor: Reactor;
  /** `begin` is called when few enough others are in flight: at once, perhaps. */
  queue(check: ServerCheck): void;
  /** The connection is gone: a place in flight is free. */
  landed(): void;
  isInMaintenance(check: ServerCheck): boolean;
  /** A check is done: health and state are for everybody to see. `verdict` is undefined when maintenance decided. */
  record(check: ServerCheck, verdict: Verdict | undefined, changed: boolean): void;
  /** This host had nothing left to make a connection with, so nothing is learnt about the server. */
  recordExhausted(check: ServerCheck, error: number): void;
}

/** Where in the reactor's buffers the request stands; a length of 0: nothing is sent. */
export type RequestPlace = { readonly buffer: number; readonly offset: number; readonly length: number };

const WAITING = 0;
const QUEUED = 1;
const CONNECTING = 2;
const ANSWERING = 3;
const CLOSING = 4;
const OVERDUE = 5;

/** Later than this behind a deadline is a stall (SIGSTOP, a paused VM, a starved machine), and what a check gets then. */
const STALL_MS = 100;
const GRACE_MS = 250;

export class ServerCheck implements SocketOwner {
  readonly plan: CheckPlan;
  readonly address: PinnedAddress;
  readonly request: RequestPlace;
  /** HAProxy's rise/fall counter. */
  health: number;
  /** At least one check is done (or was not needed). */
  done_once = false;
  /** Behind this one in the queue for a place in flight. */
  next_queued: ServerCheck | null = null;
  private readonly round: CheckRound;
  private readonly answer: Answer;
  private readonly timer = new Timer(() => this.onTimer());
  private stage = WAITING;
  private socket: Socket | null = null;
  private in_maintenance = false;
  private deadline_ms = 0;
  private forgiven = false;

  constructor(plan: CheckPlan, address: PinnedAddress, request: RequestPlace, answer: Answer, round: CheckRound) {
    this.plan = plan;
    this.address = address;
    this.request = request;
    this.answer = answer;
    this.round = round;
    this.health = firstHealth(plan.thresholds);
  }

  get up(): boolean {
    return isUp(this.health, this.plan.thresholds);
  }

  /** Goes on from what earlier checks, perhaps under another rise and fall, made of its health. */
  resume(health: number): void {
    if (health <= 0) return;
    const { rise, fall } = this.plan.thresholds;
    this.health = Math.min(health, rise + fall - 1);
  }

  start(): void {
    this.wakeIn(this.plan.first_delay_ms);
  }

  /** Ends the check that runs, without a verdict. `landed` follows if one ran. */
  stop(): void {
    this.round.reactor.timers.remove(this.timer);
    this.stage = CLOSING;
    this.socket?.reset();
  }

  // ── the course of one check ───────────────────────────────────────────────────────────────────

  private onTimer(): void {
    switch (this.stage) {
      case WAITING:
        this.becomeDue();
        return;
      case CONNECTING:
        if (!this.forgive()) this.finish(connectTimedOut(this.plan.connect_timeout_ms));
        return;
      case ANSWERING:
        if (!this.forgive()) this.finish(answerTimedOut(this.plan.answer_timeout_ms ?? this.plan.connect_timeout_ms));
        return;
      case CLOSING:
        this.stage = OVERDUE; // the last connection is not gone yet; `onClosed` goes on
    }
  }

  /** A deadline that is seen late says that this thread stood still, not that the server did: once, the answer gets a chance. */
  private forgive(): boolean {
    if (this.forgiven || this.round.reactor.now_ms - this.deadline_ms < STALL_MS) return false;
    this.forgiven = true;
    this.wakeIn(GRACE_MS);
    return true;
  }

  private becomeDue(): void {
    if (this.round.isInMaintenance(this)) this.skip();
    else {
      if (this.in_maintenance) this.comeBack();
      this.stage = QUEUED;
      this.round.queue(this);
    }
  }

  /** Its turn has come. False: there is no connection to wait for. */
  begin(): boolean {
    const { round, plan, address } = this;
    const socket = round.reactor.connect(this, address.family, address.address, address.length);
    if (!socket) {
      this.couldNotConnect(libc.errno());
      return false;
    }
    this.socket = socket;
    this.stage = CONNECTING;
    this.forgiven = false;
    this.wakeIn(plan.connect_timeout_ms);
    return true;
  }

  private couldNotConnect(error: number): void {
    if (!isExhaustion(error)) {
      this.judge(connectFailed(error), WAITING);
      return;
    }
    this.stage = WAITING;
    this.wakeIn(this.plan.intervals.inter_ms);
    this.round.recordExhausted(this, error);
  }

  onConnect(socket: Socket, error: number): void {
    if (error !== 0) {
      this.judge(connectFailed(error), CLOSING); // the socket closes itself
      return;
    }
    const verdict = this.answer.onConnected();
    if (verdict) {
      this.finish(verdict);
      return;
    }
    this.stage = ANSWERING;
    if (this.plan.answer_timeout_ms !== undefined) this.wakeIn(this.plan.answer_timeout_ms);
    if (this.sendRequest(socket)) socket.receive();
    else this.finish(connectionBroke(ENOBUFS));
  }

  private sendRequest(socket: Socket): boolean {
    const { buffer, offset, length } = this.request;
    if (length === 0) return true;
    this.round.reactor.buffers.retain(buffer);
    return socket.send(buffer, offset, length);
  }

  onData(_socket: Socket, buffer: number, offset: number, length: number): void {
    const { buffers } = this.round.reactor;
    const verdict = this.stage === ANSWERING ? this.answer.onBytes(buffers.bytes, offset, length) : null;
    buffers.release(buffer);
    if (verdict) this.finish(verdict);
  }

  onEnd(): void {
    if (this.stage === ANSWERING) this.finish(this.answer.onEnd());
  }

  onError(_socket: Socket, error: number): void {
    if (this.stage === ANSWERING) this.judge(connectionBroke(error), CLOSING);
  }

  onDrain(): void {}

  onClosed(): void {
    this.socket = null;
    const overdue = this.stage === OVERDUE;
    this.stage = WAITING;
    this.round.landed();
    if (overdue) this.becomeDue();
  }

  private finish(verdict: Verdict): void {
    this.judge(verdict, CLOSING);
    this.socket?.reset();
  }

  // ── what it means ─────────────────────────────────────────────────────────────────────────────

  private judge(verdict: Verdict, stage: number): void {
    const { round, plan } = this;
    const was_up = this.up;
    this.stage = stage;
    this.health = foldCheck(this.health, verdict.passed, plan.thresholds);
    this.wakeIn(nextInterval_ms(this.health, plan.thresholds, plan.intervals));
    round.record(this, verdict, this.up !== was_up);
  }

  /** Looked at again after an interval: maintenance may be over then. */
  private skip(): void {
    this.in_maintenance = true;
    this.wakeIn(this.plan.intervals.inter_ms);
    this.round.record(this, undefined, false);
  }

  /** As at the start: UP until the next check says otherwise. */
  private comeBack(): void {
    const was_up = this.up;
    this.in_maintenance = false;
    this.health = firstHealth(this.plan.thresholds);
    this.round.record(this, undefined, !was_up);
  }

  private wakeIn(delay_ms: number): void {
    const { reactor } = this.round;
    this.deadline_ms = reactor.now_ms + delay_ms;
    reactor.timers.arm(this.timer, this.deadline_ms);
  }
}

function isExhaustion(error: number): boolean {
  return error === EMFILE || error === ENFILE || error === ENOMEM || error === ENOBUFS;
}
