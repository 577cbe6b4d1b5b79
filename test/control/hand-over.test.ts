/** A new process in the place of an old one: `-x SOCKET -sf PID`. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createHost, needsRoot } from './host.js';
import { steadyClient } from './steady.js';

const CONFIG = `global
    nbthread 2
carp web
    interface ctl0
    vhid 1
    pass "s3cret"
    address 10.10.0.1/16
frontend www
    mode http
    bind 10.10.0.5:8080
    timeout client 10s
    default_backend servers
backend servers
    mode http
    timeout connect 1s
    timeout server 10s
    server a 10.10.0.5:9001
`;

test('a new process takes listeners and mastership over: no request fails, and the address is back at once', {
  skip: needsRoot,
}, async (t) => {
  const host = createHost(t);
  await host.serve(9001, 'hello').listening;
  const file = host.file('a.cfg', CONFIG);
  const old = host.start('-f', file);
  await old.sees(/BACKUP -> MASTER/);
  const client = await steadyClient(host, 4, 4);
  const next = host.start('-f', file, '-x', host.socket, '-sf', String(old.process.pid));
  await next.sees(/ ready$/m);
  await next.sees(/BACKUP -> MASTER/);
  assert.ok(host.addresses().includes('10.10.0.1/32'));
  const took_ms = timeOf(next.log(), /BACKUP -> MASTER/) - timeOf(old.log(), /MASTER -> INIT/);
  assert.ok(took_ms < 500, `${took_ms} ms without the address`);
  assert.equal(await old.ended(), 0);
  const { answered, failed, reasons } = await client.stop();
  assert.equal(failed, 0, reasons.join('\n'));
  assert.ok(answered > 100);
  assert.match(host.run('status').stdout, new RegExp(`pid ${next.process.pid}`));
});

test('without a process to replace it starts as always', { skip: needsRoot }, async (t) => {
  const host = createHost(t);
  const daemon = host.start('-f', host.file('a.cfg', CONFIG), '-sf', '999999999');
  await daemon.sees(/BACKUP -> MASTER/);
});

function timeOf(log: string, pattern: RegExp): number {
  const line = log.split('\n').find((one) => pattern.test(one)) ?? '';
  return Date.parse(line.split(' ')[0] ?? '');
}
