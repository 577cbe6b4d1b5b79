/**
 * The io_uring back end: multishot accept and receive into provided buffers, one `io_uring_enter` per batch.
 * Bulk is different: the ring tells when bytes are there, and plain calls move them through one large buffer while it is
 * warm; a ring of large buffers would walk through more memory than the cache holds.
 *
 *   user_data = slot (low word), operation:4 | generation:24 (high word)
 *
 * Needs Linux 6.1 (SINGLE_ISSUER with DEFER_TASKRUN); older or forbidding systems get epoll.
 */

import {
  EAGAIN,
  EBADF,
  ECANCELED,
  EINTR,
  ENOBUFS,
  F_GETFL,
  F_SETFL,
  MSG_DONTWAIT,
  MSG_MORE,
  MSG_NOSIGNAL,
  O_NONBLOCK,
  SHUT_WR,
} from '../system/abi/linux.ts';
import * as libc from '../system/libc.ts';
import { NO_BUFFER, SMALL_BYTES } from './buffers.ts';
import type { Listener } from './listener.ts';
import type { ReactorOptions } from './options.ts';
import { Reactor } from './reactor.ts';
import { type ProvidedBuffers, RingMemory } from './ring-memory.ts';
import { sendNow } from './send-now.ts';
import { FREE, OPEN, type Socket } from './socket.ts';

const OP_POLL_ADD = 6;
const OP_ACCEPT = 13;
const OP_ASYNC_CANCEL = 14;
const OP_CONNECT = 16;
const OP_CLOSE = 19;
const OP_SEND = 26;
const OP_RECV = 27;

const SQE_BUFFER_SELECT = 1 << 5;
const SQE_CQE_SKIP_SUCCESS = 1 << 6;
const RECV_MULTISHOT = 1 << 1;
const ACCEPT_MULTISHOT = 1;
const POLL_MULTISHOT = 1;
const POLLIN = 1;
const POLLOUT = 4;
const POLLERR = 8;
const POLLHUP = 0x10;
const POLLRDHUP = 0x2000;
const CQE_BUFFER = 1;
const CQE_MORE = 2;

/** Our own numbers for operations, in user_data. */
const RECEIVE = 1;
const SEND = 2;
const CONNECT = 3;
const ACCEPT = 4;
const WAKE = 5;
const READABLE = 6;
const WRITABLE = 7;
const SILENT = 8; // only failures of it are reported, and they do not matter
const WATCH = 9;

const SMALL_GROUP = 0;
/** Few buffers lie with the kernel, so that the same memory is used again while it is in the cache. */
const SMALL_RING = 256;

/** Where the kernel can (6.17), a multishot receive ends after so many bytes. */
const BURST_BUFFERS = 4;

export type RingSizes = {
  /** Operations that may be prepared before the kernel must take them. */
  readonly entries: number;
  /** Completions that fit before the kernel must put them by. */
  readonly completion_entries: number;
  /** Completions handled before the next submission. */
  readonly pass_budget: number;
};
const SIZES: RingSizes = { entries: 1024, completion_entries: 4096, pass_budget: 1024 };

export class RingReactor extends Reactor {
  readonly kind = 'ring';
  protected override readonly socket_flags = 0; // io_uring answers EAGAIN for non-blocking ones instead of waiting
  private readonly ring: RingMemory;
  private readonly small: ProvidedBuffers;
  /** Sockets whose large slice was sent at once; those of the last round. */
  private sent: Socket[] = [];
  private telling: Socket[] = [];
  private readonly pass_budget: number;
  /** Buffers that one receive may fill before a cancel of it is heard. */
  readonly burst_buffers: number;
  private readonly wake_word = libc.allocatePinned(8);

  /** Throws RingRefused with the reason when the kernel does not give us what we need. */
  constructor(options: ReactorOptions, sizes = SIZES) {
    super(options);
    this.pass_budget = sizes.pass_budget;
    try {
      this.ring = new RingMemory(sizes.entries, sizes.completion_entries);
      this.small = this.ring.provideBuffers(SMALL_GROUP, SMALL_RING);
      this.ring.probe();
    } catch (error) {
      this.giveMemoryBack();
      throw error;
    }
    this.burst_buffers = this.endsBursts() ? BURST_BUFFERS : SMALL_RING;
    this.refill();
    this.armWake();
  }

  override destroy(): void {
    this.ring.enter(0, 0); // closes of the last pass
    this.ring.destroy();
    this.giveMemoryBack();
  }

