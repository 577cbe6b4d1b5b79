/** The PROXY protocol line (version 1) of a check's own connection: `PROXY TCP4 10.0.0.1 10.0.0.2 40000 80`. */
import { bytesOfText } from '../health/bytes.ts';
import * as libc from '../system/libc.ts';
import { decodeSocketAddress } from '../system/socket-address.ts';

const ADDRESS_BYTES = 28;

/** Where getsockname and getpeername write: an address, and its length in the last word. Once a thread. */
let scratch: libc.Pinned | undefined;

/** UNKNOWN where the kernel does not tell, which receivers must take. */
export function proxyLine(fd: number): Uint8Array {
  const own = addressOf(fd, libc.getsockname);
  const peer = addressOf(fd, libc.getpeername);
  if (!own || !peer) return bytesOfText('PROXY UNKNOWN\r\n');
  const family = own.address.includes(':') ? 'TCP6' : 'TCP4';
  return bytesOfText(`PROXY ${family} ${own.address} ${peer.address} ${own.port} ${peer.port}\r\n`);
}

function addressOf(fd: number, ask: typeof libc.getsockname) {
  scratch ??= libc.allocatePinned(ADDRESS_BYTES + 4);
  scratch.words[ADDRESS_BYTES / 4] = ADDRESS_BYTES;
  if (ask(fd, scratch.address, scratch.address + ADDRESS_BYTES) < 0) return undefined;
  return decodeSocketAddress(scratch.bytes, 0);
}
