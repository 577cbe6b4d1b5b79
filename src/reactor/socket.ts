/**
 * A socket of a reactor: one object a slot, reused for one connection after the other.
 *
 *            connect / accept                end(): FIN after the queue          close(): at once
 *   FREE ─────────────────────▶ OPEN ─────────────────────────────────▶ OPEN ─────────────────────▶ CLOSING ──▶ FREE
 *                                 └───────────────────── close() ────────────────────────────────────▲   last completion
 *
 * Its owner is told of data, of the end, of errors. At most one send is in flight; later slices queue behind it.
 */
import type { Reactor } from './reactor.ts';
import { NO_SLICE } from './slices.ts';

/** Who uses a socket. Called from within a pass of the loop; may send, pause and close from there. */
export interface SocketOwner {
  /** The connection is made (0) or could not be made (errno; the socket closes itself after this). */
  onConnect(socket: Socket, error: number): void;
  /** Bytes came. The owner gets one reference of the buffer. `offset` counts in `reactor.buffers.bytes`. */
  onData(socket: Socket, buffer: number, offset: number, length: number): void;
  /** The peer sends no more (FIN). Sending may go on. */
  onEnd(socket: Socket): void;
  /** The connection broke (errno), and all that came before is told. What was queued is gone; the socket closes itself after this. */
  onError(socket: Socket, error: number): void;
  /** The queue ran empty after `notify_drain` was set (which this resets). */
  onDrain(socket: Socket): void;
  /** The last completion is in and the descriptor is gone; the object belongs to the reactor again. */
  onClosed(socket: Socket): void;
}

/** Who let a client in. */
export interface Admitter {
  /** That client is gone, or somebody else's from now on. */
  leave(): void;
}

/** An IP address as text. */
type Place = { readonly address: string; readonly port: number };

export const FREE = 0;
export const OPEN = 1;
export const CLOSING = 2;

/** What a socket may hold of received buffers (weights of buffers.ts); it reads on at half of it. */
export const ALLOWANCE = 8;

export class Socket {
  readonly reactor: Reactor;
  readonly slot: number;
  fd = -1;
  owner: SocketOwner = NO_OWNER;
  state = FREE;
  /** Counts the uses of this slot, so that late completions of an earlier use are recognised. */
  generation = 0;
  /** Operations that the kernel has not finished. */
  in_flight = 0;
  connecting = false;
  /** What a proxy before us said about this connection; null: it is as the kernel tells. */
  ends: { readonly source: Place; readonly destination: Place; readonly authority?: Uint8Array | undefined } | null =
    null;

  /** Null: connected by ourselves. */
  admitted_by: Admitter | null = null;

  /** The owner wants data. */
  wants_data = false;
  /** Long bodies and tunnels: large buffers, and heads go first when memory is short. */
  bulk = false;
  /** Only until some has come. */
  once = false;
  /** So many bytes need nobody's look: they may come in a pipe. */
  splice_left = 0;
  armed = false;
  cancelling = false;
  /** io_uring only: the receive that is armed is a poll. */
  polled = false;
  /** io_uring only: the descriptor does not block, so that the ring cannot wait for it; we do, with polls. */
  plain = false;
  /** Of unread.ts: whether it stands in the list there, and since when. */
  unread = 0;
  /** The kernel tells of a reset though nobody reads. */
  watching = false;
  /** It may have been reset. */
  broken = false;
  /** Holds its allowance: no receive until half of it is home. */
  full = false;
  ended = false;
  /** Weight of received buffers that are not home yet. */
  held = 0;

  /** The kernel may hold small pieces back until earlier ones have arrived. */
  gathers = false;
  /** It has sent something. */
  has_sent = false;
  /** A send is under way, or its completion is still to be told; its buffer may be gone already. */
  sending = false;
  send_buffer = -1;
  send_offset = 0;
  send_length = 0;
  queue_head = NO_SLICE;
  queue_tail = NO_SLICE;
  queue_count = 0;
  /** When something was last sent. */
  progress_ms = 0;
  /** The peer takes no more (errno), but what it sent before may still be read: the owner is told after that. */
  send_error = 0;
  notify_drain = false;
  wants_end = false;
  /** The owner closes or ends it as soon as all is sent: FIN may travel with the last piece. */
  ends_next = false;
  end_sent = false;

  /** io_uring only: the last receive filled its buffer. */
  streaming = false;

