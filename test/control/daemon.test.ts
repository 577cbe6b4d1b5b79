/** The daemon with a carp-only file, from its command line, in a network namespace of its own. */
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { waitUntil } from '#src/control/shutdown.js';
import { PATIENCE_MS } from '../helpers/patience.js';
import { createHost, needsRoot } from './host.js';

const CARP = `carp web
    interface ctl0
    vhid 1
    pass "s3cret"
    address 10.10.0.1/16
`;

test('a carp-only file is a complete daemon: it rises, tells why, and leaves nothing behind', {
  skip: needsRoot,
}, async (t) => {
  const host = createHost(t);
  const daemon = host.start('-f', host.file('a.cfg', CARP));
  await daemon.sees(/carp web: BACKUP -> MASTER/);

  assert.match(host.run('status').stdout, /^1 +web +ctl0 +MASTER .* this node +1\.00 s +0 +10\.10\.0\.1\/16$/m);
  assert.equal(
    host.run('status', '--ifconfig').stdout,
    'carp0: flags=49<UP,LOOPBACK,RUNNING> metric 0 mtu 1500\n' +
      '\tinet 10.10.0.1 netmask 0xffff0000\n' +
      '\tcarp: MASTER vhid 1 advbase 1 advskew 0\n',
  );
  const report = JSON.parse(host.run('status', '--json').stdout);
  assert.equal(report.ready, true);
  assert.equal(report.pid, daemon.process.pid);
  assert.equal(report.vhids[0].master, '10.10.0.5');
  assert.match(report.vhids[0].reason, /nothing heard/);
  assert.deepEqual(host.addresses(), ['10.10.0.5/16', '10.10.0.1/32']);

  daemon.process.kill('SIGTERM');
  assert.equal(await daemon.ended(), 0);
  assert.deepEqual(host.addresses(), ['10.10.0.5/16']);
  assert.equal(existsSync(host.socket), false);
  assert.match(daemon.log(), /carp web: MASTER -> INIT: asked to stop \(SIGTERM\)/);
});

test('a constant rule demotes the vhid from the start, and status names the owner', { skip: needsRoot }, async (t) => {
  const host = createHost(t);
  const daemon = host.start('-f', host.file('a.cfg', `${CARP}    demote 100 if { always_true }\n`));
  await daemon.sees(/carp web: INIT -> BACKUP/);
  const [vhid] = JSON.parse(host.run('status', '--json').stdout).vhids;
  assert.equal(vhid.advertised_advskew, 100);
  assert.deepEqual(vhid.demotions, [
    { owner: 'config:if { always_true }', amount: 100, reason: 'the rule is always true' },
  ]);
  assert.match(host.run('status').stdout, /demoted by 100 \(config:if { always_true }\): the rule is always true/);
});

test('a second daemon is refused and the first goes on', { skip: needsRoot }, async (t) => {
  const host = createHost(t);
  const file = host.file('a.cfg', CARP);
  const first = host.start('-f', file);
  await first.sees(/INIT -> BACKUP/);
  const second = host.run('-f', file);
  assert.equal(second.status, 1);
  assert.match(second.stderr, /already answers on the control socket .* \[already-running\]/);
  assert.equal(host.run('status').status, 0);
});

test('without a daemon "carpool status" is one sentence and exit status 3', { skip: needsRoot }, (t) => {
  const host = createHost(t);
  for (const words of [['status'], ['status', '--json'], ['events']]) {
    const { status, stdout, stderr } = host.run(...words);
    assert.equal(status, 3);
    assert.equal(stdout, '');
    assert.match(stderr, /^carpool: No carpool daemon is running here: nobody answers on \S+\.\n$/);
  }
});

test('a killed daemon leaves a socket file that the next one replaces', { skip: needsRoot }, async (t) => {
  const host = createHost(t);
  const file = host.file('a.cfg', CARP);
  const killed = host.start('-f', file);
  await killed.sees(/INIT -> BACKUP/);
  killed.process.kill('SIGKILL');
  assert.equal(await killed.ended(), 'SIGKILL');
  assert.equal(host.run('status').status, 3);
  const next = host.start('-f', file);
  await next.sees(/INIT -> BACKUP/);
  assert.equal(host.run('status').status, 0);
});

test('"carpool events" tells of the stop before it ends', { skip: needsRoot }, async (t) => {
  const host = createHost(t);
  // an interval so long that it is BACKUP until the end
  const daemon = host.start('-f', host.file('a.cfg', `${CARP}    advbase 60\n`));
  await daemon.sees(/INIT -> BACKUP/);
  const { connect } = await import('node:net');
  const follower = connect(host.socket).setEncoding('utf8');
  let text = '';
  follower.on('data', (piece) => {
    text += piece;
  });
  follower.write('events\n');
  await new Promise((resolve) => follower.once('data', resolve));
  const end = new Promise((resolve) => follower.once('close', resolve));
  daemon.process.kill('SIGINT');
  await end;
  const events = text
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  const kinds = events.map((event) => (event.kind === 'transition' ? `${event.from} -> ${event.to}` : event.kind));
  assert.deepEqual(
    kinds.filter((kind) => kind !== 'log'),
    ['start', 'ready', 'INIT -> BACKUP', 'stop', 'BACKUP -> INIT'],
  );
  for (let i = 1; i < events.length; i++) assert.ok(events[i].at_ns >= events[i - 1].at_ns, 'in the order of time');
});

