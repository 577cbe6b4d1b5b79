/** Tells systemd about our state (sd_notify(3)): one datagram to $NOTIFY_SOCKET, and nothing when it is not set. */
import { AF_UNIX, MSG_DONTWAIT, SOCK_CLOEXEC, SOCK_DGRAM } from './abi/linux.ts';
import { byReference } from './arguments.ts';
import * as libc from './libc.ts';
import { encodeUnixAddress } from './socket-address.ts';

/** `state` is `READY=1`, `STOPPING=1` … A manager that does not listen is no error of ours. */
export function notifyServiceManager(state: string, environment: Readonly<Record<string, string | undefined>>): void {
  const address = encodeUnixAddress(environment['NOTIFY_SOCKET'] ?? '');
  if (address === undefined || address.length <= 3) return;
  if (manager_fd < 0) manager_fd = libc.socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (manager_fd < 0) return;
  const bytes = new TextEncoder().encode(state);
  // connected with the first word, because a chroot may hide the path later
  if (!connected) connected = libc.connect(manager_fd, byReference(address), address.length) === 0;
  if (connected) libc.send(manager_fd, byReference(bytes), bytes.length, MSG_DONTWAIT);
}

let manager_fd = -1;
let connected = false;
