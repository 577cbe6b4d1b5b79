/** Tells systemd about our state (sd_notify(3)): one datagram to $NOTIFY_SOCKET, and nothing when it is not set. */
import { AF_UNIX, MSG_DONTWAIT, SOCK_CLOEXEC, SOCK_DGRAM } from './abi/linux.ts';
import { byReference } from './arguments.ts';
import * as libc from './libc.ts';
import { encodeUnixAddress } from './socket-address.ts';

/** `state` is `READY=1`, `STOPPING=1` … A manager that does not listen is no error of ours. */
export function notifyServiceManager(state: string, environment: Readonly<Record<string, string | undefined>>): void {
  const path = environment['NOTIFY_SOCKET'] ?? '';
  if (path === '' || !reach(path)) return;
  const bytes = new TextEncoder().encode(state);
  libc.send(manager.fd, byReference(bytes), bytes.length, MSG_DONTWAIT);
}

/** Connected with the first word, because a chroot may hide the path later. */
function reach(path: string): boolean {
  if (manager.path === path) return true;
  const address = encodeUnixAddress(path);
  if (address === undefined) return false;
  if (manager.fd < 0) manager.fd = libc.socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (manager.fd < 0 || libc.connect(manager.fd, byReference(address), address.length) < 0) return false;
  manager.path = path;
  return true;
}

const manager = { fd: -1, path: '' };
