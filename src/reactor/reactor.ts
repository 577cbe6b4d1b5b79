/**
 * The loop of a data thread: sockets, buffers and timers over completions. What both back ends share is here; `ring.ts`
 * and `epoll.ts` say how an operation is begun and how its completion is learnt.
 *
 *   owner ── receive / send / end / close ──▶ Reactor ── begin… ──▶ ring | epoll ──▶ kernel
 *   owner ◀── onData / onDrain / onEnd / … ── Reactor ◀── …Completed ──┘
 */

import { ECANCELED, ECONNRESET, ENOBUFS, EPIPE } from '../system/abi/linux.ts';
import { monotonicOffset_ms } from '../system/clock.ts';
import * as libc from '../system/libc.ts';
import { Buffers, NO_BUFFER } from './buffers.ts';
import type { Listener, ListenerOwner } from './listener.ts';
import { Listeners } from './listeners.ts';
import type { ReactorOptions } from './options.ts';
import { NO_SLICE, Slices } from './slices.ts';
import { ALLOWANCE, CLOSING, FREE, NO_OWNER, OPEN, Socket, type SocketOwner } from './socket.ts';
import { leavesHandshake, type Manner, SocketOptions } from './socket-options.ts';
import { SpareSockets } from './spare-sockets.ts';
import { Stall } from './stall.ts';
import { Timers } from './timers.ts';
import { Unread } from './unread.ts';
import { WaitingSockets } from './waiting.ts';

/** Longest wait of one pass: the kernel's interfaces do not take Infinity. */
const MAX_WAIT_MS = 60_000;

export abstract class Reactor {
  abstract readonly kind: 'ring' | 'epoll';
  readonly buffers: Buffers;
  readonly slices: Slices;
  readonly timers: Timers;
  /** CLOCK_MONOTONIC in whole milliseconds, read once a pass. */
  now_ms = 0;
  /** Of the last accept or connect for which the system had no descriptor or memory (errno); whoever tells of it resets it. */
  shortage = 0;
  /** Sockets in use. */
  socket_count = 0;
  /** SOCK_NONBLOCK or 0: what the back end wants its sockets to be. */
  protected abstract readonly socket_flags: number;
  protected readonly options: ReactorOptions;
  protected readonly sockets: Socket[] = [];
  protected readonly listeners = new Listeners(this);
  private readonly free_slots: number[] = [];
  /** Heads wait apart from bulk, so that neither stands in the other's way. */
  private readonly waiting_heads: WaitingSockets;
  private readonly waiting_bulk: WaitingSockets;
  /** Sockets whose send failed and whose owner wants no more data: told in the next pass, not from within a call of the owner's. */
  private failed: Socket[] = [];
  private hurried = false;
  protected readonly socket_options = new SocketOptions();
  private readonly spare = new SpareSockets();
  private readonly clock_offset_ms: number;
  private readonly stall: Stall;
  protected readonly unread = new Unread(this);

  constructor(options: ReactorOptions) {
    this.options = options;
    this.buffers = new Buffers(options);
    this.buffers.onHome = (slot, weight) => this.bufferCameHome(slot, weight);
    this.slices = new Slices(4 * (options.small_count + options.large_count), this.buffers);
    this.waiting_heads = new WaitingSockets(options.socket_count);
    this.waiting_bulk = new WaitingSockets(options.socket_count);
    this.clock_offset_ms = monotonicOffset_ms();
    this.now_ms = this.readClock();
    this.timers = new Timers(this.now_ms);
    this.stall = new Stall(this.now_ms);
  }

  // ── for owners ────────────────────────────────────────────────────────────────────────────────

  /** Waits at most `wait_ms` for something to happen, and handles what did. */
  pass(wait_ms: number): void {
    if (this.failed.length > 0) this.reportFailed();
    const more_to_feed = this.feedWaiting();
    const more_to_accept = this.listeners.beginPass();
    const until_timer_ms = Math.min(this.timers.next_ms, this.unread.next_look_ms) - this.readClock();
    const busy = more_to_feed || more_to_accept || this.hurried || this.failed.length > 0;
    this.hurried = false;
    const waits_ms = busy ? 0 : Math.max(0, Math.min(wait_ms, until_timer_ms, MAX_WAIT_MS));
    const came = this.waitAndDispatch(waits_ms);
    this.now_ms = this.readClock();
    if (this.stall.listensFirst(this.now_ms, waits_ms, came)) return;
    this.timers.advance(this.now_ms);
    this.unread.look();
  }

