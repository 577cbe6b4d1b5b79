/**
 * A reactor, its peers, and what must be true at the end of every test.
 *
 *   test ── until(…) ──▶ reactor.pass ◀── loopback TCP ──▶ Peer: the same kernel sockets, driven by hand
 *
 * Peers never block: the test moves them between two passes, so that it decides who is slow.
 */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readdirSync } from 'node:fs';
import { LARGE_BYTES, SMALL_BYTES } from '#src/reactor/buffers.js';
import { EpollReactor } from '#src/reactor/epoll.js';
import type { Listener, ListenerOwner } from '#src/reactor/listener.js';
import type { Reactor } from '#src/reactor/reactor.js';
import { RingReactor, type RingSizes } from '#src/reactor/ring.js';
import { NO_OWNER, type Socket, type SocketOwner } from '#src/reactor/socket.js';
import { EFD_CLOEXEC, EFD_NONBLOCK } from '#src/system/abi/linux.js';
import * as libc from '#src/system/libc.js';
import { PATIENCE_MS } from '../helpers/patience.js';
import { closePeers, listenOnLoopback, type PeerOptions } from './peer.js';

export type Kind = 'ring' | 'epoll';
export const KINDS: readonly Kind[] = ['ring', 'epoll'];

const COUNTS = { small_count: 512, large_count: 32, reserve: 32, pipe_count: 8, socket_count: 64 };

export type RigOptions = Partial<typeof COUNTS> & { readonly sizes?: RingSizes };

export class Rig {
  readonly reactor: Reactor;
  readonly wake_fd: number;
  wakes = 0;
  passes = 0;
  private readonly descriptors: number;
  private readonly pipe_count: number;
  private listening: Listener[] = [];

  constructor(kind: Kind, options: RigOptions = {}) {
    closePeers(); // of a test that failed
    this.descriptors = countDescriptors();
    this.wake_fd = libc.eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    const { sizes, ...counts } = options;
    const all = { ...COUNTS, ...counts, wake_fd: this.wake_fd, onWake: () => this.wakes++ };
    this.pipe_count = all.pipe_count;
    this.reactor = kind === 'epoll' ? new EpollReactor(all) : new RingReactor(all, sizes);
    this.reactor.buffers.poison = true;
  }

  pass(wait_ms: number): void {
    this.passes++;
    this.reactor.pass(wait_ms);
  }

  /** Passes until `done`, which may move the peers, is true. Fails after some seconds with `what`. */
  until(what: string, done: () => boolean, patience_ms = PATIENCE_MS): void {
    const limit_ms = performance.now() + patience_ms;
    while (!done()) {
      assert.ok(performance.now() < limit_ms, `waited in vain until ${what}`);
      this.pass(2);
    }
  }

  /** How many passes fill `time_ms` when nothing happens and each may wait `wait_ms`: many mean that the loop spins. */
  passesWithin(time_ms: number, wait_ms: number): number {
    const before = this.passes;
    for (const limit_ms = performance.now() + time_ms; performance.now() < limit_ms; ) this.pass(wait_ms);
    return this.passes - before;
  }

  /** Listens on a loopback port of its own; every connection gets an owner from `ownerOf`. */
  listen(ownerOf: (socket: Socket) => SocketOwner, options: PeerOptions = {}): { port: number; listener: Listener } {
    const { fd, port } = listenOnLoopback(128, options);
    const listener = this.listenOn(fd, ownerOf);
    return { port, listener };
  }

  listenOn(fd: number, ownerOf: (socket: Socket) => SocketOwner): Listener {
    const owner: ListenerOwner = {
      accepts_singly: false,
      admit: () => true,
      revoke: () => {},
      onAccept: (_listener, socket) => ownerOf(socket),
      onReleased: (listener) => {
        this.listening = this.listening.filter((one) => one !== listener);
      },
    };
    const listener = this.reactor.listen(fd, owner);
    this.listening.push(listener);
    return listener;
  }

  /** False as soon as the listener is released. */
  knows(listener: Listener): boolean {
    return this.listening.includes(listener);
  }

  /** Releases a listener and closes its descriptor. */
  release(listener: Listener): void {
    listener.release();
    this.until('the listener is released', () => !this.knows(listener));
    libc.close(listener.fd);
  }

  /** Buffers that may still come to a socket after it reached its allowance. */
  get on_their_way(): number {
    return 8 + (this.reactor instanceof RingReactor ? this.reactor.burst_buffers : 0);
  }

  /** How many buffers are neither free nor lent to the kernel. */
  buffersAway(): { small: number; large: number } {
    const { buffers } = this.reactor;
    const provided = this.reactor instanceof RingReactor ? this.reactor.provided_count : 0;
    return {
      small: buffers.small_count - buffers.small_left - provided,
      large: buffers.large_count - buffers.large_left,
    };
  }

