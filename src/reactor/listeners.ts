/**
 * The listeners of a reactor: who accepts, who has to wait, and why.
 *
 *   accepting ── budget of the pass used up ──▶ busy ── next pass ──▶ accepting
 *       ├── paused by its owner, or not admitted: what the kernel had accepted before it heard is parked ── resume ──▶ accepting
 *       └── no descriptor, no slot ── one comes back, or some time passes ──▶ accepting
 */
import { ACCEPT_BUDGET, ACCEPT_PAUSE_MS, isPassing, Listener, type ListenerOwner } from './listener.ts';
import type { Timers } from './timers.ts';

/** What accepting needs of its reactor. */
export interface AcceptingReactor {
  readonly timers: Timers;
  readonly now_ms: number;
  ranShort(error: number): void;
  adoptListener(listener: Listener): void;
  beginAccept(listener: Listener): void;
  cancelAccept(listener: Listener): void;
  /** False: no slot for another socket. */
  adoptAccepted(listener: Listener, fd: number): boolean;
  closeDescriptor(fd: number): void;
}

export class Listeners {
  private readonly reactor: AcceptingReactor;
  private readonly all: (Listener | null)[] = [];
  /** Those that used up their budget of this pass. */
  private busy: Listener[] = [];
  private generation = 0;

  constructor(reactor: AcceptingReactor) {
    this.reactor = reactor;
  }

  add(fd: number, owner: ListenerOwner): Listener {
    const empty = this.all.indexOf(null);
    const number = empty >= 0 ? empty : this.all.length;
    const listener = new Listener(this, number, ++this.generation, fd, owner);
    this.all[number] = listener;
    this.reactor.adoptListener(listener);
    this.consider(listener);
    return listener;
  }

  at(number: number): Listener | null {
    return this.all[number];
  }

  consider(listener: Listener): void {
    if (!listener.wants_accept || listener.armed || listener.releasing || listener.busy) return;
    if (listener.retry.deadline_ms !== Number.POSITIVE_INFINITY) return;
    listener.armed = true;
    this.reactor.beginAccept(listener);
  }

  stop(listener: Listener): void {
    if (listener.cancelling) return;
    listener.cancelling = true;
    this.reactor.cancelAccept(listener);
  }

  /** `result`: a descriptor or a negative errno. `more`: the operation stays armed. */
  acceptCompleted(listener: Listener, result: number, more: boolean): void {
    if (!more) {
      listener.armed = false;
      listener.cancelling = false;
    }
    if (result >= 0) this.accepted(listener, result);
    else if (!isPassing(-result)) {
      this.reactor.ranShort(-result);
      this.putOff(listener);
    }
    if (listener.armed) return;
    if (listener.releasing) this.forget(listener);
    else this.consider(listener);
  }

  private accepted(listener: Listener, fd: number): void {
    const unwanted = !listener.wants_accept && !listener.releasing;
    if (unwanted || listener.accepted_this_pass >= ACCEPT_BUDGET || !listener.owner.admit(listener)) listener.park(fd);
    else this.take(listener, fd);
  }

  /** An admitted one. */
  private take(listener: Listener, fd: number): void {
    if (++listener.accepted_this_pass >= ACCEPT_BUDGET) {
      this.busy.push(listener);
      if (listener.armed) this.stop(listener);
    }
    if (this.reactor.adoptAccepted(listener, fd)) {
      if (listener.armed && listener.armed_for_many && listener.owner.accepts_singly) this.stop(listener);
      return;
    }
    listener.owner.revoke(listener);
    this.reactor.closeDescriptor(fd);
    this.putOff(listener);
  }

  private putOff(listener: Listener): void {
    if (listener.releasing) return;
    if (listener.armed) this.stop(listener);
    this.reactor.timers.arm(listener.retry, this.reactor.now_ms + ACCEPT_PAUSE_MS);
  }

  /** A new pass, a new budget. True when a listener has used it up already, with what the kernel accepted beyond the last one. */
  beginPass(): boolean {
    const { all, busy } = this;
    for (let index = 0; index < all.length; index++) {
      const listener = all[index];
      if (listener) listener.accepted_this_pass = 0;
    }
    if (busy.length === 0) return false;
    this.busy = [];
    for (const listener of busy) this.acceptParked(listener);
    return this.busy.length > 0;
  }

  /** What is parked is served from the next pass on. */
  resume(listener: Listener): void {
    if (listener.parked > 0 && !this.busy.includes(listener)) this.busy.push(listener);
  }

  private acceptParked(listener: Listener): void {
    while (listener.parked > 0 && listener.accepted_this_pass < ACCEPT_BUDGET) {
      if (!listener.wants_accept && !listener.releasing) return;
      if (!listener.owner.admit(listener)) return;
      this.take(listener, listener.unpark());
    }
    if (listener.releasing) this.forget(listener);
    else this.consider(listener);
  }

  /** Does nothing while it has something to finish. */
  forget(listener: Listener): void {
    if (listener.armed || listener.busy || this.all[listener.number] !== listener) return;
    this.all[listener.number] = null;
    listener.owner.onReleased(listener);
  }

  forgetTimer(listener: Listener): void {
    this.reactor.timers.remove(listener.retry);
  }

  descriptorCameBack(): void {
    const { all } = this;
    for (let index = 0; index < all.length; index++) {
      const listener = all[index];
      if (listener && listener.retry.deadline_ms !== Number.POSITIVE_INFINITY) {
        this.reactor.timers.disarm(listener.retry);
        this.consider(listener);
      }
    }
  }
}
