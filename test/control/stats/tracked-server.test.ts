/** A server that tracks another one, while people change that one at run time. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { startBalancer } from '../../helpers/balancers.js';
import { freePort } from '../../helpers/ports.js';
import { askRuntime, parseStats, startWebServer } from './runtime.js';

test('who tracks a server follows what is set for it', async (t) => {
  const directory = mkdtempSync('/tmp/carpool-follow-');
  t.after(() => rmSync(directory, { recursive: true }));
  const [socket, port] = [join(directory, 'admin'), await freePort()];
  const config = `global
 stats socket ${socket} level admin
defaults
 mode http
 timeout connect 60s
 timeout client 60s
 timeout server 60s
listen app
 bind 127.0.0.1:${port}
 server a 127.0.0.1:${await startWebServer(t)} check inter 60s
backend also
 server b 127.0.0.1:1 track app/a
`;
  await startBalancer(t, 'carpool', config, port);
  const follower = async () => parseStats(await askRuntime(socket, 'show stat')).get('also/b')?.['status'];
  assert.equal(await askRuntime(socket, 'disable server app/a'), '\n');
  assert.equal(await follower(), 'MAINT (via app/a)');
  assert.equal(await askRuntime(socket, 'disable server also/b'), '\n');
  assert.equal(await askRuntime(socket, 'enable server app/a'), '\n');
  assert.equal(await follower(), 'MAINT', 'what is set for itself stays');
  assert.equal(await askRuntime(socket, 'enable server also/b'), '\n');
  assert.equal(await follower(), 'UP 1/3', 'one more check until it is wholly up');
});
