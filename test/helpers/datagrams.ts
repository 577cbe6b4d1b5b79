/** The receiving end of syslog and of systemd's notifications, which Node's own sockets cannot be. */
import { AF_UNIX, MSG_DONTWAIT, SOCK_CLOEXEC, SOCK_DGRAM } from '#src/system/abi/linux.js';
import { byReference } from '#src/system/arguments.js';
import { check } from '#src/system/errors.js';
import * as libc from '#src/system/libc.js';
import { encodeUnixAddress } from '#src/system/socket-address.js';

/** A datagram socket of the unix family: what it hears, '' when there is nothing. `@` begins an abstract name. */
export function listenForDatagrams(path: string): { hear(): string; close(): void } {
  const fd = check(libc.socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0), 'socket');
  const address = encodeUnixAddress(path)!;
  check(libc.bind(fd, byReference(address), address.length), 'bind');
  const memory = libc.allocatePinned(2048);
  return {
    hear() {
      const length = libc.recv(fd, memory.address, 2048, MSG_DONTWAIT);
      return length < 0 ? '' : new TextDecoder().decode(memory.bytes.slice(0, length));
    },
    close() {
      libc.close(fd);
      libc.munmap(memory.address, 2048);
    },
  };
}
