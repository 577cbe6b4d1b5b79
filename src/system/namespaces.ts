/**
 * Network namespaces of the calling thread. A namespace is a descriptor: it lives as long as a descriptor, a
 * process or an interface in it does, and leaves no name behind. Threads and processes that are started while a
 * thread is inside are born inside; libuv's own pool threads stay where they are.
 */
import { textByReference } from './arguments.ts';
import { check } from './errors.ts';
import * as libc from './libc.ts';

const CLONE_NEWNET = 0x40000000;
const O_RDONLY_CLOEXEC = 0o2000000;

/** A new namespace (with nothing but a loopback that is down) as a descriptor. Throws a SystemError (EPERM). */
export function createNetworkNamespace(): number {
  const home = currentNetworkNamespace();
  try {
    check(libc.unshare(CLONE_NEWNET), 'create network namespace');
    const created = currentNetworkNamespace();
    enterNetworkNamespace(home);
    return created;
  } finally {
    libc.close(home);
  }
}

/** A descriptor of the namespace that this thread is in; the caller closes it. */
export function currentNetworkNamespace(): number {
  return check(libc.open(textByReference('/proc/thread-self/ns/net'), O_RDONLY_CLOEXEC, 0), 'open network namespace');
}

/** Moves this thread, for good. */
export function enterNetworkNamespace(fd: number): void {
  check(libc.setns(fd, CLONE_NEWNET), 'enter network namespace');
}

/** Runs `body` (synchronously) inside the namespace and comes back, also when it throws. */
export function insideNetworkNamespace<T>(fd: number, body: () => T): T {
  const home = currentNetworkNamespace();
  try {
    enterNetworkNamespace(fd);
    try {
      return body();
    } finally {
      enterNetworkNamespace(home);
    }
  } finally {
    libc.close(home);
  }
}
