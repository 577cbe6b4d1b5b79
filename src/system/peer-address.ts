/** Who is at the ends of a connected socket. */
import * as libc from './libc.ts';
import { decodeSocketAddress } from './socket-address.ts';

const NAME_BYTES = 128;
/** Room for a socket address and, behind it, its length. One a thread: nothing else runs during the call. */
const room = libc.allocatePinned(NAME_BYTES + 4);

/** Undefined when the peer is gone or has no internet address. */
export function peerAddress(fd: number): { address: string; port: number } | undefined {
  room.words[NAME_BYTES / 4] = NAME_BYTES;
  if (libc.getpeername(fd, room.address, room.address + NAME_BYTES) < 0) return undefined;
  return decodeSocketAddress(room.bytes, 0);
}

/** Our end. */
export function localAddress(fd: number): { address: string; port: number } | undefined {
  room.words[NAME_BYTES / 4] = NAME_BYTES;
  if (libc.getsockname(fd, room.address, room.address + NAME_BYTES) < 0) return undefined;
  return decodeSocketAddress(room.bytes, 0);
}
