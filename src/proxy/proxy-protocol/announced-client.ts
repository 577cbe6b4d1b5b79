/**
 * A client of a `bind … accept-proxy`, until its header is there:
 *
 *   accepted ── header complete ──▶ its frontend serves it, what followed the header first
 *       └────── malformed, too slow, gone ──▶ closed
 */
import { OPEN, type Socket, type SocketOwner } from '../../reactor/socket.ts';
import { Timer } from '../../reactor/timers.ts';
import type { Frontend } from '../frontend.ts';
import {
  FAILURE_BAD_HEADER,
  FAILURE_HEADER_EMPTY,
  FAILURE_HEADER_TIMEOUT,
  FAILURE_HEADER_TRUNCATED,
  FAILURE_NO_HEADER,
} from '../sample/failures.ts';
import { LONGEST_HEADER, looksLikeHeader, readHeader } from './read-header.ts';

export class AnnouncedClient implements SocketOwner {
  readonly frontend: Frontend;
  readonly accepted_ms: number;
  private readonly socket: Socket;
  /** Where it came in. */
  private readonly bind_name: string;
  private readonly timer: Timer;
  /** What has come of the header. */
  private bytes = new Uint8Array(0);

  constructor(frontend: Frontend, socket: Socket, bind_name: string) {
    const { timers, now_ms } = frontend.thread.reactor;
    this.frontend = frontend;
    this.socket = socket;
    this.bind_name = bind_name;
    this.accepted_ms = now_ms;
    this.timer = new Timer(() => this.refuseUnfinished(FAILURE_HEADER_TIMEOUT));
    const limit_ms = Math.min(frontend.client_ms, frontend.request_ms);
    if (limit_ms !== Number.POSITIVE_INFINITY) timers.arm(this.timer, now_ms + limit_ms);
    socket.receive();
  }

  onData(socket: Socket, buffer: number, offset: number, length: number): void {
    const { buffers } = this.frontend.thread.reactor;
    const before = this.bytes.length;
    const piece = buffers.bytes.subarray(offset, offset + Math.min(length, LONGEST_HEADER - before));
    const bytes = new Uint8Array(before + piece.length);
    bytes.set(this.bytes);
    bytes.set(piece, before);
    const header = readHeader(bytes);
    if (header === 'incomplete' && bytes.length < LONGEST_HEADER) {
      this.bytes = bytes;
      buffers.release(buffer);
    } else if (typeof header === 'string') {
      buffers.release(buffer);
      this.refuse(looksLikeHeader(bytes) ? FAILURE_BAD_HEADER : FAILURE_NO_HEADER);
    } else {
      const taken = header.length - before;
      socket.ends = header.ends;
      this.frontend.thread.reactor.timers.remove(this.timer);
      socket.pause(); // whoever serves it says when to go on
      this.frontend.serve(socket);
      if (length > taken && socket.state === OPEN) socket.owner.onData(socket, buffer, offset + taken, length - taken);
      else buffers.release(buffer);
    }
  }

  /** HAProxy counts it as a request that nobody understood, too. */
  private refuse(failure: number): void {
    const { frontend, socket, bind_name, accepted_ms } = this;
    frontend.countRefused();
    const came_to_nothing = failure === FAILURE_HEADER_EMPTY || failure === FAILURE_HEADER_TIMEOUT;
    if (frontend.config.log_null || !came_to_nothing)
      frontend.log?.failure({ socket, accepted_ms, failure }, bind_name);
    socket.close();
  }

  /** `failure`: what it is if nothing came at all. */
  private refuseUnfinished(failure: number): void {
    this.refuse(this.bytes.length === 0 ? failure : FAILURE_HEADER_TRUNCATED);
  }

  onEnd(): void {
    this.refuseUnfinished(FAILURE_HEADER_EMPTY);
  }

  onError(): void {
    this.refuseUnfinished(FAILURE_HEADER_EMPTY);
  }

  onConnect(): void {}
  onDrain(): void {}

  onClosed(): void {
    this.frontend.thread.reactor.timers.remove(this.timer);
    this.frontend.clientLeft(this.socket.admitted_by);
  }
}
