/**
 * The io_uring back end: multishot accept and receive into provided buffers, one `io_uring_enter` per batch.
 *
 *   user_data = slot (low word), operation:4 | generation:24 (high word)
 *
 * Needs Linux 6.1 (SINGLE_ISSUER with DEFER_TASKRUN); older or forbidding systems get epoll.
 */

import { EBADF, MSG_MORE, MSG_NOSIGNAL, SHUT_WR } from '../system/abi/linux.ts';
import * as libc from '../system/libc.ts';
import { LARGE_BYTES, NO_BUFFER, SMALL_BYTES } from './buffers.ts';
import type { Listener } from './listener.ts';
import type { ReactorOptions } from './options.ts';
import { Reactor } from './reactor.ts';
import { type ProvidedBuffers, RingMemory } from './ring-memory.ts';
import { FREE, type Socket } from './socket.ts';

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
const CANCEL_ALL = 1 << 0;
const CANCEL_FD = 1 << 1;
const POLLIN = 1;
const CQE_BUFFER = 1;
const CQE_MORE = 2;

/** Our own numbers for operations, in user_data. */
const RECEIVE = 1;
const SEND = 2;
const CONNECT = 3;
const ACCEPT = 4;
const WAKE = 5;
const SILENT = 6; // only failures of it are reported, and they do not matter