  /** A receive that must fail: older kernels refuse the limit itself (EINVAL), newer ones come as far as the descriptor. */
  private endsBursts(): boolean {
    const { ring } = this;
    const word = ring.prepare(OP_RECV, -1, 0, 0, 0, SILENT);
    this.makeMultishot(word, BURST_BUFFERS);
    ring.enter(1, 1000);
    const result = ring.words[ring.cqe_first + (ring.completions_begin & ring.cq_mask) * 4 + 2];
    ring.completions_begin = ring.completions_end;
    return result === -EBADF;
  }

  private giveMemoryBack(): void {
    libc.munmap(this.wake_word.address, 8);
    super.destroy();
  }

  override get small_left(): number {
    return this.small.count + this.buffers.small_left;
  }

  /** Buffers that lie with the kernel: at home, as far as owners are concerned. */
  get provided_count(): number {
    return this.small.count;
  }

  protected override waitAndDispatch(wait_ms: number): number {
    const { ring } = this;
    this.refill();
    const idle = wait_ms > 0 && this.sent.length === 0 && ring.completions_begin === ring.completions_end;
    ring.enter(idle ? 1 : 0, wait_ms);
    this.now_ms = this.readClock();
    const first = ring.completions_begin;
    let head = first;
    const tail = ring.completions_end;
    const { words, cqe_first, cq_mask } = ring;
    for (let budget = this.pass_budget; head !== tail && budget > 0; budget--) {
      const word = cqe_first + (head & cq_mask) * 4;
      head = (head + 1) | 0;
      this.dispatch(words[word], words[word + 1], words[word + 2], words[word + 3]);
    }
    ring.completions_begin = head;
    const sent = this.sent.length;
    this.tellSent();
    return ((head - first) | 0) + sent;
  }

  private dispatch(slot: number, data_high: number, result: number, flags: number): void {
    const generation = data_high >>> 4;
    const more = (flags & CQE_MORE) !== 0;
    switch (data_high & 15) {
      case RECEIVE: {
        const socket = this.sockets[slot];
        this.assertCurrent(socket, generation);
        const buffer = (flags & CQE_BUFFER) !== 0 ? flags >>> 16 : NO_BUFFER;
        if (buffer !== NO_BUFFER) this.small.count--;
        this.noticeStream(socket, result, more);
        this.receiveCompleted(socket, result === -EAGAIN ? -ECANCELED : result, buffer, more); // it became plain meanwhile
        return;
      }
      case READABLE:
        this.assertCurrent(this.sockets[slot], generation);
        this.receivePolled(this.sockets[slot], result);
        return;
      case WATCH:
        this.assertCurrent(this.sockets[slot], generation);
        this.watchSpoke(this.sockets[slot], result, more);
        return;
      case SEND:
        this.assertCurrent(this.sockets[slot], generation);
        this.sendCompleted(this.sockets[slot], result === -EAGAIN ? 0 : result);
        return;
      case WRITABLE:
        this.assertCurrent(this.sockets[slot], generation);
        this.sendPolled(this.sockets[slot]);
        return;
      case CONNECT:
        this.assertCurrent(this.sockets[slot], generation);
        this.connectCompleted(this.sockets[slot], result);
        return;
      case ACCEPT: {
        const listener = this.listeners.at(slot);
        if (listener && (listener.generation & 0xffffff) === generation)
          this.listeners.acceptCompleted(listener, result, more);
        else if (result >= 0) this.closeDescriptor(result);
        return;
      }
      case WAKE:
        if (result < 0) throw new Error(`waiting for a wake-up: ${libc.errnoName(-result)}`);
        libc.read(this.options.wake_fd, this.wake_word.address, 8);
        this.armWake();
        this.options.onWake();
        return;
      default:
        return;
    }
  }

  /**
   * A multishot receive of a fast sender may fill all the buffers that lie with the kernel before we hear of the first one. So who fills a whole buffer gets them one by one, until a receive comes back short.
   */
  private noticeStream(socket: Socket, result: number, more: boolean): void {
    if (result <= 0 || socket.bulk) return;
    socket.streaming = result === SMALL_BYTES;
    if (socket.streaming && more) this.stopReceive(socket);
  }

  /** A socket's slot stays its own until its last completion: anything else is a mistake of ours. */
  private assertCurrent(socket: Socket, generation: number): void {
    if (socket.state === FREE || socket.generation !== generation) {
      throw new Error(`a completion for slot ${socket.slot} came after its socket was gone`);
    }
  }

  // ── operations ────────────────────────────────────────────────────────────────────────────────

  protected override adopt(): void {}

  override adoptListener(): void {}

