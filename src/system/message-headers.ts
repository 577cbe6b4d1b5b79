/**
 * Headers for calls that move many datagrams at once (sendmmsg(2), recvmmsg(2)), each with one piece of memory.
 *
 *   struct mmsghdr, 64 bytes: name:64 name_length:32 | iovec:64 iovec_count:64 | control:64 length:64 | flags:32 | moved:32
 *   struct iovec, 16 bytes: address:64 length:64
 */
import * as libc from './libc.ts';

export const HEADER_BYTES = 64;
const HEADER_WORDS = HEADER_BYTES / 4;
const IOVEC_WORDS = 4;
const MOVED_AT = 14;
const TWO_TO_32 = 2 ** 32;

export class MessageHeaders {
  readonly #headers: libc.Pinned;
  readonly #vectors: libc.Pinned;
  readonly #count: number;

  constructor(count: number) {
    this.#count = count;
    this.#headers = libc.allocatePinned(count * HEADER_BYTES);
    this.#vectors = libc.allocatePinned(count * IOVEC_WORDS * 4);
    for (let index = 0; index < count; index++) {
      const vector = this.#vectors.address + index * IOVEC_WORDS * 4;
      const word = index * HEADER_WORDS;
      this.#headers.words[word + 4] = vector >>> 0;
      this.#headers.words[word + 5] = Math.floor(vector / TWO_TO_32);
      this.#headers.words[word + 6] = 1;
    }
  }

  /** For the call, from this header on. */
  addressFrom(index: number): number {
    return this.#headers.address + index * HEADER_BYTES;
  }

  /** `address`: pinned memory. */
  set(index: number, address: number, length: number): void {
    const { words } = this.#vectors;
    const word = index * IOVEC_WORDS;
    words[word] = address >>> 0;
    words[word + 1] = Math.floor(address / TWO_TO_32);
    words[word + 2] = length;
  }

  /** Bytes of the datagram, after the call. */
  moved(index: number): number {
    return this.#headers.words[index * HEADER_WORDS + MOVED_AT];
  }

  close(): void {
    libc.munmap(this.#headers.address, this.#count * HEADER_BYTES);
    libc.munmap(this.#vectors.address, this.#count * IOVEC_WORDS * 4);
  }
}