  /**
   * Connects to the socket address at `address` (pinned memory, unchanged until the next pass). Slices may be queued at once.
   * Null: no slot or no descriptor left, or `prepare` refused it.
   */
  connect(
    owner: SocketOwner,
    family: number,
    address: number,
    address_length: number,
    manner: Manner = 'dialogue',
    prepare: ((fd: number) => boolean) | null = null,
  ): Socket | null {
    const any_would_do = prepare === null && leavesHandshake(manner);
    const fd = this.spare.open(family, this.socket_flags, any_would_do);
    if (fd < 0) {
      this.ranShort(libc.errno());
      return null;
    }
    const socket = prepare === null || prepare(fd) ? this.takeSlot(fd, owner) : null;
    if (!socket) {
      libc.close(fd);
      return null;
    }
    if (any_would_do) socket.family = family;
    socket.registered = this.spare.registered;
    this.socket_options.beforeConnect(socket, manner, !this.spare.used);
    socket.connecting = true;
    socket.in_flight++;
    this.beginConnect(socket, address, address_length);
    return socket;
  }

  /** The system had no descriptor or memory left (errno): what is kept in reserve goes back to it. */
  ranShort(error: number): void {
    this.shortage = error;
    this.spare.closeAll();
  }

  /** Accepts on a listening descriptor. */
  listen(fd: number, owner: ListenerOwner): Listener {
    return this.listeners.add(fd, owner);
  }

  /** The next wait takes no time: there is something to do after the pass. */
  hurry(): void {
    this.hurried = true;
  }

  forEachSocket(visit: (socket: Socket) => void): void {
    for (const socket of this.sockets) if (socket.state === OPEN) visit(socket);
  }

  /** Gives the reactor's own descriptors and memory back. Sockets must be closed before, listeners released. */
  destroy(): void {
    this.spare.destroy();
    this.socket_options.destroy();
    this.buffers.destroy();
  }

  // ── what a back end provides ──────────────────────────────────────────────────────────────────

  /** Returns how much came. */
  protected abstract waitAndDispatch(wait_ms: number): number;
  protected abstract adopt(socket: Socket): void;
  abstract adoptListener(listener: Listener): void;
  protected abstract beginReceive(socket: Socket): void;
  protected abstract cancelReceive(socket: Socket): void;
  abstract beginWatch(socket: Socket): void;
  protected abstract beginSend(socket: Socket, more: boolean): void;
  protected abstract beginConnect(socket: Socket, address: number, address_length: number): void;
  abstract beginAccept(listener: Listener): void;
  abstract cancelAccept(listener: Listener): void;
  protected abstract beginShutdown(socket: Socket): void;
  /** Makes what is in flight end soon. */
  protected abstract cancelAll(socket: Socket): void;
  /** Nothing is in flight any more. */
  abstract closeDescriptor(fd: number): void;
  /** Small buffers that nobody uses, those that lie ready with the kernel among them. */
  abstract get small_left(): number;
  /** How many receives would get a buffer if all of them began now. */
  protected abstract buffersReady(bulk: boolean): number;

  // ── receiving ─────────────────────────────────────────────────────────────────────────────────

  considerReceive(socket: Socket): void {
    if (!this.mayReceive(socket)) return;
    const waiting = this.waitingLike(socket);
    if (waiting.count === 0 && this.buffersReady(socket.bulk) > 0) this.armReceive(socket);
    else waiting.push(socket.slot);
  }

  private mayReceive(socket: Socket): boolean {
    if (!socket.wants_data || socket.armed || socket.ended || socket.full) return false;
    return socket.state === OPEN && !socket.connecting;
  }

  private waitingLike(socket: Socket): WaitingSockets {
    return socket.bulk ? this.waiting_bulk : this.waiting_heads;
  }

  private armReceive(socket: Socket): void {
    socket.armed = true;
    socket.in_flight++;
    this.beginReceive(socket);
  }

