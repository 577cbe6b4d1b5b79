/** What `carpool doctor` finds on this host and in the running daemon; each finding is provoked. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { chmodSync } from 'node:fs';
import { test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { PATIENCE_MS } from '../helpers/patience.js';
import { needs, peerPath } from '../helpers/peers.js';
import { CARP, codesOf, doctor } from './doctor.js';
import { createHost, needsRoot } from './host.js';

test('a VIP on a host where no daemon runs', { skip: needsRoot }, async (t) => {
  const host = createHost(t);
  host.netlink.addAddress({
    index: host.netlink.indexOf('ctl0'),
    bytes: Uint8Array.of(10, 10, 0, 1),
    prefix_length: 32,
  });
  const codes = await codesOf(host, '-f', host.file('a.cfg', CARP));
  assert.ok(codes.includes('address-without-mastership'), codes.join());
});

test('settings under which nobody could ask for the address', { skip: needsRoot }, async (t) => {
  const host = createHost(t);
  const index = host.netlink.indexOf('ctl0');
  host.netlink.setLink(index, { ipv4_conf: { arp_ignore: 8 } });
  const path = host.file('a.cfg', CARP);
  assert.ok((await codesOf(host, '-f', path)).includes('arp-ignore'));
  host.netlink.setLink(index, { ipv4_conf: { arp_ignore: 1 } });
  assert.ok(!(await codesOf(host, '-f', path)).includes('arp-ignore'));
});

test('a second link in the same subnet answers ARP as well', { skip: needsRoot }, async (t) => {
  const host = createHost(t);
  host.netlink.addAddress({
    index: host.netlink.indexOf('ctl1'),
    bytes: Uint8Array.of(10, 10, 0, 6),
    prefix_length: 16,
  });
  const codes = await codesOf(host, '-f', host.file('a.cfg', CARP));
  assert.ok(codes.includes('arp-flux'), codes.join());
});

test('a link that is down, and one that takes no multicast', { skip: needsRoot || needs('ip') }, async (t) => {
  const host = createHost(t);
  const path = host.file('a.cfg', CARP);
  host.inside(() => spawn(peerPath('ip'), ['link', 'set', 'ctl0', 'multicast', 'off'], { stdio: 'inherit' }));
  for (const end_ms = performance.now() + PATIENCE_MS; !(await codesOf(host, '-f', path)).includes('multicast-off'); )
    assert.ok(performance.now() < end_ms);
  host.netlink.setLink(host.netlink.indexOf('ctl1'), { up: false });
  assert.ok((await codesOf(host, '-f', path)).includes('link-down'));
});

test('no such interface is told as the start of the daemon would tell it', { skip: needsRoot }, async (t) => {
  const host = createHost(t);
  const codes = await codesOf(host, '-f', host.file('a.cfg', CARP.replace('ctl0', 'nowhere0')));
  assert.equal(codes.filter((code) => code === 'interface-missing').length, 1, codes.join());
});

test('without the right to listen it says so, and does not die', { skip: needsRoot }, async (t) => {
  const host = createHost(t);
  const path = host.file('a.cfg', CARP);
  const { stdout, status } = host.runWithout(['net_raw', 'sys_nice'], 'doctor', '--seconds', '1', '-f', path);
  assert.match(stdout, /\[cannot-listen\]/);
  assert.match(stdout, /\[no-permission\]/);
  assert.match(stdout, /\[no-real-time\]/);
  assert.equal(status, 1);
});

test('a daemon that was stopped for a while, and one that is drained', { skip: needsRoot }, async (t) => {
  const host = createHost(t);
  const daemon = host.start('-f', host.file('a.cfg', CARP));
  await daemon.sees(/BACKUP -> MASTER/);
  assert.deepEqual(await codesOf(host), ['nonlocal-bind']);
  daemon.process.kill('SIGSTOP');
  await delay(1500);
  daemon.process.kill('SIGCONT');
  await daemon.sees(/stood still/);
  const codes = await codesOf(host);
  assert.ok(codes.includes('stalls'), codes.join());
  host.run('drain', '--reason', 'test');
  assert.ok((await codesOf(host)).includes('order-in-force'));
  chmodSync(host.socket, 0);
  const { status, stderr } = host.runWithout(['dac_override'], 'doctor', '--socket', host.socket);
  assert.match(stderr, /This user may not talk to the daemon/);
  assert.equal(status, 1);
});

test('two daemons with sockets of their own run the same vhid', { skip: needsRoot }, async (t) => {
  const host = createHost(t);
  const path = host.file('a.cfg', CARP);
  const first = host.start('-f', path, '--socket', `${host.directory}/first.sock`);
  await first.sees(/INIT -> BACKUP/);
  const second = host.start('-f', path);
  await second.sees(/warning: Another carpool daemon of this host runs vhid 1@ctl0 already\. \[vhid-taken\]/);
  await second.sees(/INIT -> BACKUP/);
  assert.doesNotMatch(first.log(), /vhid-taken/);
  const rivalsOf = async (...words: string[]) =>
    (await doctor(host, ...words)).findings.filter(({ code }) => code === 'vhid-taken').map(({ message }) => message);
  assert.match((await rivalsOf()).join(), /^Another carpool daemon of this host runs vhid 1@ctl0 too/);
  const to_first = await rivalsOf('--socket', `${host.directory}/first.sock`);
  assert.match(to_first.join(), new RegExp(`^Another carpool daemon \\(process ${second.process.pid}\\) of this host`));
  first.process.kill('SIGTERM');
  await first.ended();
  assert.deepEqual(await rivalsOf(), [], 'the second has it alone now');
});

test('a ucarp with the same vhid runs beside the daemon', { skip: needsRoot || needs('ucarp') }, async (t) => {
  const host = createHost(t);
  const daemon = host.start('-f', host.file('a.cfg', CARP));
  await daemon.sees(/INIT -> BACKUP/);
  const words = ['-i', 'ctl0', '-s', '10.10.0.5', '-v', '1', '-p', 'secret', '-a', '10.10.0.1', '-k', '200'];
  const scripts = ['-u', '/bin/true', '-d', '/bin/true'];
  const ucarp = host.inside(() => spawn(peerPath('ucarp'), [...words, ...scripts], { stdio: 'ignore' }));
  t.after(() => ucarp.kill('SIGKILL'));
  const { findings } = await doctor(host);
  const found = findings.find(({ code }) => code === 'vhid-taken');
  assert.match(
    found?.message ?? '',
    new RegExp(`^A ucarp \\(process ${ucarp.pid}\\) of this host runs vhid 1@ctl0 too`),
  );
});

test('the words are checked, and what is missing is said', { skip: needsRoot }, (t) => {
  const host = createHost(t);
  assert.match(host.run('doctor', '--quick').stderr, /^carpool: "doctor" takes -f FILE, --seconds N, --json and/);
  assert.match(host.run('doctor', '--seconds', '61').stderr, /a number from 0 to 60, and "61" is none/);
  assert.match(host.run('doctor', '-f').stderr, /^carpool: -f wants a value after it\.\n$/);
  const nothing = host.run('doctor', '--seconds', '0');
  assert.match(nothing.stdout, /^No vhid to look at: name a file/);
  assert.match(host.run('doctor', '-f', host.file('bad.cfg', 'carp web\n    vhid 999\n')).stderr, /bad\.cfg:2/);
});
