/**
 * Many addresses added, renewed or removed with one system call: the way to mastership. The kernel acts inside the call
 * and, as nothing is to be acknowledged, answers only what it refuses; so when the call is back and no answer waits, all
 * is done. Allocates nothing when it is used again.
 */
import { EINTR, MSG_DONTWAIT } from './abi/linux.ts';
import * as libc from './libc.ts';
import { openSocket } from './netlink.ts';
import { encodeDeleteAddress, encodeNewAddress, type NewAddress } from './netlink-address.ts';
import { HEADER_LENGTH, LITTLE_ENDIAN, MessageBuilder, NLMSG_ERROR } from './netlink-message.ts';

/** The kernel answers each refused message with its own datagram; this many fit the default receive buffer with room. */
export const MAX_BATCH = 64;
const BUFFER_LENGTH = 16384;

export class AddressBatch {
  readonly fd: number;
  /** The errno per message of the last `flush`, 0 for done. */
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
  }

  get full(): boolean {
    return this.#count === MAX_BATCH;
  }

  /** Not while `full`. */
  add(address: NewAddress): void {
    encodeNewAddress(this.#builder, this.#first + this.#count++, address, false);
  }

  /** Not while `full`. */
  remove(address: NewAddress): void {
    encodeDeleteAddress(this.#builder, this.#first + this.#count++, address, false);
  }

  /** Sends all and reads what was refused; returns how many `results` there are. */
  flush(): number {
    const count = this.#count;
    if (count === 0) return 0;
    this.results.fill(0, 0, count);
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
    for (let datagrams = 0; datagrams < 2 * MAX_BATCH; datagrams++) {
      const length = libc.recv(this.fd, this.#in.address, BUFFER_LENGTH, MSG_DONTWAIT);
      if (length >= 0) this.#readAnswers(length, count);
      else if (libc.errno() !== EINTR) return;
    }
  }

  #readAnswers(length: number, count: number): void {
    let offset = 0;
    while (offset + HEADER_LENGTH + 4 <= length) {
      const message_length = this.#view.getUint32(offset, LITTLE_ENDIAN);
      if (message_length < HEADER_LENGTH) break;
      const position = this.#view.getUint32(offset + 8, LITTLE_ENDIAN) - this.#first;
      if (this.#view.getUint16(offset + 4, LITTLE_ENDIAN) === NLMSG_ERROR && position >= 0 && position < count) {
        this.results[position] = -this.#view.getInt32(offset + HEADER_LENGTH, LITTLE_ENDIAN);
      }
      offset += (message_length + 3) & ~3;
    }
  }
}
