/** The daemon as a balancer, and as both: carp and frontends in one file. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { createHost, MAIN, needsRoot } from './host.js';

const REFUSING = fileURLToPath(new URL('../reactor/refused-process.js', import.meta.url));
const IO_URING_SETUP = '425';

const PROXY = `global
    nbthread 2
defaults
    mode http
    timeout connect 1s
    timeout client 5s
    timeout server 5s
frontend http-in
    bind 10.10.0.1:8080
    default_backend servers
backend servers
    server a 10.10.0.5:9001 check inter 100 rise 1 fall 1
`;

const CARP = `carp web
    interface ctl0
    vhid 1
    pass "s3cret"
    address 10.10.0.1/16
    demote 240 unless { nbsrv(servers) ge 1 }
`;

test('a BACKUP listens on the VIP already, answers there as MASTER, and reports both', {
  skip: needsRoot,
}, async (t) => {
  const host = createHost(t);
  const web = host.serve(9001, 'hello');
  await web.listening;
  const daemon = host.start('-f', host.file('a.cfg', CARP + PROXY));
  await daemon.sees(/data thread 1 runs on (ring|epoll): /);
  await daemon.sees(/ ready$/m);
  await daemon.sees(/carp web: BACKUP -> MASTER/);
  assert.equal(await host.get('http://10.10.0.1:8080/'), '200 hello');

  const report = JSON.parse(host.run('status', '--json').stdout);
  assert.deepEqual(report.frontends, [
    { name: 'http-in', mode: 'http', binds: ['10.10.0.1:8080'], connections: 0, full: [] },
  ]);
  assert.equal(report.backends[0].servers[0].total, 1);
  assert.match(host.run('status').stdout, /^servers\/a +10\.10\.0\.5:9001 +up +1 +0 +1 /m);

  daemon.process.kill('SIGTERM');
  assert.equal(await daemon.ended(), 0);
  assert.deepEqual(host.addresses(), ['10.10.0.5/16']);
});

test('an address that is neither of this host nor a VIP is one diagnostic', { skip: needsRoot }, (t) => {
  const host = createHost(t);
  const { status, stderr } = host.run('-f', host.file('a.cfg', PROXY));
  assert.equal(status, 1);
  assert.match(
    stderr,
    /a\.cfg:9:\d+: error: This host has no address 10\.10\.0\.1, and no carp section .*\[address-not-here\]/,
  );
});

for (const reactor of ['ring', 'epoll']) {
  test(`a plain balancer runs on ${reactor} when told so, and stops on a second signal at once`, {
    skip: needsRoot,
  }, async (t) => {
    const host = createHost(t, { CARPOOL_REACTOR: reactor });
    const daemon = host.start(
      '-f',
      host.file('a.cfg', PROXY.replace('10.10.0.1:', '10.10.0.5:').replace('nbthread 2', 'nbthread 1')),
    );
    await daemon.sees(new RegExp(`data thread 0 runs on ${reactor}: CARPOOL_REACTOR says so`));
    await daemon.sees(/ ready$/m);
    daemon.process.kill('SIGTERM');
    daemon.process.kill('SIGTERM');
    assert.equal(await daemon.ended(), 0);
  });
}

test('CARPOOL_REACTOR with another word is one diagnostic', { skip: needsRoot }, (t) => {
  const host = createHost(t, { CARPOOL_REACTOR: 'uring' });
  const { status, stderr } = host.run('-f', host.file('a.cfg', CARP + PROXY));
  assert.equal(status, 1);
  assert.match(stderr, /^error: CARPOOL_REACTOR is "uring"; it may be "ring" or "epoll"\. \[unknown-reactor\]\n/m);
});

test('CARPOOL_REACTOR=ring where the kernel refuses io_uring is one diagnostic, and nothing is left behind', {
  skip: needsRoot,
}, (t) => {
  const host = createHost(t);
  const words = [
    REFUSING,
    IO_URING_SETUP,
    'ring',
    MAIN,
    '-f',
    host.file('a.cfg', CARP + PROXY),
    '--socket',
    host.socket,
  ];
  const { status, stderr } = host.inside(() => spawnSync(process.execPath, words, { encoding: 'utf8' }));
  assert.equal(status, 1);
  assert.match(stderr, /^error: CARPOOL_REACTOR asks for io_uring, .* \(io_uring_setup: EPERM\)\. \[no-io-uring\]\n/m);
  assert.doesNotMatch(stderr, /^ +at /m);
  assert.equal(existsSync(host.socket), false);
});

test('a data thread that fails ends the daemon with status 1, and nothing is left behind', {
  skip: needsRoot,
}, async (t) => {
  const fault =
    "import { workerData } from 'node:worker_threads'; if (workerData?.first) throw new Error('on purpose');";
  const host = createHost(t, { NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(fault)}` });
  const daemon = host.start('-f', host.file('a.cfg', CARP + PROXY));
  assert.equal(await daemon.ended(), 1);
  assert.match(daemon.log(), /stopping: data thread \d failed: .*on purpose/);
  assert.deepEqual(host.addresses(), ['10.10.0.5/16']);
  assert.equal(existsSync(host.socket), false);
});

test('a data thread that throws while it serves takes the node out: it bows out, tells why, and comes back when it is started again', {
  skip: needsRoot,
}, async (t) => {
  const directory = mkdtempSync('/tmp/carpool-fault-');
  t.after(() => rmSync(directory, { recursive: true }));
  const signal = join(directory, 'throw');
  // every pass of a data thread stores a beat
  const fault = `import { existsSync } from 'node:fs'; import { workerData } from 'node:worker_threads';
    const { store } = Atomics;
    if (workerData?.first) Atomics.store = (...words) => {
      if (existsSync('${signal}')) throw new Error('on purpose');
      return store(...words);
    };`;
  const host = createHost(t, { NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(fault)}` });
  await host.serve(9001, 'hello').listening;
  const words = ['-f', host.file('a.cfg', CARP + PROXY)];
  const daemon = host.start(...words);
  await daemon.sees(/BACKUP -> MASTER/);
  assert.ok(host.addresses().includes('10.10.0.1/32'));
  writeFileSync(signal, '');
  assert.equal(await daemon.ended(), 1);
  assert.match(daemon.log(), /stopping: data thread \d failed: .*on purpose/);
  assert.match(daemon.log(), /MASTER -> INIT: data thread \d failed: Error: on purpose$/m);
  assert.match(daemon.log(), /error: stack of the failure: at .*$/m);
  assert.doesNotMatch(daemon.log(), /^ +at /m);
  assert.deepEqual(host.addresses(), ['10.10.0.5/16']);
  rmSync(signal);
  await host.start(...words).sees(/BACKUP -> MASTER/);
});
