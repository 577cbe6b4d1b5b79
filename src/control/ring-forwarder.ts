/**
 * Sends the lines of a ring to one log server over TCP:
 *
 *   APART ── a line, or after a while ──▶ connecting ── connected ──▶ lines, as fast as it reads ── broken, stuck ──▶ APART
 *
 * Lines stay in the ring while the server is away; when it is back it gets what is left of them.
 */
import { connect, type Socket } from 'node:net';
import type { RingServer } from '../config/model.ts';
import type { LogRing } from './log-rings.ts';

/** Until it is looked for again. */
const RETRY_MS = 1_000;
/** Without a `timeout connect`. */
const CONNECT_MS = 5_000;
/** That may wait in the socket. */
const WAITING_BYTES = 64 * 1024;
const LINE_FEED = Uint8Array.of(10);

export class RingForwarder {
  private readonly ring: LogRing;
  private readonly server: RingServer;
  private socket: Socket | undefined;
  private connected = false;
  private closed = false;
  /** The number of the line that goes next. */
  private next: number;
  private timer: NodeJS.Timeout | undefined;

  constructor(ring: LogRing, server: RingServer) {
    this.ring = ring;
    this.server = server;
    this.next = ring.oldest;
  }

  /** There are lines. */
  wake(): void {
    if (this.socket === undefined) this.connect();
    else if (this.connected) this.pump();
  }

  private connect(): void {
    if (this.closed || this.timer !== undefined) return;
    const { address, port } = this.server.endpoint;
    const socket = connect({ host: address, port });
    this.socket = socket;
    socket.unref();
    socket.on('error', () => undefined); // `close` follows
    socket.on('close', () => this.lost());
    socket.on('drain', () => {
      this.disarm();
      this.pump();
    });
    socket.resume(); // what it says is nothing to us
    this.arm(this.ring.config.connect_ms ?? CONNECT_MS);
    socket.once('connect', () => {
      this.disarm();
      this.connected = true;
      this.pump();
    });
  }

  private pump(): void {
    const { ring } = this;
    const socket = this.socket as Socket;
    if (this.next < ring.oldest) {
      ring.dropped += ring.oldest - this.next;
      this.next = ring.oldest;
    }
    while (this.next < ring.count && socket.writableLength < WAITING_BYTES) {
      const line = ring.line(this.next++) as Uint8Array;
      socket.write(this.server.octet_count ? withCount(line) : Buffer.concat([line, LINE_FEED]));
    }
    const { server_ms } = ring.config;
    if (socket.writableNeedDrain && server_ms !== undefined && this.timer === undefined) this.arm(server_ms);
  }

  /** The connection, or the attempt, is over; another one follows when there is something to say. */
  private lost(): void {
    this.disarm();
    this.socket = undefined;
    this.connected = false;
    if (this.closed) return;
    this.timer = setTimeout(() => {
      this.timer = undefined;
      if (this.next < this.ring.count) this.connect();
    }, RETRY_MS).unref();
  }

  private arm(after_ms: number): void {
    this.timer = setTimeout(() => this.socket?.destroy(), after_ms).unref();
  }

  private disarm(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
  }

  close(): void {
    this.closed = true;
    this.disarm();
    if (this.connected) this.socket?.end();
    else this.socket?.destroy();
  }
}

/** RFC 6587, section 3.4.1. */
function withCount(line: Uint8Array): Uint8Array {
  return Buffer.concat([Buffer.from(`${line.length} `), line]);
}
