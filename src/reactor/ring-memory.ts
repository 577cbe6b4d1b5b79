/**
 * io_uring's shared memory as typed arrays (io_uring(7), include/uapi/linux/io_uring.h).
 *
 *   submission queue entry, 64 bytes = 16 words
 *   word 0  opcode:8 flags:8 ioprio:16     word 6  length            word 8  user_data low:  slot
 *   word 1  fd                             word 7  operation flags   word 9  user_data high: operation:4 generation:24
 *   word 2  offset / address 2 (64 bits)                             word 10 buffer group:16
 *   word 4  address (64 bits)
 *
 *   completion queue entry, 16 bytes = 4 words: user_data low, high, result, flags
 */
import { EAGAIN, EBUSY, EINTR, ETIME } from '../system/abi/linux.ts';
import * as libc from '../system/libc.ts';

const SYS_io_uring_setup = 425;
const SYS_io_uring_enter = 426;
const SYS_io_uring_register = 427;
const SETUP_CQSIZE = 1 << 3;
const SETUP_SUBMIT_ALL = 1 << 7;
const SETUP_SINGLE_ISSUER = 1 << 12;
const SETUP_DEFER_TASKRUN = 1 << 13;
const ENTER_GETEVENTS = 1;
const ENTER_EXT_ARG = 8;
const REGISTER_PBUF_RING = 22;
const MAP_SHARED_POPULATE = 0x8001;
const OFFSET_SQES = 0x10000000;
const TWO_TO_32 = 2 ** 32;
const PARAMETERS_AT = 64;
const ARGUMENTS_BYTES = PARAMETERS_AT + 120;
/** Submissions tried in a row while the kernel has no memory for one. */
const TRIES = 100;

/** What kept the kernel from giving us a ring. */
export class RingRefused extends Error {}

export class RingMemory {
  readonly fd: number;
  /** The submission queue entries as words, and the same memory as bytes and half words. */
  readonly sqe: Uint32Array;
  readonly sqe_half: Uint16Array;
  readonly sqe_byte: Uint8Array;
  /** The completion queue: entry i begins at word `cqe_first + (i & cq_mask) * 4`. */
  readonly words: Int32Array;
  readonly cqe_first: number;
  readonly cq_mask: number;
  private readonly cq_head: number;
  private readonly cq_tail: number;
  private readonly sq_head: number;
  private readonly sq_tail: number;
  private readonly sq_mask: number;
  private readonly entries: number;
  private readonly mappings: { address: number; length: number }[] = [];
  /** struct io_uring_getevents_arg {sigmask, sigmask_sz, pad, ts}, the timespec it points to, and struct io_uring_params. */
  private readonly arguments = libc.allocatePinned(ARGUMENTS_BYTES);
  private tail: number;
  private submitted: number;

  /** Throws RingRefused with the reason. */
  constructor(entries: number, completion_entries: number) {
    const p = new Uint32Array(this.arguments.bytes.buffer, PARAMETERS_AT, 30);
    p[1] = completion_entries;
    p[2] = SETUP_SINGLE_ISSUER | SETUP_DEFER_TASKRUN | SETUP_CQSIZE | SETUP_SUBMIT_ALL;
    this.fd = libc.syscall(SYS_io_uring_setup, entries, this.arguments.address + PARAMETERS_AT, 0, 0, 0, 0);
    if (this.fd < 0) this.refused('io_uring_setup');
    const [sq_entries, cq_entries] = [p[0], p[1]];
    const sq = p.subarray(10, 20);
    const cq = p.subarray(20, 30);
    const ring = this.map(Math.max(sq[6] + sq_entries * 4, cq[5] + cq_entries * 16), 0);
    this.words = new Int32Array(ring);
    this.sq_head = sq[0] >> 2;
    this.sq_tail = sq[1] >> 2;
    this.sq_mask = this.words[sq[2] >> 2];
    this.cq_head = cq[0] >> 2;
    this.cq_tail = cq[1] >> 2;
    this.cq_mask = this.words[cq[2] >> 2];
    this.cqe_first = cq[5] >> 2;
    this.entries = sq_entries;
    const sqes = this.map(sq_entries * 64, OFFSET_SQES);
    this.sqe = new Uint32Array(sqes);
    this.sqe_half = new Uint16Array(sqes);
    this.sqe_byte = new Uint8Array(sqes);
    for (let index = 0; index < sq_entries; index++) this.words[(sq[6] >> 2) + index] = index;
    this.tail = this.words[this.sq_tail];
    this.submitted = this.tail;
    const wait = new BigUint64Array(this.arguments.bytes.buffer, 0, 3);
    wait[2] = BigInt(this.arguments.address + 32);
  }

  /** A cleared entry, to be filled further; returns its first word's index in `sqe`. */
  prepare(operation: number, fd: number, address: number, length: number, data_low: number, data_high: number): number {
    if (this.is_full) this.makeRoom();
    const sqe = this.sqe;
    const word = (this.tail & this.sq_mask) * 16;
    sqe[word] = operation;
    sqe[word + 1] = fd;
    sqe[word + 2] = 0;
    sqe[word + 3] = 0;
    sqe[word + 4] = address >>> 0;
    sqe[word + 5] = Math.floor(address / TWO_TO_32);
    sqe[word + 6] = length;
    sqe[word + 7] = 0;
    sqe[word + 8] = data_low;
    sqe[word + 9] = data_high;
    sqe[word + 10] = 0;
    sqe[word + 11] = 0;
    this.tail = (this.tail + 1) | 0;
    return word;
  }

