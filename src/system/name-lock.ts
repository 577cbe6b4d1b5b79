import { byReference } from './arguments.ts';
import { check } from './errors.ts';
import * as libc from './libc.ts';
import { LITTLE_ENDIAN } from './netlink-message.ts';

const AF_UNIX = 1;
const SOCK_DGRAM = 2;
const SOCK_CLOEXEC = 0o2000000;
/** sun_path, without the NUL that makes a name abstract. */
const LONGEST_NAME = 107;

/**
 * Takes a name that one socket of this network namespace can have at a time (unix(7), abstract); the kernel gives it
 * back when the descriptor is closed, however the process ends. Undefined when another one has it.
 */
export function lockName(name: string): number | undefined {
  const fd = check(libc.socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0), 'lock socket');
  const path = new TextEncoder().encode(name.slice(0, LONGEST_NAME));
  const address = new Uint8Array(3 + path.length);
  new DataView(address.buffer).setUint16(0, AF_UNIX, LITTLE_ENDIAN);
  address.set(path, 3);
  if (libc.bind(fd, byReference(address), address.length) === 0) return fd;
  libc.close(fd);
  return undefined;
}
