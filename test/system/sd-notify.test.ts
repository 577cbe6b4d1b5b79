import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { notifyServiceManager } from '#src/system/sd-notify.js';
import { listenForDatagrams } from '../helpers/datagrams.js';

test('the service manager hears the state, on a path and on an abstract name', () => {
  const directory = mkdtempSync('/tmp/carpool-notify-');
  for (const path of [join(directory, 'notify'), `@carpool-notify-${process.pid}`]) {
    const manager = listenForDatagrams(path);
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