  protected override beginReceive(socket: Socket): void {
    if (socket.plain && !socket.bulk && !socket.sending) this.leaveToRing(socket);
    if (socket.bulk || socket.plain) {
      this.poll(socket, READABLE, POLLIN | POLLRDHUP);
      socket.polled = true;
      return;
    }
    socket.polled = false;
    const word = this.ring.prepare(OP_RECV, socket.fd, 0, 0, socket.slot, RECEIVE | (socket.generation << 4));
    if (socket.streaming || socket.once) this.ring.sqe_byte[word * 4 + 1] = SQE_BUFFER_SELECT;
    else this.makeMultishot(word, this.burst_buffers);
  }

  private poll(socket: Socket, operation: number, events: number): number {
    const data_high = operation | (socket.generation << 4);
    const word = this.ring.prepare(OP_POLL_ADD, socket.fd, 0, 0, socket.slot, data_high);
    this.ring.sqe[word + 7] = events;
    return word;
  }

  /** Bytes are there: a plain call takes them into a pipe, or into the large buffer that was used last and is still in the cache. */
  private receivePolled(socket: Socket, poll_result: number): void {
    const { buffers } = this;
    if (poll_result < 0 || socket.state !== OPEN) {
      this.receiveCompleted(socket, -ECANCELED, NO_BUFFER, false);
      return;
    }
    if (socket.splice_left > 0 && socket.bulk) {
      this.makePlain(socket);
      const result = buffers.fillPipe(socket.fd, socket.splice_left);
      if (result > 0) {
        this.receiveCompleted(socket, result, buffers.filled, false);
        return;
      }
      if (result < 0) {
        this.receiveCompleted(socket, result, NO_BUFFER, false);
        return;
      }
    }
    const buffer = socket.bulk ? buffers.takeBulk() : buffers.takeSmall();
    if (buffer === NO_BUFFER) {
      this.receiveCompleted(socket, -ENOBUFS, NO_BUFFER, false);
      return;
    }
    const address = buffers.address + buffers.offsetOf(buffer);
    const result = libc.recv(socket.fd, address, buffers.sizeOf(buffer), MSG_DONTWAIT);
    if (result >= 0) {
      this.receiveCompleted(socket, result, buffer, false);
      return;
    }
    const error = libc.errno();
    buffers.release(buffer);
    this.receiveCompleted(socket, error === EAGAIN || error === EINTR ? -ECANCELED : -error, NO_BUFFER, false);
  }

  private makeMultishot(word: number, buffers: number): void {
    this.ring.sqe_byte[word * 4 + 1] = SQE_BUFFER_SELECT;
    this.ring.sqe_half[word * 2 + 1] = RECV_MULTISHOT;
    this.ring.sqe[word + 11] = buffers === SMALL_RING ? 0 : buffers * SMALL_BYTES;
  }

  protected override cancelReceive(socket: Socket): void {
    this.cancel(socket.slot, (socket.polled ? READABLE : RECEIVE) | (socket.generation << 4));
  }

  /** Errors and hang-ups are told without being asked for. So is FIN, which would end a poll of one shot. */
  override beginWatch(socket: Socket): void {
    socket.watching = true;
    socket.in_flight++;
    const word = this.poll(socket, WATCH, 0);
    this.ring.sqe[word + 6] = POLL_MULTISHOT;
  }

  private watchSpoke(socket: Socket, result: number, more: boolean): void {
    if (!more) {
      socket.watching = false;
      socket.in_flight--;
      this.unread.note(socket);
    }
    if (socket.state !== OPEN) this.considerClosed(socket);
    else if (result > 0 && (result & (POLLERR | POLLHUP)) !== 0) this.unread.hearReset(socket);
  }

  protected override beginSend(socket: Socket, more: boolean): void {
    const in_pipe = this.buffers.pipeOf(socket.send_buffer) >= 0;
    if (in_pipe) this.makePlain(socket);
    if ((socket.plain || socket.send_length > SMALL_BYTES) && this.sendAtOnce(socket, more)) return;
    if (socket.plain) {
      socket.send_more = more;
      this.poll(socket, WRITABLE, POLLOUT);
      return;
    }
    const address = this.buffers.address + socket.send_offset;
    const data_high = SEND | (socket.generation << 4);
    const word = this.ring.prepare(OP_SEND, socket.fd, address, socket.send_length, socket.slot, data_high);
    this.ring.sqe[word + 7] = more ? MSG_NOSIGNAL | MSG_MORE : MSG_NOSIGNAL;
  }

  /** The same for sending. What the kernel does not take now is left to the ring (false). */
  private sendAtOnce(socket: Socket, more: boolean): boolean {
    const result = sendNow(this.buffers, socket, more);
    if (result < 0) return false; // and why, the next try is told
    if (result < socket.send_length) {
      socket.send_offset += result;
      socket.send_length -= result;
      return false;
    }
    this.releaseSent(socket);
    this.sent.push(socket);
    return true;
  }

