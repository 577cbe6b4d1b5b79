/**
 * Where log lines go from a data thread: a datagram socket (syslog over UDP or a unix socket), or the ring that the control
 * thread prints from. A sink never waits: what it cannot take now is dropped and counted.
 */
import type { Reactor } from '../../reactor/reactor.ts';
import { NO_OWNER, type Socket } from '../../reactor/socket.ts';
import type { LineRing } from '../../threads/line-ring.ts';

export interface Sink {
  dropped: number;
  /** Takes over one reference of the buffer. */
  send(buffer: number, offset: number, length: number): void;
}

/** Datagrams that may wait for the kernel. */
const WAITING_LIMIT = 256;

export class DatagramSink implements Sink {
  dropped = 0;
  private readonly reactor: Reactor;
  private readonly socket: Socket | null;

  /** `fd`: a connected datagram socket, or -1 when there is none. */
  constructor(reactor: Reactor, fd: number) {
    this.reactor = reactor;
    this.socket = fd >= 0 ? reactor.adoptDatagram(NO_OWNER, fd) : null;
  }

  send(buffer: number, offset: number, length: number): void {
    if (this.socket && this.socket.queue_count < WAITING_LIMIT) {
      if (!this.socket.send(buffer, offset, length)) this.dropped++;
      return;
    }
    this.dropped++;
    this.reactor.buffers.release(buffer);
  }
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
