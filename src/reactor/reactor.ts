/**
 * The loop of a data thread: sockets, buffers and timers over completions. What both back ends share is here; `ring.ts`
 * and `epoll.ts` say how an operation is begun and how its completion is learnt.
 *
 *   owner ── receive / send / end / close ──▶ Reactor ── begin… ──▶ ring | epoll ──▶ kernel
 *   owner ◀── onData / onDrain / onEnd / … ── Reactor ◀── …Completed ──┘
 */

import {
  ECANCELED,
  EMFILE,
  ENFILE,
  ENOBUFS,
  ENOMEM,
  IPPROTO_TCP,
  SO_LINGER,
  SOCK_CLOEXEC,
  SOCK_STREAM,
  SOL_SOCKET,
  TCP_NODELAY,
} from '../system/abi/linux.ts';
import * as libc from '../system/libc.ts';
import { type BufferCounts, Buffers, NO_BUFFER } from './buffers.ts';
import { ACCEPT_BUDGET, ACCEPT_PAUSE_MS, Listener, type ListenerOwner } from './listener.ts';
import { NO_SLICE, Slices } from './slices.ts';
import { ALLOWANCE, CLOSING, FREE, NO_OWNER, OPEN, Socket, type SocketOwner } from './socket.ts';
import { Timers } from './timers.ts';

export type ReactorOptions = BufferCounts & {
  /** Sockets at once. */
  readonly socket_count: number;
  /** An eventfd; what is written to it ends a wait and calls `onWake`. The caller closes it. */
  readonly wake_fd: number;
  readonly onWake: () => void;
};

export const DEFAULT_COUNTS: BufferCounts & { socket_count: number } = {
  small_count: 8192,
  large_count: 512,
  reserve: 1024,
  socket_count: 65536,
};

/** Short slices are copied behind the queue's last one rather than sent by themselves. */
const COALESCE_BYTES = 512;
/** Slices that may wait at one socket; beyond it `send` refuses. */
const QUEUE_LIMIT = 4096;

export abstract class Reactor {
  abstract readonly kind: 'ring' | 'epoll';
  readonly buffers: Buffers;
  readonly slices: Slices;
  readonly timers: Timers;
  /** CLOCK_MONOTONIC in whole milliseconds, read once a pass. */
  now_ms = 0;
  /** Sockets in use. */
  socket_count = 0;
  /** SOCK_NONBLOCK or 0: what the back end wants its sockets to be. */
  protected abstract readonly socket_flags: number;
  protected readonly options: ReactorOptions;
  protected readonly sockets: Socket[] = [];
  protected readonly listeners: (Listener | null)[] = [];
  private readonly free_slots: number[] = [];
  private readonly starved: Socket[] = [];
  private readonly paused_listeners: Listener[] = [];
  private readonly linger = libc.allocatePinned(8);
  private readonly one = libc.allocatePinned(4);
  private readonly clock_offset_ms: number;
  private listener_generation = 0;

  constructor(options: ReactorOptions) {
    this.options = options;
    this.buffers = new Buffers(options);
    this.buffers.onHome = (slot, weight) => this.bufferCameHome(slot, weight);
    this.slices = new Slices(4 * (options.small_count + options.large_count));
    this.clock_offset_ms = Number(process.hrtime.bigint()) / 1e6 - performance.now();
    this.now_ms = this.readClock();
    this.timers = new Timers(this.now_ms);
    this.one.words[0] = 1;
    this.linger.words[0] = 1; // struct linger {on, 0 s}: close sends RST
  }

  // ── for owners ────────────────────────────────────────────────────────────────────────────────

  /** Waits at most `wait_ms` for something to happen, and handles what did. */
  pass(wait_ms: number): void {
    this.feedStarved();
    this.resumeListeners();
    const until_timer_ms = this.timers.next_ms - this.readClock();
    this.waitAndDispatch(Math.max(0, Math.min(wait_ms, until_timer_ms)));
    this.now_ms = this.readClock();
    this.timers.advance(this.now_ms);
  }

