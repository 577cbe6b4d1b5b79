/** A datagram socket that is connected to a syslog server. */
import { AF_UNIX, SOCK_CLOEXEC, SOCK_DGRAM, SOCK_NONBLOCK } from './abi/linux.ts';
import { byReference } from './arguments.ts';
import * as libc from './libc.ts';
import { encodeUnixAddress, socketAddressBytes } from './socket-address.ts';

/** The descriptor, or -1 when the system refuses (no such unix socket, no route). */
export function connectUdp(endpoint: { address: string; port: number }): number {
  return connectDatagram(socketAddressBytes(endpoint));
}

/** Non-blocking: a full receiver costs lines, not time. */
export function connectUnixDatagram(path: string): number {
  const address = encodeUnixAddress(path);
  return address ? connectDatagram(address) : -1;
}

function connectDatagram(address: Uint8Array): number {
  const family = address[0] | (address[1] << 8);
  const flags = SOCK_DGRAM | SOCK_CLOEXEC | (family === AF_UNIX ? SOCK_NONBLOCK : 0);
  const fd = libc.socket(family, flags, 0);
  if (fd < 0) return -1;
  if (libc.connect(fd, byReference(address), address.length) === 0) return fd;
  libc.close(fd);
  return -1;
}