const SMALL_GROUP = 0;
const LARGE_GROUP = 1;
/** Small buffers for bulk while the large ones are all in use: never from those that are kept for heads. */
const SPARE_GROUP = 2;
/** Few buffers lie with the kernel, so that the same memory is used again while it is in the cache. */
const SMALL_RING = 256;
const LARGE_RING = 8;
const SPARE_RING = 16;

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
  private readonly large: ProvidedBuffers;
  private readonly spare: ProvidedBuffers;
  /** Which of them a buffer lies in, or lay in last. */
  private readonly provided_to: ProvidedBuffers[];
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
      this.large = this.ring.provideBuffers(LARGE_GROUP, LARGE_RING);
      this.spare = this.ring.provideBuffers(SPARE_GROUP, SPARE_RING);
      this.ring.probe();
      this.provided_to = new Array(options.small_count + options.large_count).fill(this.small);
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

  /** Buffers that lie with the kernel: at home, as far as owners are concerned. */
  get provided_count(): { small: number; large: number } {
    return { small: this.small.count + this.spare.count, large: this.large.count };
  }

  protected override waitAndDispatch(wait_ms: number): void {
    const { ring } = this;
    this.refill();
    ring.enter(ring.completions_begin === ring.completions_end && wait_ms > 0 ? 1 : 0, wait_ms);
    this.now_ms = this.readClock();
    let head = ring.completions_begin;
    const tail = ring.completions_end;
    const { words, cqe_first, cq_mask } = ring;
    for (let budget = this.pass_budget; head !== tail && budget > 0; budget--) {
      const word = cqe_first + (head & cq_mask) * 4;
      head = (head + 1) | 0;
      this.dispatch(words[word], words[word + 1], words[word + 2], words[word + 3]);
    }
    ring.completions_begin = head;
  }

  private dispatch(slot: number, data_high: number, result: number, flags: number): void {
    const generation = data_high >>> 4;
    const more = (flags & CQE_MORE) !== 0;
    switch (data_high & 15) {
      case RECEIVE: {
        const socket = this.sockets[slot];
        this.assertCurrent(socket, generation);
        const buffer = (flags & CQE_BUFFER) !== 0 ? this.takeProvided(flags >>> 16) : NO_BUFFER;
        this.noticeStream(socket, result, more);
        this.receiveCompleted(socket, result, buffer, more);
        return;
      }
      case SEND:
        this.assertCurrent(this.sockets[slot], generation);
        this.sendCompleted(this.sockets[slot], result);
        return;
      case CONNECT:
        this.assertCurrent(this.sockets[slot], generation);
        this.connectCompleted(this.sockets[slot], result);
        return;
      case ACCEPT: {
        const listener = this.listeners[slot];
        if (listener && (listener.generation & 0xffffff) === generation) this.acceptCompleted(listener, result, more);
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

  protected override adoptListener(): void {}

  protected override beginReceive(socket: Socket): void {
    const word = this.ring.prepare(OP_RECV, socket.fd, 0, 0, socket.slot, RECEIVE | (socket.generation << 4));
    if (!socket.bulk && !socket.streaming) {
      this.makeMultishot(word, this.burst_buffers);
      return;
    }
    this.ring.sqe_byte[word * 4 + 1] = SQE_BUFFER_SELECT;
    if (socket.bulk) {
      // one shot: the next receive finds more bytes waiting
      this.ring.sqe_half[word * 2 + 20] = this.large.count > 0 ? LARGE_GROUP : SPARE_GROUP;
    }
  }

  private makeMultishot(word: number, buffers: number): void {
    this.ring.sqe_byte[word * 4 + 1] = SQE_BUFFER_SELECT;
    this.ring.sqe_half[word * 2 + 1] = RECV_MULTISHOT;
    this.ring.sqe[word + 11] = buffers === SMALL_RING ? 0 : buffers * SMALL_BYTES;
  }

  protected override cancelReceive(socket: Socket): void {
    const word = this.ring.prepare(OP_ASYNC_CANCEL, -1, 0, 0, 0, SILENT);
    this.ring.sqe[word + 4] = socket.slot; // cancel by user_data: the receive only
    this.ring.sqe[word + 5] = RECEIVE | (socket.generation << 4);
    this.ring.sqe_byte[word * 4 + 1] = SQE_CQE_SKIP_SUCCESS;
  }

  protected override beginSend(socket: Socket, more: boolean): void {
    const address = this.buffers.address + socket.send_offset;
    const data_high = SEND | (socket.generation << 4);
    const word = this.ring.prepare(OP_SEND, socket.fd, address, socket.send_length, socket.slot, data_high);
    this.ring.sqe[word + 7] = more ? MSG_NOSIGNAL | MSG_MORE : MSG_NOSIGNAL;
  }

  protected override beginConnect(socket: Socket, address: number, address_length: number): void {
    const data_high = CONNECT | (socket.generation << 4);
    const word = this.ring.prepare(OP_CONNECT, socket.fd, address, 0, socket.slot, data_high);
    this.ring.sqe[word + 2] = address_length;
  }

  protected override beginAccept(listener: Listener): void {
    const data_high = ACCEPT | ((listener.generation & 0xffffff) << 4);
    const word = this.ring.prepare(OP_ACCEPT, listener.fd, 0, 0, listener.number, data_high);
    this.ring.sqe_half[word * 2 + 1] = ACCEPT_MULTISHOT;
    this.ring.sqe[word + 7] = 0x80000; // SOCK_CLOEXEC
  }

  protected override cancelAccept(listener: Listener): void {
    const word = this.ring.prepare(OP_ASYNC_CANCEL, -1, 0, 0, 0, SILENT);
    this.ring.sqe[word + 4] = listener.number;
    this.ring.sqe[word + 5] = ACCEPT | ((listener.generation & 0xffffff) << 4);
    this.ring.sqe_byte[word * 4 + 1] = SQE_CQE_SKIP_SUCCESS;
  }

  /** A direct call: the ring would hand it to a thread of the kernel. */
  protected override beginShutdown(socket: Socket): void {
    libc.shutdown(socket.fd, SHUT_WR);
  }

  protected override cancelAll(socket: Socket): void {
    const word = this.ring.prepare(OP_ASYNC_CANCEL, socket.fd, 0, 0, 0, SILENT);
    this.ring.sqe[word + 7] = CANCEL_ALL | CANCEL_FD;
    this.ring.sqe_byte[word * 4 + 1] = SQE_CQE_SKIP_SUCCESS;
  }

  protected override closeDescriptor(fd: number): void {
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
    const ready = bulk ? this.large.count + this.spare.count : this.small.count;
    if (ready > 0) return ready;
    this.refill();
    return bulk ? this.large.count + this.spare.count : this.small.count;
  }

  private refill(): void {
    const { buffers, small, large, spare } = this;
    if (small.count < SMALL_RING && buffers.small_left > 0) {
      while (small.count < SMALL_RING && buffers.small_left > 0) this.provide(small, buffers.takeSmall(), SMALL_BYTES);
      small.publish();
    }
    if (large.count < LARGE_RING && buffers.large_left > 0) {
      while (large.count < LARGE_RING && buffers.large_left > 0) this.provide(large, buffers.takeLarge(), LARGE_BYTES);
      large.publish();
    }
    if (large.count > 0 || spare.count === SPARE_RING || buffers.small_left <= buffers.reserve) return;
    while (spare.count < SPARE_RING && buffers.small_left > buffers.reserve) {
      this.provide(spare, buffers.takeSmall(), SMALL_BYTES);
    }
    spare.publish();
  }

  private provide(ring: ProvidedBuffers, buffer: number, length: number): void {
    ring.add(this.buffers.address + this.buffers.offsetOf(buffer), length, buffer);
    this.provided_to[buffer] = ring;
  }

  private takeProvided(buffer: number): number {
    this.provided_to[buffer].count--;
    return buffer;
  }
}
