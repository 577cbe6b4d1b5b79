/**
 * Where log lines go from a data thread: a datagram socket (syslog over UDP or a unix socket), or the ring that the control
 * thread prints from. A sink never waits: what it cannot take now is dropped and counted.
 */
import type { Reactor } from '../../reactor/reactor.ts';
import type { Socket, SocketOwner } from '../../reactor/socket.ts';
import { ECONNREFUSED, ECONNRESET, ENOTCONN, EPIPE } from '../../system/abi/linux.ts';
import type { LineRing } from '../../threads/line-ring.ts';

export interface Sink {
  dropped: number;
  /** Takes over one reference of the buffer. */
  send(buffer: number, offset: number, length: number): void;
}

/** Datagrams that may wait for the kernel. */
const WAITING_LIMIT = 256;
/** A server that is gone is looked for once in this time. */
const RETRY_MS = 1_000;

export class DatagramSink implements Sink, SocketOwner {
  dropped = 0;
  private readonly reactor: Reactor;
  /** A connected datagram socket, or -1 when there is none. */
  private readonly open: () => number;
  private socket: Socket | null = null;
  private next_try_ms = 0;

  /** Only a name in the file system may come to mean another socket. */
  private readonly reopens: boolean;

  constructor(reactor: Reactor, open: () => number, reopens: boolean) {
    this.reactor = reactor;
    this.open = open;
    this.reopens = reopens;
    this.connect();
  }

  send(buffer: number, offset: number, length: number): void {
    if (!this.socket) this.connect();
    if (this.socket && this.socket.queue_count < WAITING_LIMIT) {
      if (!this.socket.send(buffer, offset, length)) this.dropped++;
      return;
    }
    this.dropped++;
    this.reactor.buffers.release(buffer);
  }

  private connect(): void {
    const { now_ms } = this.reactor;
    if (now_ms < this.next_try_ms) return;
    this.next_try_ms = now_ms + RETRY_MS;
    const fd = this.open();
    if (fd >= 0) this.socket = this.reactor.adoptDatagram(this, fd);
  }

  /** A datagram was lost. The server of a unix socket that was started again has another one under the same name. */
  onError(socket: Socket, error: number): void {
    this.dropped++;
    const gone = error === ECONNREFUSED || error === ENOTCONN || error === ECONNRESET || error === EPIPE;
    if (!this.reopens || !gone || socket !== this.socket) return;
    this.socket = null;
    this.dropped += socket.queue_count;
    socket.close();
    this.connect();
  }

  onConnect(): void {}
  onData(_socket: Socket, buffer: number): void {
    this.reactor.buffers.release(buffer);
  }
  onEnd(): void {}
  onDrain(): void {}
  onClosed(): void {}
}

export class RingSink implements Sink {
  dropped = 0;
  private readonly reactor: Reactor;
  private readonly ring: LineRing;
  private readonly wake: () => void;

  /** `wake` tells the control thread that there are lines; it is called only when the ring was empty. */
  constructor(reactor: Reactor, ring: LineRing, wake: () => void) {
    this.reactor = reactor;
    this.ring = ring;
    this.wake = wake;
  }

  send(buffer: number, offset: number, length: number): void {
    const { buffers } = this.reactor;
    if (!this.ring.put(buffers.bytes, offset, offset + length)) this.dropped++;
    else if (this.ring.announce()) this.wake();
    buffers.release(buffer);
  }
}