  private get is_full(): boolean {
    return ((this.tail - Atomics.load(this.words, this.sq_head)) | 0) >= this.entries;
  }

  /** The kernel takes what is prepared, in the middle of a pass; when it is out of memory for that, a few tries later. */
  private makeRoom(): void {
    for (let tries = 0; tries < TRIES && this.is_full; tries++) this.enter(0, 0);
    if (this.is_full) throw new Error('the kernel takes no more operations');
  }

  /** Submits what was prepared and waits for `wait_for` completions, at most `wait_ms`. */
  enter(wait_for: number, wait_ms: number): void {
    Atomics.store(this.words, this.sq_tail, this.tail);
    const count = (this.tail - this.submitted) | 0;
    const time = this.arguments.words; // struct __kernel_timespec at byte 32: two 64-bit numbers
    time[8] = Math.floor(wait_ms / 1000);
    time[10] = (wait_ms % 1000) * 1_000_000;
    const flags = ENTER_GETEVENTS | ENTER_EXT_ARG;
    const result = libc.syscall(SYS_io_uring_enter, this.fd, count, wait_for, flags, this.arguments.address, 24);
    if (result >= 0) {
      this.submitted = (this.submitted + result) | 0;
      return;
    }
    const error = libc.errno();
    // a wait that ran out still submitted everything: SUBMIT_ALL
    this.submitted = Atomics.load(this.words, this.sq_head);
    if (error !== EINTR && error !== ETIME && error !== EBUSY && error !== EAGAIN) {
      throw new Error(`io_uring_enter: ${libc.errnoName(error)}`);
    }
  }

  get completions_begin(): number {
    return this.words[this.cq_head];
  }
  get completions_end(): number {
    return Atomics.load(this.words, this.cq_tail);
  }
  set completions_begin(head: number) {
    Atomics.store(this.words, this.cq_head, head);
  }

  /** Registers a ring of provided buffers; `entries` is a power of two. Throws RingRefused. */
  provideBuffers(group: number, entries: number): ProvidedBuffers {
    const memory = libc.allocatePinned(entries * 16);
    const registration = libc.allocatePinned(40);
    const view = new DataView(registration.bytes.buffer);
    view.setBigUint64(0, BigInt(memory.address), true);
    view.setUint32(8, entries, true);
    view.setUint16(12, group, true);
    const result = libc.syscall(SYS_io_uring_register, this.fd, REGISTER_PBUF_RING, registration.address, 1, 0, 0);
    const error = libc.errno();
    libc.munmap(registration.address, 40);
    this.mappings.push({ address: memory.address, length: entries * 16 });
    if (result < 0) this.refused('io_uring_register', error);
    return new ProvidedBuffers(memory, entries);
  }

  /** Throws RingRefused when waiting is not allowed though the set-up was: filters name each system call by itself. */
  probe(): void {
    if (libc.syscall(SYS_io_uring_enter, this.fd, 0, 0, 0, 0, 0) < 0) this.refused('io_uring_enter');
  }

  private refused(what: string, error = libc.errno()): never {
    this.destroy();
    throw new RingRefused(`${what}: ${libc.errnoName(error)}`);
  }

  destroy(): void {
    if (this.fd >= 0) libc.close(this.fd);
    for (const { address, length } of this.mappings) libc.munmap(address, length);
    libc.munmap(this.arguments.address, ARGUMENTS_BYTES);
  }

  private map(length: number, offset: number): ArrayBuffer {
    const address = libc.mmap(0, length, 3, MAP_SHARED_POPULATE, this.fd, offset);
    if (address > 2 ** 52) this.refused('mmap of the ring');
    this.mappings.push({ address, length });
    return libc.viewMemory(address, length);
  }
}

/**
 * Buffers that the kernel may take for a receive (io_uring_register_buf_ring(3)).
 *
 *   entry, 16 bytes: address (64 bits), length (32), buffer id (16), reserved (16; of entry 0: the tail)
 */
export class ProvidedBuffers {
  private readonly words: Uint32Array;
  private readonly halves: Uint16Array;
  private readonly mask: number;
  private tail = 0;
  /** Buffers that the kernel has now. */
  count = 0;

  constructor(memory: libc.Pinned, entries: number) {
    this.words = new Uint32Array(memory.bytes.buffer);
    this.halves = new Uint16Array(memory.bytes.buffer);
    this.mask = entries - 1;
  }

  /** `identifier` is what the completion will name. Call `publish` after the last one. */
  add(address: number, length: number, identifier: number): void {
    const entry = this.tail & this.mask;
    this.words[entry * 4] = address >>> 0;
    this.words[entry * 4 + 1] = Math.floor(address / TWO_TO_32);
    this.words[entry * 4 + 2] = length;
    this.halves[entry * 8 + 6] = identifier;
    this.tail = (this.tail + 1) & 0xffff;
    this.count++;
  }

  publish(): void {
    Atomics.store(this.halves, 7, this.tail);
  }
}
