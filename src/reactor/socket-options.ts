/** The few options of a socket that the loop itself sets; their values lie where the kernel may read them. */
import { IPPROTO_TCP, SO_ERROR, SO_LINGER, SOL_SOCKET, TCP_DEFER_ACCEPT, TCP_NODELAY } from '../system/abi/linux.ts';
import * as libc from '../system/libc.ts';
import type { Socket } from './socket.ts';

/**
 * How we speak on a connection that we make.
 *   word      one small piece
 *   knock     at once, one small piece or nothing but a reset: the handshake's last packet is left to that
 *   request   at once, several pieces: the handshake's last packet is left to the first of them
 *   dialogue  perhaps not at once, several pieces
 */
export type Manner = 'word' | 'knock' | 'request' | 'dialogue';

export function leavesHandshake(manner: Manner): boolean {
  return manner === 'request' || manner === 'knock';
}

/** What the smallest packets of IPv6 carry (1,280 bytes, less the heads). */
const PACKET_BYTES = 1_208;

export class SocketOptions {
  /** struct linger {on, 0 s} */
  private readonly linger = libc.allocatePinned(8);
  private readonly one = libc.allocatePinned(4);
  /** An option's value, and its length. */
  private readonly answer = libc.allocatePinned(8);

  constructor() {
    this.one.words[0] = 1;
    this.linger.words[0] = 1;
  }

  /** TCP_DEFER_ACCEPT leaves the handshake's last packet to what follows, as TCP_QUICKACK would; but it outlives the connection. */
  beforeConnect(socket: Socket, manner: Manner, is_new: boolean): void {
    socket.gathers = manner === 'request' || manner === 'dialogue';
    if (is_new && leavesHandshake(manner))
      libc.setsockopt(socket.fd, IPPROTO_TCP, TCP_DEFER_ACCEPT, this.one.address, 4);
  }

  /** What is sent first, and in one packet, leaves at once anyway: many connections are never asked for more. */
  beforeSend(socket: Socket): void {
    if (!socket.has_sent && socket.send_length <= PACKET_BYTES) {
      socket.has_sent = true;
      return;
    }
    socket.gathers = false;
    libc.setsockopt(socket.fd, IPPROTO_TCP, TCP_NODELAY, this.one.address, 4);
  }

  /** Its close sends RST. */
  resetOnClose(fd: number): void {
    libc.setsockopt(fd, SOL_SOCKET, SO_LINGER, this.linger.address, 8);
  }

  /** What became of the connection since this was last asked: 0, or an errno. */
  errorOf(fd: number): number {
    const { words, address } = this.answer;
    words[1] = 4;
    return libc.getsockopt(fd, SOL_SOCKET, SO_ERROR, address, address + 4) < 0 ? libc.errno() : words[0];
  }

  destroy(): void {
    libc.munmap(this.linger.address, 8);
    libc.munmap(this.answer.address, 8);
    libc.munmap(this.one.address, 4);
  }
}
