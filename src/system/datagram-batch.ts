/**
 * Datagrams that leave through one connected socket in one call (sendmmsg(2)).
 *
 *   struct mmsghdr, 64 bytes: name:64 name_length:32 | iovec:64 iovec_count:64 | control:64 length:64 | flags:32 | sent:32
 *   struct iovec, 16 bytes: address:64 length:64
 */
import { MSG_DONTWAIT, MSG_NOSIGNAL } from './abi/linux.ts';
import * as libc from './libc.ts';

const HEADER_BYTES = 64;
const HEADER_WORDS = HEADER_BYTES / 4;
const IOVEC_WORDS = 4;
const TWO_TO_32 = 2 ** 32;

export class DatagramBatch {
  /** Datagrams that wait. */
  count = 0;
  readonly capacity: number;
  private readonly headers: libc.Pinned;
  private readonly vectors: libc.Pinned;
  /** Those before it are sent or given up. */
  private first = 0;

  constructor(capacity: number) {
    this.capacity = capacity;
    this.headers = libc.allocatePinned(capacity * HEADER_BYTES);
    this.vectors = libc.allocatePinned(capacity * IOVEC_WORDS * 4);
    for (let index = 0; index < capacity; index++) {
      const vector = this.vectors.address + index * IOVEC_WORDS * 4;
      const word = index * HEADER_WORDS;
      this.headers.words[word + 4] = vector >>> 0;
      this.headers.words[word + 5] = Math.floor(vector / TWO_TO_32);
      this.headers.words[word + 6] = 1;
    }
  }

  get full(): boolean {
    return this.first + this.count === this.capacity;
  }

  /** `address`: pinned memory, unchanged until it is sent. Only while it is not full. */
  add(address: number, length: number): void {
    const word = (this.first + this.count) * IOVEC_WORDS;
    const { words } = this.vectors;
    words[word] = address >>> 0;
    words[word + 1] = Math.floor(address / TWO_TO_32);
    words[word + 2] = length;
    this.count++;
  }

  /** Sends what the kernel takes now. 0: everything is sent; else the errno that the first of the others met. */
  send(fd: number): number {
    while (this.count > 0) {
      const at = this.headers.address + this.first * HEADER_BYTES;
      const sent = libc.sendmmsg(fd, at, this.count, MSG_DONTWAIT | MSG_NOSIGNAL);
      if (sent < 0) return libc.errno();
      this.drop(sent);
    }
    return 0;
  }

  /** Gives the first `count` of them up. */
  drop(count: number): void {
    this.count -= count;
    this.first = this.count === 0 ? 0 : this.first + count;
  }
}