  /** True when the next pass can go on with it at once. */
  private feedWaiting(): boolean {
    if (this.waiting_heads.count + this.waiting_bulk.count === 0) return false;
    const fed_heads = this.feed(this.waiting_heads, false);
    const fed_bulk = this.feed(this.waiting_bulk, true);
    return (fed_heads && this.waiting_heads.count > 0) || (fed_bulk && this.waiting_bulk.count > 0);
  }

  /** No more than can get a buffer now: arming without one would spin. True when it armed some. */
  private feed(waiting: WaitingSockets, bulk: boolean): boolean {
    if (waiting.count === 0) return false;
    const ready = this.buffersReady(bulk);
    let left = ready;
    for (let looks = waiting.count; looks > 0 && left > 0; looks--) {
      const socket = this.sockets[waiting.shift()];
      if (socket.bulk !== bulk || !this.mayReceive(socket)) continue;
      left--;
      this.armReceive(socket);
    }
    return left < ready;
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
    if (socket.once && result > 0) {
      socket.once = false;
      socket.wants_data = false;
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
      if (socket.send_error !== 0 && result !== -ENOBUFS && result !== -ECANCELED) {
        this.fail(socket, socket.send_error);
      } else if (result === 0) {
        socket.ended = true;
        socket.owner.onEnd(socket);
      } else if (result === -ENOBUFS) {
        if (this.mayReceive(socket)) this.waitingLike(socket).push(socket.slot);
        this.unread.note(socket);
        return;
      } else if (result !== -ECANCELED) {
        this.fail(socket, -result);
      }
    }
    if (!more) this.receiveEnded(socket);
  }

  protected receiveEnded(socket: Socket): void {
    this.considerReceive(socket);
    this.unread.note(socket);
  }

  private receivedBytes(socket: Socket, buffer: number, length: number): void {
    const buffers = this.buffers;
    if (socket.splice_left > 0) socket.splice_left -= Math.min(socket.splice_left, length);
    buffers.charge(buffer, socket.slot);
    socket.held += buffers.weightOf(buffer);
    if (socket.held >= ALLOWANCE) {
      socket.full = true;
      if (socket.armed) this.stopReceive(socket);
    }
    socket.owner.onData(socket, buffer, buffers.offsetOf(buffer), length);
  }

  private bufferCameHome(slot: number, weight: number): void {
    const socket = this.sockets[slot];
    socket.held -= weight;
    if (socket.held > ALLOWANCE / 2) return;
    socket.full = false;
    if (socket.state !== FREE) this.considerReceive(socket);
    else if (socket.held === 0) this.free_slots.push(slot);
  }

  // ── sending ───────────────────────────────────────────────────────────────────────────────────

  send(socket: Socket, buffer: number, offset: number, length: number): boolean {
    if (socket.state !== OPEN || socket.send_error !== 0) {
      this.buffers.release(buffer);
      return true; // the owner is about to hear of the end of it
    }
    if (!socket.sending && socket.queue_head === NO_SLICE && !socket.connecting) {
      this.startSend(socket, buffer, offset, length);
      return true;
    }
    return this.slices.append(socket, buffer, offset, length);
  }

  private startSend(socket: Socket, buffer: number, offset: number, length: number): void {
    socket.sending = true;
    socket.send_buffer = buffer;
    socket.send_offset = offset;
    socket.send_length = length;
    this.continueSend(socket);
  }

  private continueSend(socket: Socket): void {
    if (socket.gathers) this.socket_options.beforeSend(socket);
    socket.in_flight++;
    this.beginSend(socket, socket.queue_head !== NO_SLICE || socket.ends_next);
  }

  /** `result`: bytes sent, or a negative errno. A short send is normal: the rest goes on. */
  protected sendCompleted(socket: Socket, result: number): void {
    socket.in_flight--;
    socket.progress_ms = this.now_ms;
    if (socket.state !== OPEN) {
      this.endSend(socket);
      this.considerClosed(socket);
      return;
    }
    if (result < 0) {
      this.endSend(socket);
      this.sendFailed(socket, -result);
      return;
    }
    if (result < socket.send_length) {
      socket.send_offset += result;
      socket.send_length -= result;
      this.continueSend(socket);
      return;
    }
    this.endSend(socket);
    this.sendNext(socket);
  }

