/** The few options of a socket that the loop itself sets; their values lie where the kernel may read them. */
import { IPPROTO_TCP, SO_LINGER, SOL_SOCKET, TCP_NODELAY } from '../system/abi/linux.ts';
import * as libc from '../system/libc.ts';

export class SocketOptions {
  /** struct linger {on, 0 s} */
  private readonly linger = libc.allocatePinned(8);
  private readonly one = libc.allocatePinned(4);

  constructor() {
    this.one.words[0] = 1;
    this.linger.words[0] = 1;
  }

  /** Small pieces do not wait for each other. */
  noDelay(fd: number): void {
    libc.setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, this.one.address, 4);
  }

  /** Its close sends RST. */
  resetOnClose(fd: number): void {
    libc.setsockopt(fd, SOL_SOCKET, SO_LINGER, this.linger.address, 8);
  }

  destroy(): void {
    libc.munmap(this.linger.address, 8);
    libc.munmap(this.one.address, 4);
  }
}