  /**
   * The last line of every test: buffers, slices, sockets, timers and descriptors are where they were before it.
   * With several rigs at once the last one made comes first.
   */
  everythingIsHome(): void {
    closePeers();
    for (const listener of this.listening) this.release(listener);
    this.until('all sockets are closed', () => this.reactor.socket_count === 0);
    assert.deepEqual(this.buffersAway(), { small: 0, large: 0 }, 'buffers are home');
    assert.equal(this.reactor.buffers.pipes.left, this.pipe_count, 'pipes are home');
    assert.equal(this.reactor.slices.left, this.reactor.slices.capacity, 'slices are home');
    assert.equal(this.reactor.timers.count, 0, 'timers are off the wheel');
    this.reactor.destroy();
    libc.close(this.wake_fd);
    assert.equal(countDescriptors(), this.descriptors, 'descriptors are home');
  }
}

export function countDescriptors(): number {
  return readdirSync('/proc/self/fd').length;
}

// ── owners ──────────────────────────────────────────────────────────────────────────────────────

/** Notes what it is told, gives every buffer back at once, and closes with the peer. */
export class Recorder implements SocketOwner {
  readonly digest = createHash('sha256');
  received = 0;
  connected: number | undefined;
  ended = false;
  error = 0;
  drained = 0;
  closed = 0;
  socket: Socket | undefined;

  onConnect(socket: Socket, error: number): void {
    this.socket = socket;
    this.connected = error;
  }
  onData(socket: Socket, buffer: number, offset: number, length: number): void {
    this.digest.update(socket.reactor.buffers.bytes.subarray(offset, offset + length));
    this.received += length;
    socket.reactor.buffers.release(buffer);
  }
  onEnd(socket: Socket): void {
    this.ended = true;
    socket.close();
  }
  onError(_socket: Socket, error: number): void {
    this.error = error;
  }
  onDrain(): void {
    this.drained++;
  }
  onClosed(): void {
    this.closed++;
  }
}

/** Sends back what it gets, and closes after its end. */
export const echo: SocketOwner = {
  ...NO_OWNER,
  onData: (socket, buffer, offset, length) => assert.ok(socket.send(buffer, offset, length)),
  onEnd: (socket) => {
    if (socket.idle) socket.close();
    else socket.notify_drain = true;
  },
  onDrain: (socket) => socket.close(),
};

/** One side of a pair: what its socket gets goes to the other one, data and end; both close when both have ended. */
export class Pipe implements SocketOwner {
  /** The most that its socket ever held of received buffers. */
  most_held = 0;
  private other: Socket | undefined;
  private other_generation = 0;

  leadTo(other: Socket): void {
    this.other = other;
    this.other_generation = other.generation;
  }

  onConnect(socket: Socket, error: number): void {
    if (error === 0) socket.receive();
    else this.closeOther();
  }
  onData(socket: Socket, buffer: number, offset: number, length: number): void {
    this.most_held = Math.max(this.most_held, socket.held);
    assert.ok(this.other?.send(buffer, offset, length));
  }
  onEnd(socket: Socket): void {
    this.other?.end();
    this.closeIfDone(socket);
  }
  onDrain(socket: Socket): void {
    this.closeIfDone(socket);
  }
  onError(): void {
    this.closeOther();
  }
  onClosed(): void {
    this.closeOther();
  }

  private closeIfDone(socket: Socket): void {
    const { other } = this;
    if (!other?.ended || !socket.ended) return;
    if (socket.idle && other.idle) socket.close();
    socket.notify_drain = !socket.idle;
    other.notify_drain = !other.idle;
  }
  private closeOther(): void {
    if (this.other?.generation === this.other_generation) this.other.close();
  }
}

// ── bytes ───────────────────────────────────────────────────────────────────────────────────────

/** `length` bytes that repeat nowhere within 4 GiB: every word differs, so that any swap shows in a hash. */
export function sequence(length: number, seed = 1): Uint8Array {
  const words = new Uint32Array(Math.ceil(length / 4));
  for (let index = 0; index < words.length; index++) words[index] = Math.imul(index, 0x9e3779b1) ^ seed;
  return new Uint8Array(words.buffer, 0, length);
}

export function sha256(...parts: readonly Uint8Array[]): string {
  const digest = createHash('sha256');
  for (const part of parts) digest.update(part);
  return digest.digest('hex');
}

/** Sends bytes through a socket in slices of small buffers. True when all of them found a buffer. */
export function sendBytes(socket: Socket, bytes: Uint8Array): boolean {
  const { buffers } = socket.reactor;
  const step = bytes.length > SMALL_BYTES ? LARGE_BYTES : SMALL_BYTES;
  for (let at = 0; at < bytes.length; at += step) {
    const part = bytes.subarray(at, at + step);
    const buffer = step === SMALL_BYTES ? buffers.takeSmall() : buffers.takeLarge();
    if (buffer < 0) return false;
    buffers.bytes.set(part, buffers.offsetOf(buffer));
    if (!socket.send(buffer, buffers.offsetOf(buffer), part.length)) return false;
  }
  return true;
}
