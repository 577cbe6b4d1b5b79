/**
 * Pipes that carry bytes from one socket to another without a copy (splice(2)): the third class of buffers. A pipe is filled
 * once, sent empty, and goes home; opened when one is needed, so that a balancer of short answers has none.
 *
 *   socket ── splice ──▶ [ write end ══ pages ══ read end ] ── splice ──▶ socket
 */
import {
  EAGAIN,
  EINTR,
  EINVAL,
  ENOMEM,
  F_SETPIPE_SZ,
  O_NONBLOCK,
  SOCK_CLOEXEC,
  SPLICE_F_MORE,
  SPLICE_F_NONBLOCK,
} from '../system/abi/linux.ts';
import * as libc from '../system/libc.ts';

/** Measured with 16 streams, a quarter of a mebibyte costs half of what a pipe's usual 64 KiB do; more gains nothing. */
export const PIPE_BYTES = 256 * 1024;
/** Why a splice may fail while the connection is well. */
const OF_THE_CALL: ReadonlySet<number> = new Set([EAGAIN, EINTR, EINVAL, ENOMEM]);
/** Empty pipes that stay open for the next stream. */
const IDLE_LIMIT = 32;

export class Pipes {
  /** Pipes that may be opened or used now. */
  left: number;
  private readonly count: number;
  private readonly read_ends: Int32Array;
  private readonly write_ends: Int32Array;
  private readonly holds: Int32Array;
  /** Those that are open come last, so that they are taken first. */
  private readonly free: Int32Array;
  private idle = 0;
  private readonly ends = libc.allocatePinned(8);

  constructor(count: number) {
    this.count = count;
    this.left = count;
    this.read_ends = new Int32Array(count).fill(-1);
    this.write_ends = new Int32Array(count).fill(-1);
    this.holds = new Int32Array(count);
    this.free = Int32Array.from({ length: count }, (_, index) => index);
  }

  /** The number of an empty pipe; -1: none is left, or the system gives none. */
  take(): number {
    if (this.left === 0) return -1;
    const pipe = this.free[this.left - 1];
    if (this.read_ends[pipe] >= 0) this.idle--;
    else if (!this.open(pipe)) return -1;
    this.left--;
    return pipe;
  }

  /**
   * Takes at most `length` bytes out of a socket that does not block. Bytes; 0: its end, or a plain call is to say more; or a
   * negative errno: the connection broke. That is told once: to the next call it would look like a proper end.
   */
  fill(pipe: number, fd: number, length: number): number {
    const result = libc.splice(fd, 0, this.write_ends[pipe], 0, Math.min(length, PIPE_BYTES), SPLICE_F_NONBLOCK);
    if (result > 0) this.holds[pipe] += result;
    if (result >= 0) return result;
    const error = libc.errno();
    return OF_THE_CALL.has(error) ? 0 : -error;
  }

  /** Puts at most `length` bytes into a socket that does not block. Bytes, or -1 (errno). */
  drain(pipe: number, fd: number, length: number, more: boolean): number {
    const flags = more ? SPLICE_F_NONBLOCK | SPLICE_F_MORE : SPLICE_F_NONBLOCK;
    const result = libc.splice(this.read_ends[pipe], 0, fd, 0, length, flags);
    if (result > 0) this.holds[pipe] -= result;
    return result;
  }

  /** What is still in it is lost. */
  put(pipe: number): void {
    if (this.holds[pipe] > 0 || this.idle >= IDLE_LIMIT) this.close(pipe);
    if (this.read_ends[pipe] >= 0) {
      this.idle++;
      this.free[this.left++] = pipe;
    } else {
      // below those that are open
      const first_open = this.left - this.idle;
      this.free[this.left++] = this.free[first_open];
      this.free[first_open] = pipe;
    }
  }

  destroy(): void {
    for (let pipe = 0; pipe < this.count; pipe++) if (this.read_ends[pipe] >= 0) this.close(pipe);
    libc.munmap(this.ends.address, 8);
  }

  private open(pipe: number): boolean {
    if (libc.pipe2(this.ends.address, O_NONBLOCK | SOCK_CLOEXEC) < 0) return false;
    this.read_ends[pipe] = this.ends.words[0];
    this.write_ends[pipe] = this.ends.words[1];
    libc.fcntl(this.write_ends[pipe], F_SETPIPE_SZ, PIPE_BYTES); // refused to who has many already: then it is smaller
    return true;
  }

  private close(pipe: number): void {
    libc.close(this.read_ends[pipe]);
    libc.close(this.write_ends[pipe]);
    this.read_ends[pipe] = -1;
    this.write_ends[pipe] = -1;
    this.holds[pipe] = 0;
  }
}
