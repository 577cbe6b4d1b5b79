/** Who is at the ends of a connected socket. */
import { AF_INET, AF_UNIX, IPPROTO_IP, SO_ORIGINAL_DST } from './abi/linux.ts';
import * as libc from './libc.ts';
import { decodeSocketAddress } from './socket-address.ts';

const NAME_BYTES = 128;
/** Room for a socket address and, behind it, its length. One a thread: nothing else runs during the call. */
const room = libc.allocatePinned(NAME_BYTES + 4);

/** The same for the client that was accepted last, as long as nobody has asked for it. */
const accepted_room = libc.allocatePinned(NAME_BYTES + 4);
let accepted_fd = -1;

/** accept4(2); the client's address comes with it, so that `peerAddress` need not ask. */
export function acceptClient(listening_fd: number, flags: number): number {
  const { address, words } = accepted_room;
  words[NAME_BYTES / 4] = NAME_BYTES;
  accepted_fd = libc.accept4(listening_fd, address, address + NAME_BYTES, flags);
  return accepted_fd;
}

/** Clients of a socket's file have no address; HAProxy's logs call them so. */
const UNIX = { address: new TextEncoder().encode('unix'), port: 1 };

/** The address as text in bytes, for logs and header fields; `unix` where the peer has none. Undefined when it is gone. */
export function peerAddress(fd: number): { address: Uint8Array; port: number } | undefined {
  const bytes = fd === accepted_fd ? accepted_room.bytes : namePeer(fd);
  accepted_fd = -1;
  if (!bytes) return undefined;
  if (bytes[0] === AF_INET && bytes[1] === 0) return { address: ipv4Text(bytes, 4), port: (bytes[2] << 8) | bytes[3] };
  if (bytes[0] === AF_UNIX && bytes[1] === 0) return UNIX;
  const peer = decodeSocketAddress(bytes, 0);
  return peer && { address: new TextEncoder().encode(peer.address), port: peer.port };
}

function namePeer(fd: number): Uint8Array | undefined {
  room.words[NAME_BYTES / 4] = NAME_BYTES;
  return libc.getpeername(fd, room.address, room.address + NAME_BYTES) < 0 ? undefined : room.bytes;
}

/** `10.0.0.1`, without a string on the way: it is written for each connection. */
function ipv4Text(bytes: Uint8Array, offset: number): Uint8Array {
  let end = 0;
  for (let index = 0; index < 4; index++) {
    const byte = bytes[offset + index];
    if (index > 0) text[end++] = DOT;
    if (byte >= 100) text[end++] = ZERO + Math.floor(byte / 100);
    if (byte >= 10) text[end++] = ZERO + (Math.floor(byte / 10) % 10);
    text[end++] = ZERO + (byte % 10);
  }
  return text.slice(0, end);
}

const text = new Uint8Array(15);
const DOT = 46;
const ZERO = 48;

/** Where the client went to: before the kernel's own translation (REDIRECT, DNAT), if there was one. */
export function destinationAddress(fd: number): { address: string; port: number } | undefined {
  room.words[NAME_BYTES / 4] = NAME_BYTES;
  const known = libc.getsockopt(fd, IPPROTO_IP, SO_ORIGINAL_DST, room.address, room.address + NAME_BYTES) === 0;
  return known ? decodeSocketAddress(room.bytes, 0) : localAddress(fd);
}

/** Our end. */
export function localAddress(fd: number): { address: string; port: number } | undefined {
  room.words[NAME_BYTES / 4] = NAME_BYTES;
  if (libc.getsockname(fd, room.address, room.address + NAME_BYTES) < 0) return undefined;
  return decodeSocketAddress(room.bytes, 0);
}
