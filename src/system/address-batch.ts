/**
 * Many addresses added, renewed or removed with one system call there and a few back: the way to mastership.
 * Allocates nothing when it is used again.
 */
import { byReference } from './arguments.ts';
import { check } from './errors.ts';
import * as libc from './libc.ts';
import { openSocket } from './netlink.ts';
import { encodeDeleteAddress, encodeNewAddress, type NewAddress } from './netlink-address.ts';
import { HEADER_LENGTH, LITTLE_ENDIAN, MessageBuilder, NLMSG_ERROR } from './netlink-message.ts';

/** The kernel answers each message with its own datagram; this many fit the default receive buffer with room. */
export const MAX_BATCH = 64;
const BUFFER_LENGTH = 16384;
const SOL_SOCKET = 1;
const SO_RCVTIMEO = 20;
const ANSWER_WAIT_S = 1n;
const EINTR = 4;

export class AddressBatch {
  readonly fd: number;
  /** The errno per message of the last `flush`, 0 for done; -1 where the kernel gave no answer. */
  readonly results = new Int32Array(MAX_BATCH);
  readonly #out = libc.allocatePinned(BUFFER_LENGTH);
  readonly #in = libc.allocatePinned(BUFFER_LENGTH);
  readonly #view: DataView;
  readonly #builder: MessageBuilder;
  /** Sequence number of the first message in the batch. */
  #first = 1;
  #count = 0;

  constructor() {
    this.fd = openSocket(0, 0);
    this.#view = new DataView(this.#in.bytes.buffer);
    this.#builder = new MessageBuilder(this.#out.bytes);
    const timeout = BigInt64Array.of(ANSWER_WAIT_S, 0n);
    check(libc.setsockopt(this.fd, SOL_SOCKET, SO_RCVTIMEO, byReference(timeout), 16), 'netlink receive timeout');
  }

  get full(): boolean {
    return this.#count === MAX_BATCH;
  }

  /** Not while `full`. */
  add(address: NewAddress): void {
    encodeNewAddress(this.#builder, this.#first + this.#count++, address);
  }

  /** Not while `full`. */
  remove(address: NewAddress): void {
    encodeDeleteAddress(this.#builder, this.#first + this.#count++, address);
  }

  /** Sends all and waits for the answers (the kernel acts inside the call); returns how many `results` there are. */
  flush(): number {
    const count = this.#count;
    if (count === 0) return 0;
    this.results.fill(-1, 0, count);
    const sent = libc.send(this.fd, this.#out.address, this.#builder.length, 0);
    if (sent >= 0) this.#collect(count);
    else this.results.fill(libc.errno(), 0, count);
    this.#first = (this.#first + count) % 0x7fff_0000;
    this.#count = 0;
    this.#builder.clear();
    return count;
  }

  close(): void {
    libc.close(this.fd);
    libc.munmap(this.#out.address, BUFFER_LENGTH);
    libc.munmap(this.#in.address, BUFFER_LENGTH);
  }

  #collect(count: number): void {
    let missing = count;
    for (let datagrams = 0; missing > 0 && datagrams < 2 * MAX_BATCH; datagrams++) {
      const length = libc.recv(this.fd, this.#in.address, BUFFER_LENGTH, 0);
      if (length >= 0) missing -= this.#readAnswers(length, count);
      else if (libc.errno() !== EINTR) return;
    }
  }

  /** How many of the batch's messages this datagram answers. */
  #readAnswers(length: number, count: number): number {
    let answered = 0;
    let offset = 0;
    while (offset + HEADER_LENGTH + 4 <= length) {
      const message_length = this.#view.getUint32(offset, LITTLE_ENDIAN);
      if (message_length < HEADER_LENGTH) break;
      const position = this.#view.getUint32(offset + 8, LITTLE_ENDIAN) - this.#first;
      if (this.#view.getUint16(offset + 4, LITTLE_ENDIAN) === NLMSG_ERROR && position >= 0 && position < count) {
        this.results[position] = -this.#view.getInt32(offset + HEADER_LENGTH, LITTLE_ENDIAN);
        answered += 1;
      }
      offset += (message_length + 3) & ~3;
    }
    return answered;
  }
}
