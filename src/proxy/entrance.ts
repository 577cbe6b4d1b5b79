/**
 * A bind of a frontend as one data thread sees it: nobody comes in where the bind, the frontend or the process is full.
 *
 *            ┌── room at all of them: a place is taken of each ──▶ served
 *   accepted ┤
 *            └── full ──▶ it waits, its listener accepts nobody more, who comes waits in the kernel
 *                             ▲ │
 *                             └─┴── room, and nobody has waited longer (admission.ts) ──▶ it tries again
 *
 * Short of a limit clients are accepted one by one, so that none but the first of those who wait has left the kernel's queue.
 */
import type { Listener, ListenerOwner } from '../reactor/listener.ts';
import type { Admitter, Socket, SocketOwner } from '../reactor/socket.ts';
import { Timer } from '../reactor/timers.ts';
import { type Row, SESSIONS } from '../threads/counters.ts';
import type { ClientLimit } from './client-limit.ts';
import type { ClientRate } from './client-rate.ts';
import type { Frontend } from './frontend.ts';
import { AnnouncedClient } from './proxy-protocol/announced-client.ts';

/** So few places are left that a burst could be more. */
const NEAR = 64;

/** Its name, or its number from 1; and whether its clients are announced by a PROXY protocol header. */
export type EntranceBind = {
  readonly name: string;
  readonly accept_proxy: boolean;
  /** Null: nobody wants to know. */
  readonly counters: Row | null;
};

/** What a client has to pass. */
export type Gates = {
  /** The bind's, if it has one; the frontend's; the process's. */
  readonly limits: readonly ClientLimit[];
  readonly rates: readonly ClientRate[];
};

export class Entrance implements ListenerOwner, Admitter {
  readonly frontend: Frontend;
  /** Of a later configuration: its clients may move there. */
  successor: Entrance | null = null;
  /** Since when its first client waits; 0: nobody does. */
  waits_since_ms = 0;
  /** This thread's, of the bind alone (`option socket-stats`). */
  readonly counters: Row | null;
  private readonly bind: EntranceBind;
  private readonly limits: readonly ClientLimit[];
  private readonly rates: readonly ClientRate[];
  private readonly retry: Timer;
  /** One, and those of threads that a reload has ended. */
  private listeners: Listener[] = [];
  private waits_for: ClientLimit | null = null;
  /** There was room, and it has waited longest. */
  private has_turn = false;

  constructor(frontend: Frontend, bind: EntranceBind, { limits, rates }: Gates) {
    this.frontend = frontend;
    this.bind = bind;
    this.counters = bind.counters;
    this.limits = limits;
    this.rates = rates;
    this.retry = new Timer(() => this.tryAgain());
  }

  open(listener: Listener): void {
    this.listeners.push(listener);
  }

  /** What it accepts from now on is not its own any more. */
  giveListeners(): Listener[] {
    this.stopWaiting();
    return this.listeners.splice(0);
  }

  // ── for its listener ──────────────────────────────────────────────────────────────────────────

  get accepts_singly(): boolean {
    const { limits, rates } = this;
    for (let at = 0; at < rates.length; at++) if (rates[at].per_second > 0) return true;
    for (let at = 0; at < limits.length; at++) if (limits[at].room < NEAR) return true;
    return false;
  }

  /** A listener that is given back keeps nobody waiting. */
  admit({ releasing }: Listener): boolean {
    if (releasing) this.enter();
    else if (!this.tryEnter()) return false;
    this.has_turn = false;
    this.waits_since_ms = 0;
    return true;
  }

  revoke(): void {
    this.leave();
  }

  onAccept(_listener: Listener, socket: Socket): SocketOwner {
    socket.admitted_by = this;
    this.frontend.clientCame();
    if (this.counters) this.counters[SESSIONS]++;
    const { name, accept_proxy } = this.bind;
    return accept_proxy ? new AnnouncedClient(this.frontend, socket, name) : this.frontend.serve(socket);
  }

  onReleased({ fd }: Listener): void {
    this.frontend.thread.onListenerReleased(fd);
  }

  // ── places ────────────────────────────────────────────────────────────────────────────────────

  private tryEnter(): boolean {
    const { limits, rates } = this;
    for (let at = 0; at < limits.length; at++) {
      if (limits[at].tryEnter(this.has_turn)) continue;
      this.leaveLimits(at);
      this.waitFor(limits[at]);
      return false;
    }
    const { now_ms } = this.frontend.thread.reactor;
    for (let at = 0; at < rates.length; at++) {
      if (rates[at].tryTake(now_ms)) continue;
      for (let taken = 0; taken < at; taken++) rates[taken].giveBack();
      this.leaveLimits(limits.length);
      this.waitUntil(now_ms + rates[at].delayAt_ms(now_ms));
      return false;
    }
    return true;
  }

  /** Whatever the limits: whoever is here already. */
  enter(): void {
    for (const limit of this.limits) limit.enter();
  }

  leave(): void {
    this.leaveLimits(this.limits.length);
  }

  private leaveLimits(count: number): void {
    const { admission } = this.frontend.thread;
    for (let at = 0; at < count; at++) {
      this.limits[at].leave();
      admission.freed(this.limits[at]);
    }
  }

  // ── waiting ───────────────────────────────────────────────────────────────────────────────────

  private waitFor(limit: ClientLimit): void {
    const { reactor, admission } = this.frontend.thread;
    for (const listener of this.listeners) listener.pause();
    if (this.waits_since_ms === 0) this.waits_since_ms = reactor.now_ms;
    this.has_turn = false;
    this.waits_for = limit;
    limit.add(this);
    admission.note(limit); // somebody may have left before we stood in the line
  }

  private waitUntil(time_ms: number): void {
    const { timers } = this.frontend.thread.reactor;
    for (const listener of this.listeners) listener.pause();
    this.has_turn = false;
    timers.arm(this.retry, time_ms);
  }

  private stopWaiting(): void {
    const { reactor, admission } = this.frontend.thread;
    reactor.timers.remove(this.retry);
    if (!this.waits_for) return;
    const limit = this.waits_for;
    this.waits_for = null;
    limit.remove(this);
    admission.freed(limit); // who is next may have the place that it was called for
  }

  /** There is room for one more. */
  tryAgain(): void {
    if (this.waits_for) this.waits_for.remove(this);
    this.waits_for = null;
    this.has_turn = true;
    for (const listener of this.listeners) listener.resume();
  }

  /** People disabled the frontend. */
  stop(): void {
    this.stopWaiting();
    for (const listener of this.listeners) listener.pause();
  }

  start(): void {
    for (const listener of this.listeners) listener.resume();
  }
}
