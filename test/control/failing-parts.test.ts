/** What happens to a node with an address when a part of it fails: the clock jumps, a thread hangs or runs out of heap. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { until } from '../helpers/balancers.js';
import { createHost, needsRoot } from './host.js';

const VHID = `carp a
    interface ctl0
    vhid 1
    pass x
    address 10.10.0.1/16
`;
const WWW = `defaults
    mode http
    timeout connect 1s
    timeout client 5s
    timeout server 5s
listen www
    bind 10.10.0.1:80
    server s 127.0.0.1:9001 check inter 200ms
`;

test('a wall clock that jumps by days, to and fro, moves no address and fails no request', {
  skip: needsRoot,
}, async (t) => {
  // every thread reads it: each look at the wall clock is two days from the one before
  const jumps = 'let n = 0; const now = Date.now; Date.now = () => now() + (n++ % 2 ? 864e5 : -864e5);';
  const host = createHost(t, { NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(jumps)}` });
  await host.serve(9001, 'hello').listening;
  const daemon = host.start('-f', host.file('a.cfg', VHID + WWW));
  await daemon.sees(/BACKUP -> MASTER/);
  for (let count = 0; count < 5; count++) assert.equal(await host.get('http://10.10.0.1/'), '200 hello');
  assert.doesNotMatch(daemon.log(), /MASTER -> |is down|stood still|stall/);
  assert.ok(host.addresses().some((address) => address.startsWith('10.10.0.1/')));
  daemon.process.kill('SIGTERM');
  assert.equal(await daemon.ended(), 0, daemon.log());
});

test('a node whose control thread hangs gives its address away, and comes back when it moves again', {
  skip: needsRoot,
}, async (t) => {
  const hang = `import { isMainThread } from 'node:worker_threads';
    if (isMainThread) process.on('SIGWINCH', () => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 9000));`;
  const host = createHost(t, { NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(hang)}` });
  const daemon = host.start('-f', host.file('a.cfg', VHID));
  const holds = () => host.addresses().some((address) => address.startsWith('10.10.0.1/'));
  await daemon.sees(/BACKUP -> MASTER/);
  const hung_ms = performance.now();
  daemon.process.kill('SIGWINCH');
  await until('the carp thread takes the address away by itself', () => !holds());
  assert.ok(performance.now() - hung_ms < 8_900, 'while the control thread hangs still');
  await daemon.sees(/MASTER -> INIT: the control thread has not moved for 6000 ms/);
  await daemon.sees(/INIT -> BACKUP: all threads move again/);
  daemon.process.kill('SIGTERM');
  assert.equal(await daemon.ended(), 0);
});

/** Code that every data thread runs in each pass once the file `signal` is there. */
function inDataThreads(signal: string, code: string): string {
  const fault = `import { existsSync } from 'node:fs'; import { workerData } from 'node:worker_threads';
    const { store } = Atomics;
    if (workerData?.first) Atomics.store = (...words) => { if (existsSync('${signal}')) { ${code} } return store(...words); };`;
  return `--import=data:text/javascript,${encodeURIComponent(fault)}`;
}

test('a node whose data thread hangs gives its address away and says why, and comes back when it moves again', {
  skip: needsRoot,
}, async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'carpool-hangs-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const signal = join(folder, 'hang');
  const hang = `while (existsSync('${signal}')) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 20);`;
  const host = createHost(t, { NODE_OPTIONS: inDataThreads(signal, hang) });
  await host.serve(9001, 'hello').listening;
  const daemon = host.start('-f', host.file('a.cfg', VHID + WWW));
  const holds = () => host.addresses().some((address) => address.startsWith('10.10.0.1/'));
  await daemon.sees(/BACKUP -> MASTER/);
  writeFileSync(signal, '');
  await daemon.sees(/MASTER -> INIT: the data \d thread has not moved for 2000 ms/);
  await until('the address is gone', () => !holds());
  for (const command of ['status', 'explain'])
    assert.match(host.run(command).stdout, /data \d thread has not moved/, command);
  rmSync(signal);
  await daemon.sees(/INIT -> BACKUP: all threads move again.*BACKUP -> MASTER/s);
  assert.equal(await host.get('http://10.10.0.1/'), '200 hello');
  daemon.process.kill('SIGTERM');
  assert.equal(await daemon.ended(), 0);
});

test('a data thread that runs out of heap takes the node out: it bows out, tells why, and leaves nothing behind', {
  skip: needsRoot,
}, async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'carpool-heap-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const signal = join(folder, 'fill');
  const fill = 'for (const all = []; ; ) all.push(new Array(100_000).fill(all.length));';
  const host = createHost(t, { NODE_OPTIONS: `--max-old-space-size=96 ${inDataThreads(signal, fill)}` });
  const daemon = host.start('-f', host.file('a.cfg', VHID + WWW));
  await daemon.sees(/BACKUP -> MASTER/);
  writeFileSync(signal, '');
  assert.equal(await daemon.ended(), 1);
  assert.match(daemon.log(), /stopping: data thread \d failed: .*memory/);
  // on a busy machine collecting garbage takes so long that the carp thread sees the hang first
  assert.match(daemon.log(), /MASTER -> INIT: (?:data thread \d failed|the data \d thread has not moved)/);
  assert.deepEqual(host.addresses(), ['10.10.0.5/16']);
});
