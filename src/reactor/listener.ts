/** A listening descriptor of a reactor. Accepts until paused; out of descriptors it waits and goes on by itself. */
import { EAGAIN, ECANCELED, ECONNABORTED, EINTR } from '../system/abi/linux.ts';
import type { Listeners } from './listeners.ts';
import type { Socket, SocketOwner } from './socket.ts';
import { Timer } from './timers.ts';

export interface ListenerOwner {
  /** Clients are taken out of the kernel's queue one by one, so that few of them are here before there is room. */
  readonly accepts_singly: boolean;
  /** Room for one more? False: whoever is here waits, and the owner has paused the listener. */
  admit(listener: Listener): boolean;
  /** Whoever was admitted is gone before `onAccept`: no slot was left. */
  revoke(listener: Listener): void;
  /** Somebody connected. The owner calls `socket.receive()`, or `socket.close()` to turn it away. Returns the socket's owner. */
  onAccept(listener: Listener, socket: Socket): SocketOwner;
  /** The last completion is in: the descriptor is the caller's again (closed, or handed over). */
  onReleased(listener: Listener): void;
}

/** How long accepting waits after the kernel had no descriptor or memory, if nothing of ours closes before. */
export const ACCEPT_PAUSE_MS = 100;
/** Connections accepted per pass of the loop and listener. */
export const ACCEPT_BUDGET = 128;

export class Listener {
  private readonly all: Listeners;
  readonly number: number;
  readonly fd: number;
  owner: ListenerOwner;
  readonly generation: number;
  wants_accept = true;
  armed = false;
  /** The operation that is armed goes on after the first client. */
  armed_for_many = false;
  cancelling = false;
  releasing = false;
  accepted_this_pass = 0;
  /** Descriptors that the kernel accepted beyond the budget, oldest first. */
  private waiting: number[] = [];
  private first_waiting = 0;
  /** Out of descriptors: accepting resumes when one comes back, or by this timer. */
  readonly retry: Timer;

  constructor(all: Listeners, number: number, generation: number, fd: number, owner: ListenerOwner) {
    this.all = all;
    this.number = number;
    this.generation = generation;
    this.fd = fd;
    this.owner = owner;
    this.retry = new Timer(() => all.consider(this));
  }

  /** Has accepted all that it may for now: the next pass goes on. */
  get busy(): boolean {
    return this.parked > 0 || this.accepted_this_pass >= ACCEPT_BUDGET;
  }

  get parked(): number {
    return this.waiting.length - this.first_waiting;
  }

  /** @internal A multishot accept empties the whole accept queue at once, at most the backlog: that bounds this queue. */
  park(fd: number): void {
    this.waiting.push(fd);
  }

  /** @internal */
  unpark(): number {
    const fd = this.waiting[this.first_waiting++];
    if (this.parked === 0) {
      this.waiting = [];
      this.first_waiting = 0;
    }
    return fd;
  }

  /** From now on another owner is told. It accepts, whatever the one before wanted. */
  handOver(owner: ListenerOwner): void {
    this.owner = owner;
    if (!this.wants_accept) this.resume();
  }

  pause(): void {
    this.wants_accept = false;
    if (this.armed) this.all.stop(this);
  }

  resume(): void {
    this.wants_accept = true;
    this.all.resume(this);
    this.all.consider(this);
  }

  /** Stops accepting and gives the descriptor back: `onReleased` follows. The accept queue stays in the kernel. */
  release(): void {
    this.wants_accept = false;
    this.releasing = true;
    this.all.forgetTimer(this);
    this.all.resume(this);
    if (this.armed) this.all.stop(this);
    else this.all.forget(this);
  }
}

/** Errors of accept after which the next one may go well. All others (no descriptor, no memory …) would come again at once. */
export function isPassing(error: number): boolean {
  return error === ECANCELED || error === ECONNABORTED || error === EINTR || error === EAGAIN;
}