  /** Closing sends RST. */
  resets = false;
  /** Of a connection that we made, if the next one may be made with its descriptor; else 0. */
  family = 0;

  /** epoll only: what the kernel last said. */
  /** The descriptor is known to epoll. */
  registered = false;
  /** What the kernel was asked to tell (1: reading, 2: writing too); 0: nothing yet. */
  watched = 0;
  readable = false;
  writable = false;
  hung_up = false;
  scheduled = false;
  send_more = false;
  /** The result is known, and is to be told. */
  connected = false;
  connect_error = 0;

  constructor(reactor: Reactor, slot: number) {
    this.reactor = reactor;
    this.slot = slot;
  }

  /** @internal A new use of the slot. What is not named here ended with the use before. */
  begin(fd: number, owner: SocketOwner): void {
    this.fd = fd;
    this.owner = owner;
    this.state = OPEN;
    this.in_flight = 0;
    this.connecting = false;
    this.ends = null;
    this.admitted_by = null;
    this.wants_data = false;
    this.bulk = false;
    this.once = false;
    this.splice_left = 0;
    this.plain = false;
    this.armed = false;
    this.cancelling = false;
    this.watching = false;
    this.broken = false;
    this.full = false;
    this.ended = false;
    this.sending = false;
    this.gathers = false;
    this.has_sent = false;
    this.send_buffer = -1;
    this.send_error = 0;
    this.notify_drain = false;
    this.wants_end = false;
    this.ends_next = false;
    this.end_sent = false;
    this.streaming = false;
    this.resets = false;
    this.family = 0;
    this.registered = false;
    this.watched = 0;
    this.readable = false;
    this.writable = false;
    this.hung_up = false;
    this.connected = false;
    this.connect_error = 0;
  }

  /** Asks for data until `pause`. */
  receive(): void {
    this.wants_data = true;
    this.once = false;
    this.reactor.considerReceive(this);
  }

  /** Asks for data until some has come: whoever then wants no more has nothing to cancel. */
  receiveOnce(): void {
    this.wants_data = true;
    if (!this.armed) this.once = true;
    this.reactor.considerReceive(this);
  }

  /** At most what is on its way already still comes. */
  pause(): void {
    this.wants_data = false;
    if (this.armed) this.reactor.stopReceive(this);
    if (this.send_error !== 0) this.reactor.reportLater(this);
  }

  /** From now on data comes in large buffers (true) or small ones. */
  setBulk(bulk: boolean): void {
    if (this.bulk === bulk) return;
    this.bulk = bulk;
    if (this.armed) this.reactor.stopReceive(this);
    else this.reactor.considerReceive(this); // it may wait among the others
  }

  /**
   * The next `bytes` that come while it is `bulk` may come in pipes, which can only be sent on (or released): nobody can look at
   * them. Infinity: all that come.
   */
  allowSplice(bytes: number): void {
    this.splice_left = bytes;
  }

  /** Queues a slice and takes over one reference of its buffer. False: out of slices, the caller gives up. */
  send(buffer: number, offset: number, length: number): boolean {
    return this.reactor.send(this, buffer, offset, length);
  }

  /** Sends FIN when the queue is empty. */
  end(): void {
    this.wants_end = true;
    this.reactor.considerEnd(this);
  }

  /** Drops what is queued and closes; `onClosed` follows. */
  close(): void {
    this.reactor.closeSocket(this, false);
  }

  /** Like `close`, and the peer gets RST. */
  reset(): void {
    this.reactor.closeSocket(this, true);
  }

  /** Everything is sent. Never true after a send failed. */
  get idle(): boolean {
    return !this.sending && this.queue_head === NO_SLICE && this.send_error === 0;
  }

  /** The kernel has taken everything, though the owner may not have heard of it yet. */
  get flushed(): boolean {
    return this.send_buffer < 0 && this.queue_head === NO_SLICE && this.send_error === 0;
  }

  /** What it received before is home, or so much of it that the rest cannot stop its receive. */
  get unburdened(): boolean {
    return this.held <= ALLOWANCE / 2;
  }
}

/** Owner of sockets that nobody owns: every call is a mistake of ours, but those of closing. */
export const NO_OWNER: SocketOwner = {
  onConnect: () => {},
  onData: (socket, buffer) => socket.reactor.buffers.release(buffer),
  onEnd: () => {},
  onError: () => {},
  onDrain: () => {},
  onClosed: () => {},
};
