/** Datagrams that leave through one connected socket in one call (sendmmsg(2)). */
import { MSG_DONTWAIT, MSG_NOSIGNAL } from './abi/linux.ts';
import * as libc from './libc.ts';
import { MessageHeaders } from './message-headers.ts';

export class DatagramBatch {
  /** Datagrams that wait. */
  count = 0;
  readonly capacity: number;
  private readonly headers: MessageHeaders;
  /** Those before it are sent or given up. */
  private first = 0;

  constructor(capacity: number) {
    this.capacity = capacity;
    this.headers = new MessageHeaders(capacity);
  }

  get full(): boolean {
    return this.first + this.count === this.capacity;
  }

  /** `address`: pinned memory, unchanged until it is sent. Only while it is not full. */
  add(address: number, length: number): void {
    this.headers.set(this.first + this.count, address, length);
    this.count++;
  }

  /** Sends what the kernel takes now. 0: everything is sent; else the errno that the first of the others met. */
  send(fd: number): number {
    while (this.count > 0) {
      const sent = libc.sendmmsg(fd, this.headers.addressFrom(this.first), this.count, MSG_DONTWAIT | MSG_NOSIGNAL);
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
