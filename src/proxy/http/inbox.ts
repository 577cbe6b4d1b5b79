/** Slices that came before their turn, in order. The socket's allowance bounds how many there can be. */
import type { Reactor } from '../../reactor/reactor.ts';
import { NO_SLICE } from '../../reactor/slices.ts';

export class Inbox {
  first = NO_SLICE;
  private last = NO_SLICE;
  private readonly reactor: Reactor;

  constructor(reactor: Reactor) {
    this.reactor = reactor;
  }

  get empty(): boolean {
    return this.first === NO_SLICE;
  }

  /** Takes over one reference of the buffer. False: the thread has no slice left. */
  put(buffer: number, offset: number, length: number): boolean {
    const { slices, buffers } = this.reactor;
    const node = slices.take(buffer, offset, length);
    if (node === NO_SLICE) {
      buffers.release(buffer);
      return false;
    }
    if (this.last === NO_SLICE) this.first = node;
    else slices.next[this.last] = node;
    this.last = node;
    return true;
  }

  /** What was left over of a slice that came out of here, or came before all that is here. */
  putFirst(buffer: number, offset: number, length: number): boolean {
    const second = this.first;
    const last = this.last;
    this.first = NO_SLICE;
    this.last = NO_SLICE;
    const put = this.put(buffer, offset, length);
    if (second === NO_SLICE) return put;
    if (put) this.reactor.slices.next[this.first] = second;
    else this.first = second;
    this.last = last;
    return put;
  }

  /** Forgets the first slice; its reference is the caller's now. */
  drop(): void {
    const node = this.first;
    this.first = this.reactor.slices.next[node];
    if (this.first === NO_SLICE) this.last = NO_SLICE;
    this.reactor.slices.put(node);
  }

  clear(): void {
    while (this.first !== NO_SLICE) {
      this.reactor.buffers.release(this.reactor.slices.buffer[this.first]);
      this.drop();
    }
  }
}
