/** A listening descriptor of a reactor. Accepts until paused; out of descriptors it waits and goes on by itself. */
import type { Reactor } from './reactor.ts';
import type { Socket, SocketOwner } from './socket.ts';
import { Timer } from './timers.ts';

export interface ListenerOwner {
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
  readonly reactor: Reactor;
  readonly number: number;
  readonly fd: number;
  readonly owner: ListenerOwner;
  readonly generation: number;
  wants_accept = true;
  armed = false;
  cancelling = false;
  releasing = false;
  accepted_this_pass = 0;
  /** Out of descriptors: accepting resumes when one comes back, or by this timer. */
  readonly retry: Timer;

  constructor(reactor: Reactor, number: number, generation: number, fd: number, owner: ListenerOwner) {
    this.reactor = reactor;
    this.number = number;
    this.generation = generation;
    this.fd = fd;
    this.owner = owner;
    this.retry = new Timer(() => reactor.considerAccept(this));
  }

  pause(): void {
    this.wants_accept = false;
    if (this.armed) this.reactor.stopAccept(this);
  }

  resume(): void {
    this.wants_accept = true;
    this.reactor.considerAccept(this);
  }

  /** Stops accepting and gives the descriptor back: `onReleased` follows. The accept queue stays in the kernel. */
  release(): void {
    this.wants_accept = false;
    this.releasing = true;
    this.reactor.timers.remove(this.retry);
    if (this.armed) this.reactor.stopAccept(this);
    else this.reactor.forgetListener(this);
  }
}
