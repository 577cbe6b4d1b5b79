/**
 * Where log lines go from a data thread: a datagram socket (syslog over UDP or a unix socket), or the ring that the control
 * thread prints from. A sink never waits: what it cannot take is dropped and counted.
 *
 *   room ──▶ the line is written into the arena ──▶ put ─┬─▶ batch ── end of the pass: one call ──▶ datagrams
 *                                                        └─▶ ring ──▶ control thread
 */
import { SMALL_BYTES } from '../../reactor/buffers.ts';
import type { Reactor } from '../../reactor/reactor.ts';
import { EAGAIN, ECONNREFUSED, ECONNRESET, EINTR, ENOTCONN, EPIPE } from '../../system/abi/linux.ts';
import { DatagramBatch } from '../../system/datagram-batch.ts';
import * as libc from '../../system/libc.ts';
import type { LineRing } from '../../threads/line-ring.ts';

export interface Sink {
  dropped: number;
  /** Where in the arena a line of at most `length` bytes may be written; -1: nowhere, and that counts as a line lost. */
  room(length: number): number;
  /** The line is there. */
  put(length: number): void;
  /** The pass is over. */
  flush(): void;
}

/** Datagrams that leave together. */
const BATCH_LINES = 128;
/** A server that is gone is looked for once in this time. */
const RETRY_MS = 1_000;

/** Lines stand one behind the other in one buffer: many of them share a cache line and a system call. */
export class DatagramSink implements Sink {
  dropped = 0;
  private readonly reactor: Reactor;
  /** A connected datagram socket, or -1 when there is none. */
  private readonly open: () => number;
  /** Only a name in the file system may come to mean another socket. */
  private readonly reopens: boolean;
  private readonly batch = new DatagramBatch(BATCH_LINES);
  private fd = -1;
  private next_try_ms = 0;
  /** Held only while there are lines in it. */
  private buffer = -1;
  /** Bytes of it that are written. */
  private filled = 0;

  constructor(reactor: Reactor, open: () => number, reopens: boolean) {
    this.reactor = reactor;
    this.open = open;
    this.reopens = reopens;
    this.connect();
  }

  room(length: number): number {
    if (this.filled + length > SMALL_BYTES || this.batch.full) this.flush();
    const fits = this.filled + length <= SMALL_BYTES && !this.batch.full;
    if (fits && this.hasSocket() && this.hasBuffer()) return this.reactor.buffers.offsetOf(this.buffer) + this.filled;
    this.dropped++;
    return -1;
  }

  put(length: number): void {
    const { buffers } = this.reactor;
    this.batch.add(buffers.address + buffers.offsetOf(this.buffer) + this.filled, length);
    this.filled += length;
  }

  /** What the kernel does not take for now stays until the next time. */
  flush(): void {
    const { batch } = this;
    while (batch.count > 0) {
      const error = this.fd < 0 ? ENOTCONN : batch.send(this.fd);
      if (error === EAGAIN) return;
      if (error === 0 || error === EINTR) continue;
      this.lose(1); // a port that nobody listens at is told of once: the next line may go well
      if (this.reopens && isGone(error) && !this.reopen()) this.lose(batch.count);
    }
    if (this.buffer >= 0) this.reactor.buffers.release(this.buffer);
    this.buffer = -1;
    this.filled = 0;
  }

  private lose(lines: number): void {
    this.dropped += lines;
    this.batch.drop(lines);
  }

  private hasBuffer(): boolean {
    if (this.buffer < 0) this.buffer = this.reactor.buffers.takeSmall();
    return this.buffer >= 0;
  }

  private hasSocket(): boolean {
    if (this.fd < 0) this.connect();
    return this.fd >= 0;
  }

  /** The server of a unix socket that was started again has another one under the same name. */
  private reopen(): boolean {
    if (this.fd >= 0) libc.close(this.fd);
    this.fd = -1;
    this.connect();
    return this.fd >= 0;
  }

  private connect(): void {
    const { now_ms } = this.reactor;
    if (now_ms < this.next_try_ms) return;
    this.next_try_ms = now_ms + RETRY_MS;
    this.fd = this.open();
  }
}

function isGone(error: number): boolean {
  return error === ECONNREFUSED || error === ENOTCONN || error === ECONNRESET || error === EPIPE;
}

export class RingSink implements Sink {
  dropped = 0;
  private readonly reactor: Reactor;
  private readonly ring: LineRing;
  private readonly wake: () => void;
  /** Between `room` and `put`. */
  private buffer = -1;

  /** `wake` tells the control thread that there are lines; it is called only when the ring was empty. */
  constructor(reactor: Reactor, ring: LineRing, wake: () => void) {
    this.reactor = reactor;
    this.ring = ring;
    this.wake = wake;
  }

  room(): number {
    const { buffers } = this.reactor;
    this.buffer = buffers.takeSmall();
    if (this.buffer >= 0) return buffers.offsetOf(this.buffer);
    this.dropped++;
    return -1;
  }

  put(length: number): void {
    const { buffers } = this.reactor;
    const offset = buffers.offsetOf(this.buffer);
    if (!this.ring.put(buffers.bytes, offset, offset + length)) this.dropped++;
    else if (this.ring.announce()) this.wake();
    buffers.release(this.buffer);
    this.buffer = -1;
  }

  flush(): void {}
}
