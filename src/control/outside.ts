/**
 * The file system as it was before a chroot, for reading the configuration again. The directory that was `/` stays open;
 * while a call runs it is the current directory, so that paths without their first slash lead where they did.
 */

import { textByReference } from '../system/arguments.ts';
import { check } from '../system/errors.ts';
import * as libc from '../system/libc.ts';

const O_PATH_DIRECTORY_CLOEXEC = 0o10000000 | 0o200000 | 0o2000000;

let root_fd = -1;

/** Before the chroot. */
export function keepOutside(): void {
  root_fd = check(libc.open(textByReference('/'), O_PATH_DIRECTORY_CLOEXEC, 0), 'open /');
}

/** `call` gets what to write before an absolute path: '.' in a chroot, '' without one. It must not wait for anything. */
export function outside<T>(call: (root: string) => T): T {
  if (root_fd < 0) return call('');
  check(libc.fchdir(root_fd), 'fchdir');
  try {
    return call('.');
  } finally {
    process.chdir('/');
  }
}
