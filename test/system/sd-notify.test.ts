import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { AF_UNIX, MSG_DONTWAIT, SOCK_CLOEXEC, SOCK_DGRAM } from '#src/system/abi/linux.js';
import { byReference } from '#src/system/arguments.js';
import { check } from '#src/system/errors.js';
import * as libc from '#src/system/libc.js';
import { notifyServiceManager } from '#src/system/sd-notify.js';
import { encodeUnixAddress } from '#src/system/socket-address.js';

/** A service manager's socket: what it hears. */
function listenAt(path: string): { hear(): string; close(): void } {
  const fd = check(libc.socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0), 'socket');
  const address = encodeUnixAddress(path)!;
  check(libc.bind(fd, byReference(address), address.length), 'bind');
  const memory = libc.allocatePinned(256);
  return {
    hear() {
      const length = libc.recv(fd, memory.address, 256, MSG_DONTWAIT);
      return length < 0 ? '' : new TextDecoder().decode(memory.bytes.slice(0, length));
    },
    close() {
      libc.close(fd);
      libc.munmap(memory.address, 256);
    },
  };
}

test('the service manager hears the state, on a path and on an abstract name', () => {
  const directory = mkdtempSync('/tmp/carpool-notify-');
  for (const path of [join(directory, 'notify'), `@carpool-notify-${process.pid}`]) {
    const manager = listenAt(path);
    notifyServiceManager('READY=1', { NOTIFY_SOCKET: path });
    assert.equal(manager.hear(), 'READY=1', path);
    manager.close();
  }
  rmSync(directory, { recursive: true });
});

test('no service manager, or one that does not listen, is no error', () => {
  notifyServiceManager('READY=1', {});
  notifyServiceManager('READY=1', { NOTIFY_SOCKET: '' });
  notifyServiceManager('READY=1', { NOTIFY_SOCKET: '/nowhere/notify' });
  notifyServiceManager('READY=1', { NOTIFY_SOCKET: `/${'x'.repeat(200)}` });
});