  /** The descriptor takes something again, or is broken. */
  private sendPolled(socket: Socket): void {
    const result = socket.state === OPEN ? sendNow(this.buffers, socket, socket.send_more) : 0;
    if (result >= 0) {
      this.sendCompleted(socket, result);
      return;
    }
    const error = libc.errno();
    this.sendCompleted(socket, error === EAGAIN || error === EINTR ? 0 : -error);
  }

  /** From now on plain calls and polls serve it. What the ring has begun goes on. */
  private makePlain(socket: Socket): void {
    if (socket.plain) return;
    socket.plain = true;
    libc.fcntl(socket.fd, F_SETFL, libc.fcntl(socket.fd, F_GETFL, 0) | O_NONBLOCK);
  }

  private leaveToRing(socket: Socket): void {
    socket.plain = false;
    libc.fcntl(socket.fd, F_SETFL, libc.fcntl(socket.fd, F_GETFL, 0) & ~O_NONBLOCK);
  }

  /** Completions of sends that were made at once, told when their owners expect them: not from within their own call. */
  private tellSent(): void {
    const round = this.sent;
    if (round.length === 0) return;
    this.sent = this.telling;
    this.telling = round;
    for (let index = 0; index < round.length; index++) this.sendCompleted(round[index], round[index].send_length);
    round.length = 0;
  }

  protected override beginConnect(socket: Socket, address: number, address_length: number): void {
    const data_high = CONNECT | (socket.generation << 4);
    const word = this.ring.prepare(OP_CONNECT, socket.fd, address, 0, socket.slot, data_high);
    this.ring.sqe[word + 2] = address_length;
  }

  override beginAccept(listener: Listener): void {
    const data_high = ACCEPT | ((listener.generation & 0xffffff) << 4);
    const word = this.ring.prepare(OP_ACCEPT, listener.fd, 0, 0, listener.number, data_high);
    listener.armed_for_many = !listener.owner.accepts_singly;
    this.ring.sqe_half[word * 2 + 1] = listener.armed_for_many ? ACCEPT_MULTISHOT : 0;
    this.ring.sqe[word + 7] = 0x80000; // SOCK_CLOEXEC
  }

  override cancelAccept(listener: Listener): void {
    this.cancel(listener.number, ACCEPT | ((listener.generation & 0xffffff) << 4));
  }

  /** A direct call: the ring would hand it to a thread of the kernel. */
  protected override beginShutdown(socket: Socket): void {
    libc.shutdown(socket.fd, SHUT_WR);
  }

  /** One by one: to cancel all that a descriptor has, the kernel would look through what everybody has. */
  protected override cancelAll(socket: Socket): void {
    if (socket.armed && !socket.cancelling) this.cancelReceive(socket);
    if (socket.watching) this.cancel(socket.slot, WATCH | (socket.generation << 4));
    if (socket.connecting) this.cancel(socket.slot, CONNECT | (socket.generation << 4));
    else if (socket.sending) this.cancel(socket.slot, (socket.plain ? WRITABLE : SEND) | (socket.generation << 4));
  }

  /** The operation that was begun with this user_data. */
  private cancel(low: number, high: number): void {
    const word = this.ring.prepare(OP_ASYNC_CANCEL, -1, 0, 0, 0, SILENT);
    this.ring.sqe[word + 4] = low;
    this.ring.sqe[word + 5] = high;
    this.ring.sqe_byte[word * 4 + 1] = SQE_CQE_SKIP_SUCCESS;
  }

  override closeDescriptor(fd: number): void {
    const word = this.ring.prepare(OP_CLOSE, fd, 0, 0, 0, SILENT);
    this.ring.sqe_byte[word * 4 + 1] = SQE_CQE_SKIP_SUCCESS;
  }

  /** A poll, for a read of a non-blocking eventfd would come back at once with EAGAIN. */
  private armWake(): void {
    const word = this.ring.prepare(OP_POLL_ADD, this.options.wake_fd, 0, 0, 0, WAKE);
    this.ring.sqe[word + 7] = POLLIN;
  }

  // ── provided buffers ──────────────────────────────────────────────────────────────────────────

  /** What lies with the kernel, not what is at home: only that can be received into before the next pass. */
  protected override buffersReady(bulk: boolean): number {
    if (bulk) return this.buffers.bulk_left;
    if (this.small.count === 0) this.refill();
    return this.small.count;
  }

  private refill(): void {
    const { buffers, small } = this;
    if (small.count === SMALL_RING || buffers.small_left === 0) return;
    while (small.count < SMALL_RING && buffers.small_left > 0) {
      const buffer = buffers.takeSmall();
      small.add(buffers.address + buffers.offsetOf(buffer), SMALL_BYTES, buffer);
    }
    small.publish();
  }
}