  /** A peer that closed before it had read everything may have said why: that is read first. */
  private sendFailed(socket: Socket, error: number): void {
    if ((error !== EPIPE && error !== ECONNRESET) || socket.ended || !socket.wants_data) {
      this.fail(socket, error);
      return;
    }
    socket.send_error = error;
    this.slices.drop(socket);
    this.unread.note(socket); // or nobody would tell it
  }

  /** Its owner is told, if it did break: both ends may have said FIN, which looks the same from afar. */
  tellReset(socket: Socket): void {
    const error = socket.send_error || this.socket_options.errorOf(socket.fd);
    socket.broken = false;
    if (error !== 0) this.fail(socket, error);
  }

  reportLater(socket: Socket): void {
    this.failed.push(socket);
  }

  private reportFailed(): void {
    const { failed } = this;
    this.failed = [];
    for (const socket of failed) {
      if (socket.state === OPEN && socket.send_error !== 0 && !socket.wants_data) this.fail(socket, socket.send_error);
    }
  }

  private sendNext(socket: Socket): void {
    if (socket.queue_head !== NO_SLICE) {
      const { slices } = this;
      const node = slices.shift(socket);
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

  private endSend(socket: Socket): void {
    socket.sending = false;
    this.releaseSent(socket);
  }

  /** Also before the completion is told: the sooner a buffer is home, the likelier its memory is still in the cache. */
  protected releaseSent(socket: Socket): void {
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
    const { generation } = socket;
    socket.owner.onConnect(socket, result < 0 ? -result : 0);
    if (socket.generation !== generation) return; // closed in there, and the slot perhaps another connection's by now
    if (result < 0) {
      this.closeSocket(socket, false);
      return;
    }
    this.considerReceive(socket);
    if (socket.state === OPEN && !socket.sending) this.sendNext(socket);
  }

  /** @internal */
  adoptAccepted(listener: Listener, fd: number): boolean {
    const socket = this.takeSlot(fd, NO_OWNER);
    if (!socket) return false;
    this.adopt(socket);
    const { generation } = socket;
    const owner = listener.owner.onAccept(listener, socket);
    if (socket.generation === generation) socket.owner = owner;
    this.unread.note(socket);
    return true;
  }

  // ── closing ───────────────────────────────────────────────────────────────────────────────────

  closeSocket(socket: Socket, reset: boolean): void {
    if (socket.state !== OPEN) return;
    socket.state = CLOSING;
    this.slices.drop(socket);
    socket.resets = reset;
    if (socket.in_flight > 0) this.cancelAll(socket);
    else this.considerClosed(socket);
  }

  private fail(socket: Socket, error: number): void {
    const { generation } = socket;
    socket.owner.onError(socket, error);
    if (socket.generation === generation) this.closeSocket(socket, false);
  }

  /** A closing socket is gone when its last operation has come back: only then may the descriptor be reused. */
  protected considerClosed(socket: Socket): void {
    if (socket.state !== CLOSING || socket.in_flight > 0) return;
    this.endSend(socket);
    if (socket.resets) this.resetDescriptor(socket);
    else this.closeDescriptor(socket.fd);
    const owner = socket.owner;
    this.socket_count--;
    socket.fd = -1;
    socket.owner = NO_OWNER;
    socket.generation = (socket.generation + 1) & 0xffffff;
    owner.onClosed(socket); // may release its buffers and connect anew: the slot is free only after this
    socket.state = FREE;
    if (socket.held === 0) this.free_slots.push(socket.slot); // else with the last buffer that is charged to it
    this.listeners.descriptorCameBack();
  }

  private resetDescriptor({ fd, family, plain, registered }: Socket): void {
    if (!plain && this.spare.disconnect(fd, family, registered)) return;
    this.socket_options.resetOnClose(fd);
    this.closeDescriptor(fd);
  }

  private takeSlot(fd: number, owner: SocketOwner): Socket | null {
    let socket: Socket;
    const slot = this.free_slots.pop();
    if (slot !== undefined) socket = this.sockets[slot];
    else if (this.sockets.length < this.options.socket_count) {
      socket = new Socket(this, this.sockets.length);
      this.sockets.push(socket);
    } else return null;
    socket.begin(fd, owner);
    socket.progress_ms = this.now_ms;
    this.socket_count++;
    return socket;
  }

  protected readClock(): number {
    return Math.floor(performance.now() + this.clock_offset_ms);
  }
}
