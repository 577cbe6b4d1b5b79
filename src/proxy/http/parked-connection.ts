/**
 * A client between two requests that has been quiet for a while: all that is kept of it. A balancer has thousands of these, and
 * whoever has nothing to say shall cost next to nothing.
 *
 *   ClientConnection ── quiet for PARK_AFTER_MS ──▶ ParkedConnection ── first byte ──▶ ClientConnection (another object)
 */
import { OPEN, type Socket, type SocketOwner } from '../../reactor/socket.ts';
import { Timer } from '../../reactor/timers.ts';
import type { Frontend } from '../frontend.ts';

/** A client between two requests. */
export type QuietClient = {
  readonly socket: Socket;
  readonly accepted_ms: number;
  readonly idle_ms: number;
  readonly requests: number;
};

export const PARK_AFTER_MS = 250;

/** It is its own timer, as each object more would cost as much again as all that it keeps. */
export class ParkedConnection extends Timer implements SocketOwner {
  readonly frontend: Frontend;
  socket: Socket;
  accepted_ms = 0;
  /** Since when it has been quiet. */
  idle_ms = 0;
  requests = 0;

  constructor(frontend: Frontend) {
    super(closeQuiet);
    this.frontend = frontend;
    this.socket = frontend.thread.no_socket;
  }

  /** Takes over the socket, which is receiving. `left_ms` until the client has been quiet for too long; Infinity: never. */
  begin({ socket, accepted_ms, idle_ms, requests }: QuietClient, left_ms: number): void {
    this.socket = socket;
    this.accepted_ms = accepted_ms;
    this.idle_ms = idle_ms;
    this.requests = requests;
    const { timers, now_ms } = this.frontend.thread.reactor;
    if (left_ms !== Number.POSITIVE_INFINITY) timers.arm(this, now_ms + left_ms);
    socket.owner = this;
  }

  onConnect(): void {}

  onData(socket: Socket, buffer: number, offset: number, length: number): void {
    const connection = this.frontend.unpark(this);
    this.forget();
    connection.onData(socket, buffer, offset, length);
  }

  onEnd(): void {
    this.socket.close();
  }

  onError(): void {}

  onDrain(): void {}

  onClosed(): void {
    const { admitted_by } = this.socket;
    this.forget();
    this.frontend.parkedGone(this, admitted_by);
  }

  /** It goes on with a later configuration; without one it ends here. */
  leaveIfIdle(): void {
    const { successor } = this.frontend;
    if (!successor || this.socket.state !== OPEN || this.socket.ended) {
      this.socket.close();
      return;
    }
    const { admitted_by } = this.socket;
    successor.adopt(this);
    this.forget();
    this.frontend.parkedGone(this, admitted_by);
  }

  private forget(): void {
    this.frontend.thread.reactor.timers.remove(this);
    this.socket = this.frontend.thread.no_socket;
  }
}

/** One function for all of them. */
function closeQuiet(this: Timer): void {
  (this as ParkedConnection).socket.close();
}