test("ucarp's arguments run in the foreground, with the up and down scripts", { skip: needsRoot }, async (t) => {
  const host = createHost(t);
  const out = `${host.directory}/out`;
  const script = host.file('script.sh', `#!/bin/sh\necho "$0 $@" >> ${out}\n`);
  const { chmodSync } = await import('node:fs');
  chmodSync(script, 0o755);
  const words = [
    '-i',
    'ctl0',
    '-s',
    '10.10.0.5',
    '-v',
    '7',
    '-p',
    'x',
    '-a',
    '10.10.0.9',
    '-u',
    script,
    '-d',
    script,
    '-z',
    '-n',
  ];
  const daemon = host.start('ucarp', ...words);
  await daemon.sees(/Switching to state: MASTER/);
  assert.ok(host.addresses().includes('10.10.0.9/32'));
  daemon.process.kill('SIGTERM');
  assert.equal(await daemon.ended(), 0);
  assert.equal(readFileSync(out, 'utf8'), `${script} ctl0 10.10.0.9\n${script} ctl0 10.10.0.9\n`);
  assert.deepEqual(host.addresses(), ['10.10.0.5/16']);
});

test('a vhid without a usable server is demoted, and rises when a server does', { skip: needsRoot }, async (t) => {
  const host = createHost(t);
  const text = `${CARP}    demote 240 unless { nbsrv(servers) ge 1 }
backend servers
    mode tcp
    server a 10.10.0.5:8080 check inter 100 rise 1 fall 1
`;
  const daemon = host.start('-f', host.file('a.cfg', text));
  await daemon.sees(/server servers\/a is down: /);
  await daemon.sees(/demoted by 240 on vhid 1 on ctl0: nbsrv\(servers\) is 0, the rule wants ge 1 /);
  await daemon.sees(/carp web: INIT -> BACKUP/);
  const down = JSON.parse(host.run('status', '--json').stdout);
  assert.equal(down.vhids[0].demotion, 240);
  assert.equal(down.backends[0].servers[0].up, false);

  host.occupyPort(8080, false);
  await daemon.sees(/server servers\/a is up: /);
  await daemon.sees(/no longer demoted on vhid 1 on ctl0 \(config:unless { nbsrv\(servers\) ge 1 }\)/);
  const up = JSON.parse(host.run('status', '--json').stdout);
  assert.deepEqual(up.vhids[0].demotions, []);
  assert.match(host.run('status').stdout, /^servers\/a +10\.10\.0\.5:8080 +up /m);
});

test('an error of carpool itself bows out and drops the addresses before it ends with status 1', {
  skip: needsRoot,
}, async (t) => {
  const fault = "process.on('SIGUSR2', () => { throw new Error('on purpose'); })";
  const host = createHost(t, { NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(fault)}` });
  const daemon = host.start('-f', host.file('a.cfg', CARP));
  await daemon.sees(/carp web: BACKUP -> MASTER/);
  daemon.process.kill('SIGUSR2');
  assert.equal(await daemon.ended(), 1);
  assert.match(daemon.log(), /stopping: an error of carpool itself: Error: on purpose/);
  assert.deepEqual(host.addresses(), ['10.10.0.5/16']);
  assert.equal(existsSync(host.socket), false);
});

test('a server whose name does not resolve starts as down, with a warning', { skip: needsRoot }, async (t) => {
  const host = createHost(t);
  const text = `${CARP}backend servers\n    server a nowhere.invalid:80\n`;
  const daemon = host.start('-f', host.file('a.cfg', text));
  await daemon.sees(/a\.cfg:7:\d+: warning: .*"nowhere\.invalid".*\[name-not-resolved\]/);
  await daemon.sees(/INIT -> BACKUP/);
  assert.match(host.run('status').stdout, /^servers\/a +nowhere\.invalid:80 +DOWN .* is not resolved$/m);
});

test('a guardian that is killed is replaced, and the daemon goes on', { skip: needsRoot }, async (t) => {
  const host = createHost(t);
  const daemon = host.start('-f', host.file('a.cfg', CARP));
  await daemon.sees(/INIT -> BACKUP/);
  const pid = daemon.process.pid!;
  const children = () => readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim();
  const first = Number(children());
  assert.ok(first > 0, 'the guardian is its only child');
  process.kill(first, 'SIGKILL');
  await daemon.sees(/warning: the guardian ended; starting another/);
  assert.ok(await waitUntil(() => /^\d+$/.test(children()) && Number(children()) !== first, PATIENCE_MS));
  daemon.process.kill('SIGTERM');
  assert.equal(await daemon.ended(), 0);
});

test("FreeBSD's rc.conf runs as it is: the link is found by its subnet, and status keeps the name", {
  skip: needsRoot,
}, async (t) => {
  const host = createHost(t);
  // an interval so long that it is BACKUP until the end
  const text = 'cloned_interfaces="carp3"\nifconfig_carp3="vhid 1 advbase 60 advskew 100 pass s3cret 10.10.0.1/16"\n';
  const daemon = host.start('-f', host.file('rc.conf', text));
  await daemon.sees(/carp carp3: INIT -> BACKUP/);
  assert.equal(
    host.run('status', '--ifconfig').stdout,
    'carp3: flags=49<UP,LOOPBACK,RUNNING> metric 0 mtu 1500\n' +
      '\tinet 10.10.0.1 netmask 0xffff0000\n' +
      '\tcarp: BACKUP vhid 1 advbase 60 advskew 100\n',
  );
  assert.match(host.run('status').stdout, /^1 +carp3 +ctl0 +BACKUP /m);
});