  /** Connects to the socket address at `address` (pinned memory). Slices may be queued at once. Null: no slot or no descriptor left. */
  connect(owner: SocketOwner, family: number, address: number, address_length: number): Socket | null {
    const fd = libc.socket(family, SOCK_STREAM | SOCK_CLOEXEC | this.socket_flags, 0);
    if (fd < 0) return null;
    const socket = this.takeSlot(fd, owner);
    if (!socket) {
      libc.close(fd);
      return null;
    }
    libc.setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, this.one.address, 4);
    socket.connecting = true;
    socket.in_flight++;
    this.beginConnect(socket, address, address_length);
    return socket;
  }

  /** A datagram socket that is connected already: each slice is one datagram, and a failed one is dropped. */
  adoptDatagram(owner: SocketOwner, fd: number): Socket | null {
    const socket = this.takeSlot(fd, owner);
    if (!socket) return null;
    socket.datagram = true;
    this.adopt(socket);
    return socket;
  }

  /** Accepts on a listening descriptor. */
  listen(fd: number, owner: ListenerOwner): Listener {
    const empty = this.listeners.indexOf(null);
    const number = empty >= 0 ? empty : this.listeners.length;
    const listener = new Listener(this, number, ++this.listener_generation, fd, owner);
    this.listeners[number] = listener;
    this.adoptListener(listener);
    this.considerAccept(listener);
    return listener;
  }

  /** Gives the reactor's own descriptors and memory back. Sockets must be closed before. */
  abstract destroy(): void;

  // ── what a back end provides ──────────────────────────────────────────────────────────────────

  protected abstract waitAndDispatch(wait_ms: number): void;
  protected abstract adopt(socket: Socket): void;
  protected abstract adoptListener(listener: Listener): void;
  protected abstract beginReceive(socket: Socket): void;
  protected abstract cancelReceive(socket: Socket): void;
  protected abstract beginSend(socket: Socket, more: boolean): void;
  protected abstract beginConnect(socket: Socket, address: number, address_length: number): void;
  protected abstract beginAccept(listener: Listener): void;
  protected abstract cancelAccept(listener: Listener): void;
  protected abstract beginShutdown(socket: Socket): void;
  /** Makes what is in flight end soon. */
  protected abstract cancelAll(socket: Socket): void;
  /** Nothing is in flight any more. */
  protected abstract closeDescriptor(fd: number): void;
  /** How many receives could get a buffer now. */
  protected abstract buffersReady(bulk: boolean): number;

  // ── receiving ─────────────────────────────────────────────────────────────────────────────────

  considerReceive(socket: Socket): void {
    if (!socket.wants_data || socket.armed || socket.ended || socket.starved) return;
    if (socket.state !== OPEN || socket.connecting || socket.held >= ALLOWANCE) return;
    if (this.starved.length === 0 && this.buffersReady(socket.bulk) > 0) this.armReceive(socket);
    else this.starve(socket);
  }

  private armReceive(socket: Socket): void {
    socket.armed = true;
    socket.in_flight++;
    this.beginReceive(socket);
  }

  private starve(socket: Socket): void {
    if (socket.starved) return;
    socket.starved = true;
    this.starved.push(socket);
  }

  stopReceive(socket: Socket): void {
    if (socket.cancelling) return;
    socket.cancelling = true;
    this.cancelReceive(socket);
  }

  /** `result`: bytes, 0 for the end, or a negative errno. `more`: the operation stays armed. */
  protected receiveCompleted(socket: Socket, result: number, buffer: number, more: boolean): void {
    if (!more) {
      socket.armed = false;
      socket.cancelling = false;
      socket.in_flight--;
    }
    if (socket.state !== OPEN) {
      if (buffer !== NO_BUFFER) this.buffers.release(buffer);
      this.considerClosed(socket);
      return;
    }
    if (result > 0) {
      this.receivedBytes(socket, buffer, result);
    } else {
      if (buffer !== NO_BUFFER) this.buffers.release(buffer);
      if (result === 0) {
        socket.ended = true;
        socket.owner.onEnd(socket);
      } else if (result === -ENOBUFS) {
        this.starve(socket);
        return;
      } else if (result !== -ECANCELED) {
        this.fail(socket, -result);
      }
    }
    if (!more) this.considerReceive(socket);
  }

  private receivedBytes(socket: Socket, buffer: number, length: number): void {
    const buffers = this.buffers;
    buffers.charge(buffer, socket.slot);
    socket.held += buffers.weightOf(buffer);
    if (socket.armed && (socket.held >= ALLOWANCE || (socket.bulk && buffers.small_left < buffers.reserve))) {
      this.stopReceive(socket);
    }
    socket.owner.onData(socket, buffer, buffers.offsetOf(buffer), length);
  }

  private bufferCameHome(slot: number, weight: number): void {
    const socket = this.sockets[slot];
    socket.held -= weight;
    if (socket.state === FREE) {
      if (socket.held === 0) this.free_slots.push(slot);
      return;
    }
    if (socket.wants_data && !socket.armed && socket.held <= ALLOWANCE / 2) this.considerReceive(socket);
  }

  /** First come, first served, and no more than can get a buffer now: arming without one would spin. */
  private feedStarved(): void {
    const waiting = this.starved.length;
    if (waiting === 0) return;
    let small = this.buffersReady(false);
    let bulk = this.buffersReady(true);
    let kept = 0;
    for (let index = 0; index < waiting; index++) {
      const socket = this.starved[index];
      const wanted = socket.starved && socket.state === OPEN && socket.wants_data && !socket.armed && !socket.ended;
      if (wanted && (socket.bulk ? bulk : small) <= 0) {
        this.starved[kept++] = socket;
        continue;
      }
      socket.starved = false;
      if (!wanted || socket.held >= ALLOWANCE) continue;
      if (socket.bulk) bulk--;
      else small--;
      this.armReceive(socket);
    }
    this.starved.length = kept;
  }

  // ── sending ───────────────────────────────────────────────────────────────────────────────────

  send(socket: Socket, buffer: number, offset: number, length: number): boolean {
    if (socket.state !== OPEN) {
      this.buffers.release(buffer);
      return true; // the owner is about to hear of the end of it
    }
    if (socket.send_buffer < 0 && socket.queue_head === NO_SLICE && !socket.connecting) {
      this.startSend(socket, buffer, offset, length);
      return true;
    }
    if (this.appendToTail(socket, buffer, offset, length)) return true;
    const node = socket.queue_count < QUEUE_LIMIT ? this.slices.take(buffer, offset, length) : NO_SLICE;
    if (node === NO_SLICE) {
      this.buffers.release(buffer);
      return false;
    }
    if (socket.queue_tail === NO_SLICE) socket.queue_head = node;
    else this.slices.next[socket.queue_tail] = node;
    socket.queue_tail = node;
    socket.queue_count++;
    return true;
  }

  /** Merges a slice with the queue's last one where they touch, or copies a short one behind it. */
  private appendToTail(socket: Socket, buffer: number, offset: number, length: number): boolean {
    const { slices, buffers } = this;
    const tail = socket.queue_tail;
    if (tail === NO_SLICE || socket.datagram) return false;
    const tail_buffer = slices.buffer[tail];
    const tail_end = slices.offset[tail] + slices.length[tail];
    if (tail_buffer === buffer && tail_end === offset) {
      slices.length[tail] += length;
      buffers.release(buffer);
      return true;
    }
    if (length > COALESCE_BYTES || buffers.isShared(tail_buffer)) return false;
    if (tail_end + length > buffers.offsetOf(tail_buffer) + buffers.sizeOf(tail_buffer)) return false;
    buffers.bytes.copyWithin(tail_end, offset, offset + length);
    slices.length[tail] += length;
    buffers.release(buffer);
    return true;
  }

  private startSend(socket: Socket, buffer: number, offset: number, length: number): void {
    socket.send_buffer = buffer;
    socket.send_offset = offset;
    socket.send_length = length;
    socket.in_flight++;
    this.beginSend(socket, socket.queue_head !== NO_SLICE);
  }

  /** `result`: bytes sent, or a negative errno. A short send is normal: the rest goes on. */
  protected sendCompleted(socket: Socket, result: number): void {
    socket.in_flight--;
    if (socket.state !== OPEN) {
      this.releaseSend(socket);
      this.considerClosed(socket);
      return;
    }
    if (result < 0 && !socket.datagram) {
      this.releaseSend(socket);
      this.fail(socket, -result);
      return;
    }
    if (result >= 0 && result < socket.send_length && !socket.datagram) {
      socket.send_offset += result;
      socket.send_length -= result;
      socket.in_flight++;
      this.beginSend(socket, socket.queue_head !== NO_SLICE);
      return;
    }
    this.releaseSend(socket);
    this.sendNext(socket);
  }

  private sendNext(socket: Socket): void {
    const node = socket.queue_head;
    if (node !== NO_SLICE) {
      const { slices } = this;
      socket.queue_head = slices.next[node];
      if (socket.queue_head === NO_SLICE) socket.queue_tail = NO_SLICE;
      socket.queue_count--;
      this.startSend(socket, slices.buffer[node], slices.offset[node], slices.length[node]);
      slices.put(node);
      return;
    }
    if (socket.notify_drain) {
      socket.notify_drain = false;
      socket.owner.onDrain(socket);
    }
    this.considerEnd(socket);
  }

  private releaseSend(socket: Socket): void {
    const buffer = socket.send_buffer;
    socket.send_buffer = -1;
    if (buffer >= 0) this.buffers.release(buffer);
  }

  considerEnd(socket: Socket): void {
    if (!socket.wants_end || socket.end_sent || socket.state !== OPEN || socket.connecting) return;
    if (!socket.idle) return;
    socket.end_sent = true;
    this.beginShutdown(socket);
  }

  // ── connecting and accepting ──────────────────────────────────────────────────────────────────

  protected connectCompleted(socket: Socket, result: number): void {
    socket.in_flight--;
    socket.connecting = false;
    if (socket.state !== OPEN) {
      this.considerClosed(socket);
      return;
    }
    socket.owner.onConnect(socket, -result);
    if (result < 0) {
      this.closeSocket(socket, false);
      return;
    }
    this.considerReceive(socket);
    if (socket.state === OPEN && socket.send_buffer < 0) this.sendNext(socket);
  }

  considerAccept(listener: Listener): void {
    if (!listener.wants_accept || listener.armed || listener.releasing) return;
    if (listener.retry.deadline_ms !== Number.POSITIVE_INFINITY) return;
    listener.armed = true;
    this.beginAccept(listener);
  }

  stopAccept(listener: Listener): void {
    if (listener.cancelling) return;
    listener.cancelling = true;
    this.cancelAccept(listener);
  }

  /** `result`: a descriptor or a negative errno. */
  protected acceptCompleted(listener: Listener, result: number, more: boolean): void {
    if (!more) {
      listener.armed = false;
      listener.cancelling = false;
    }
    if (result >= 0) this.accepted(listener, result);
    else if (isOutOfDescriptors(-result)) this.pauseAccepting(listener);
    if (listener.armed) return;
    if (listener.releasing) this.forgetListener(listener);
    else if (listener.accepted_this_pass >= ACCEPT_BUDGET) this.paused_listeners.push(listener);
    else this.considerAccept(listener);
  }

  private accepted(listener: Listener, fd: number): void {
    const socket = this.takeSlot(fd, NO_OWNER);
    if (!socket) {
      this.closeDescriptor(fd);
      this.pauseAccepting(listener);
      return;
    }
    if (++listener.accepted_this_pass >= ACCEPT_BUDGET && listener.armed) {
      this.stopAccept(listener);
      if (!this.paused_listeners.includes(listener)) this.paused_listeners.push(listener);
    }
    this.adopt(socket);
    socket.owner = listener.owner.onAccept(listener, socket);
  }

  private pauseAccepting(listener: Listener): void {
    if (listener.armed) this.stopAccept(listener);
    this.timers.arm(listener.retry, this.now_ms + ACCEPT_PAUSE_MS);
  }

  private resumeListeners(): void {
    const { listeners, paused_listeners } = this;
    for (let index = 0; index < listeners.length; index++) {
      const listener = listeners[index];
      if (listener) listener.accepted_this_pass = 0;
    }
    if (paused_listeners.length === 0) return;
    for (const listener of paused_listeners.splice(0)) this.considerAccept(listener);
  }

  forgetListener(listener: Listener): void {
    if (this.listeners[listener.number] !== listener) return;
    this.listeners[listener.number] = null;
    listener.owner.onReleased(listener);
  }

  // ── closing ───────────────────────────────────────────────────────────────────────────────────

  closeSocket(socket: Socket, reset: boolean): void {
    if (socket.state !== OPEN) return;
    socket.state = CLOSING;
    this.dropQueue(socket);
    if (reset) libc.setsockopt(socket.fd, SOL_SOCKET, SO_LINGER, this.linger.address, 8);
    if (socket.in_flight > 0) this.cancelAll(socket);
    else this.considerClosed(socket);
  }

  private fail(socket: Socket, error: number): void {
    socket.owner.onError(socket, error);
    this.closeSocket(socket, false);
  }

  private dropQueue(socket: Socket): void {
    const { slices } = this;
    for (let node = socket.queue_head; node !== NO_SLICE; ) {
      const next = slices.next[node];
      this.buffers.release(slices.buffer[node]);
      slices.put(node);
      node = next;
    }
    socket.queue_head = NO_SLICE;
    socket.queue_tail = NO_SLICE;
    socket.queue_count = 0;
  }

  /** A closing socket is gone when its last operation has come back: only then may the descriptor be reused. */
  protected considerClosed(socket: Socket): void {
    if (socket.state !== CLOSING || socket.in_flight > 0) return;
    this.releaseSend(socket);
    this.closeDescriptor(socket.fd);
    const owner = socket.owner;
    this.socket_count--;
    socket.state = FREE;
    socket.fd = -1;
    socket.generation = (socket.generation + 1) & 0xffffff;
    owner.onClosed(socket);
    socket.owner = NO_OWNER;
    if (socket.held === 0) this.free_slots.push(socket.slot); // else with the last buffer that is charged to it
    this.descriptorCameBack();
  }

  private descriptorCameBack(): void {
    const { listeners } = this;
    for (let index = 0; index < listeners.length; index++) {
      const listener = listeners[index];
      if (listener && listener.retry.deadline_ms !== Number.POSITIVE_INFINITY) {
        this.timers.disarm(listener.retry);
        this.considerAccept(listener);
      }
    }
  }

  private takeSlot(fd: number, owner: SocketOwner): Socket | null {
    let socket: Socket;
    const slot = this.free_slots.pop();
    if (slot !== undefined) socket = this.sockets[slot];
    else if (this.sockets.length < this.options.socket_count) {
      socket = new Socket(this, this.sockets.length);
      this.sockets.push(socket);
    } else return null;
    socket.fd = fd;
    socket.owner = owner;
    socket.state = OPEN;
    socket.in_flight = 0;
    socket.connecting = false;
    socket.datagram = false;
    socket.wants_data = false;
    socket.bulk = false;
    socket.armed = false;
    socket.cancelling = false;
    socket.starved = false;
    socket.ended = false;
    socket.send_buffer = -1;
    socket.notify_drain = false;
    socket.wants_end = false;
    socket.end_sent = false;
    socket.readable = false;
    socket.writable = false;
    socket.hung_up = false;
    socket.connect_error = 0;
    this.socket_count++;
    return socket;
  }

  protected readClock(): number {
    return Math.floor(performance.now() + this.clock_offset_ms);
  }
}

function isOutOfDescriptors(error: number): boolean {
  return error === EMFILE || error === ENFILE || error === ENOMEM || error === ENOBUFS;
}
