/**
 * The commands of the BSDs' documents, in their order, against a daemon that was started without any file. Only names and
 * addresses are put in: `ifconfig` is `carpool ifconfig` here.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { waitUntil } from '#src/control/shutdown.js';
import { PATIENCE_MS } from '../helpers/patience.js';
import { createHost, type Host, needsRoot } from './host.js';

/** Runs a line as a shell would; it must succeed. Returns what it printed. */
function type(host: Host, line: string): string {
  const { status, stdout, stderr } = host.run(...line.split(' '));
  assert.equal(status, 0, `${line}: ${stderr}`);
  return stdout;
}

/** Runs a line that must be refused. Returns the sentence. */
function typo(host: Host, line: string): string {
  const { status, stderr } = host.run(...line.split(' '));
  assert.equal(status, 1, line);
  return stderr;
}

function startEmpty(host: Host) {
  const daemon = host.start('run');
  return { daemon, ready: daemon.sees(/ready/) };
}

test('FreeBSD up to 9: create, set, down, up, destroy', { skip: needsRoot }, async (t) => {
  const host = createHost(t);
  const { daemon, ready } = startEmpty(host);
  await ready;
  assert.equal(type(host, 'ifconfig carp0 create'), '');
  assert.equal(type(host, 'ifconfig'), 'carp0: flags=8<LOOPBACK> metric 0 mtu 1500\n');
  assert.match(
    typo(host, 'ifconfig vhid 1 pass s3cret 10.10.0.1/16'),
    /needs the name of an interface before anything else\. \[ifconfig-without-interface\]\n +Name the interface first: `ifconfig carp0 vhid 1 pass s3cret 10\.10\.0\.1\/16`/,
  );
  assert.equal(type(host, 'ifconfig carp0 vhid 1 pass s3cret 10.10.0.1/16'), '');
  await daemon.sees(/carp carp0: BACKUP -> MASTER/);
  assert.equal(
    type(host, 'ifconfig'),
    'carp0: flags=49<UP,LOOPBACK,RUNNING> metric 0 mtu 1500\n' +
      '\tinet 10.10.0.1 netmask 0xffff0000\n' +
      '\tcarp: MASTER vhid 1 advbase 1 advskew 0\n',
  );
  assert.deepEqual(host.addresses(), ['10.10.0.5/16', '10.10.0.1/32']);

  type(host, 'ifconfig carp0 down');
  await daemon.sees(/carp carp0: MASTER -> INIT/);
  await holds(host, ['10.10.0.5/16']);
  assert.match(type(host, 'ifconfig carp0'), /^carp0: flags=8<LOOPBACK> .*\n.*\n\tcarp: INIT vhid 1 /);
  type(host, 'ifconfig carp0 up');
  await daemon.sees(/INIT -> BACKUP[\s\S]*MASTER -> INIT[\s\S]*INIT -> BACKUP[\s\S]*BACKUP -> MASTER/);

  type(host, 'ifconfig carp0 alias 10.10.0.2/16');
  await holds(host, ['10.10.0.5/16', '10.10.0.1/32', '10.10.0.2/32']);
  type(host, 'ifconfig carp0 destroy');
  await holds(host, ['10.10.0.5/16']);
  assert.equal(type(host, 'ifconfig'), '');
});

test('what other words made is called as it is shown, by its section and by the label of its stanza', {
  skip: needsRoot,
}, async (t) => {
  const host = createHost(t);
  const stanza =
    'iface ctl0 inet static\n  address 10.10.0.5/16\n  ucarp-vid 3\n  ucarp-vip 10.10.0.9\n  ucarp-password x\n';
  const web = 'carp web\n    interface ctl0\n    vhid 1\n    pass "x"\n    address 10.10.0.1/16\n';
  const daemon = host.start('-f', host.file('web.cfg', web), '-f', host.file('interfaces', stanza));
  await daemon.sees(/carp web: BACKUP -> MASTER/);
  await daemon.sees(/carp 10\.10\.0\.9: BACKUP -> MASTER/);
  assert.match(type(host, 'ifconfig'), /^carp0: [\s\S]*^carp1: /m);
  assert.match(typo(host, 'ifconfig carp1 create'), /`carp1` exists already/);
  type(host, 'ifconfig carp0 down');
  await daemon.sees(/carp web: MASTER -> INIT/);
  assert.equal(type(host, 'ifconfig web'), type(host, 'ifconfig carp0'));
  type(host, 'ifconfig ctl0:ucarp down');
  await daemon.sees(/carp 10\.10\.0\.9: MASTER -> INIT/);
  assert.match(type(host, 'ifconfig ctl0:ucarp'), /^carp1: .*\n.*10\.10\.0\.9.*\n\tcarp: INIT vhid 3 /);
  type(host, 'ifconfig ctl0:ucarp up');
  await daemon.sees(/carp 10\.10\.0\.9: INIT -> BACKUP/);
  assert.match(
    typo(host, 'ifconfig ctl1:ucarp up'),
    /Give the stanza of ctl1 its ucarp- options, .*`carpool debian up ctl1`/,
  );
});

test('the third document: two vhids, its mistakes, and the sysctls of the whole host', {
  skip: needsRoot,
}, async (t) => {
  const host = createHost(t);
  const { daemon, ready } = startEmpty(host);
  await ready;
  assert.equal(
    type(host, 'sysctl net.inet.carp'),
    [
      'net.inet.carp.allow: 1',
      'net.inet.carp.preempt: 0',
      'net.inet.carp.log: 1',
      'net.inet.carp.arpbalance: 0',
      'net.inet.carp.suppress_preempt: 0',
      '',
    ].join('\n'),
  );
  type(host, 'ifconfig carp0 create');
  type(host, 'ifconfig carp1 create');
  assert.match(
    type(host, 'ifconfig carp0 vhid 1 pass my_password1'),
    /warning: `carp0` has no address yet, so there is nothing to share/,
  );
  assert.match(
    typo(host, 'ifconfig carp0 vhid 1 advskew pass my_password1'),
    /`advskew` has no value: the next word is `pass`\. \[missing-value\]/,
  );
  type(host, 'ifconfig carp0 10.10.0.1/16');
  assert.match(typo(host, 'ifconfig carp0 -alias'), /No address is named that shall go\. \[missing-value\]/);
  assert.match(
    type(host, 'ifconfig carp1 vhid 2 advskew 100 pass my_password2 10.10.0.2/16'),
    /warning: The vhids differ in advskew .* without preempt .* \[preempt-missing\]/,
  );
  await daemon.sees(/carp carp0: BACKUP -> MASTER/);
  await daemon.sees(/carp carp1: BACKUP -> MASTER/);
  assert.equal(type(host, 'sysctl net.inet.carp.preempt=1'), 'net.inet.carp.preempt: 0 -> 1\n');
  const preempts = JSON.parse(type(host, 'status --json')).vhids.map((vhid: { preempt: boolean }) => vhid.preempt);
  assert.deepEqual(preempts, [true, true]);

  assert.equal(type(host, 'sysctl net.inet.carp.demotion=50'), 'net.inet.carp.demotion: 0 -> 50\n');
  assert.equal(type(host, 'sysctl net.inet.carp.demotion=-20'), 'net.inet.carp.demotion: 50 -> 30\n');
  assert.equal(JSON.parse(type(host, 'status --json')).vhids[1].advertised_advskew, 130);
  assert.equal(type(host, 'sysctl -n net.inet.carp.demotion'), '30\n');

  type(host, 'sysctl net.inet.carp.log=0');
  type(host, 'ifconfig carp1 down');
  type(host, 'sysctl net.inet.carp.log=1');
  type(host, 'sysctl net.inet.carp.allow=0');
  await daemon.sees(/carp carp0: MASTER -> INIT/);
  assert.doesNotMatch(daemon.log(), /carp carp1: MASTER -> INIT/);
  await holds(host, ['10.10.0.5/16']);
  assert.match(typo(host, 'sysctl net.inet.carp.suppress_preempt=1'), /is read only/);
  assert.match(typo(host, 'sysctl net.inet.carp.premept=1'), /Did you mean `net\.inet\.carp\.preempt`\?/);
});

test('FreeBSD from 10 on: a vhid of a link under its BSD name, and the state by command', {
  skip: needsRoot,
}, async (t) => {
  const host = createHost(t);
  const { daemon, ready } = startEmpty(host);
  await ready;
  const line = 'ifconfig em0 vhid 1 advskew 100 pass s3cret alias 10.10.0.1/32';
  assert.match(
    typo(host, line),
    /There is no interface em0 on this host\.[\s\S]*This host has ctl0, ctl1; say which one it is: `interface em0 = ctl0`/,
  );
  type(host, 'ifconfig ctl0 name em0');
  assert.equal(type(host, line), '');
  await daemon.sees(/carp em0:1: BACKUP -> MASTER/);
  assert.equal(
    type(host, 'ifconfig em0'),
    'em0: flags=8843<UP,BROADCAST,RUNNING,SIMPLEX,MULTICAST> metric 0 mtu 1500\n' +
      '\tinet 10.10.0.1 netmask 0xffffffff broadcast 10.10.0.1 vhid 1\n' +
      '\tcarp: MASTER vhid 1 advbase 1 advskew 100\n',
  );
  type(host, 'ifconfig em0 vhid 1 state backup');
  await daemon.sees(/carp em0:1: MASTER -> BACKUP/);
  type(host, 'ifconfig em0 vhid 1 state master');
  await daemon.sees(/MASTER -> BACKUP[\s\S]*BACKUP -> MASTER/);
  type(host, 'ifconfig em0 vhid 1 advskew 50');
  assert.match(type(host, 'ifconfig em0'), /advskew 50\n$/);
  assert.match(
    type(host, 'ifconfig em0 vhid 9 state master'),
    /warning: Vhid 9 of `em0` has no address yet, .*\n +Give it one: `ifconfig em0 vhid 9 alias 10\.10\.0\.1\/32`/,
  );
  type(host, 'ifconfig em0 10.10.0.1 -alias');
  await holds(host, ['10.10.0.5/16']);
});

test('OpenBSD: one line, and the group', { skip: needsRoot }, async (t) => {
  const host = createHost(t);
  const { daemon, ready } = startEmpty(host);
  await ready;
  type(host, 'ifconfig carp0 create');
  type(host, 'ifconfig carp0 inet 10.10.0.1 netmask 255.255.0.0 vhid 1 carpdev ctl0 pass s3cret advskew 10');
  await daemon.sees(/carp carp0: BACKUP -> MASTER/);
  assert.match(type(host, 'ifconfig carp0'), /\tcarp: MASTER carpdev ctl0 vhid 1 advbase 1 advskew 10\n/);
  type(host, 'ifconfig -g carp carpdemote 50');
  assert.equal(type(host, 'ifconfig -g carp'), 'carp: carp demote count 50\n');
  assert.equal(type(host, 'sysctl net.inet.carp.demotion'), 'net.inet.carp.demotion: 50\n');
  assert.match(
    typo(host, 'ifconfig carp0 carpnodes 1:0,2:100 balancing ip-stealth'),
    /`balancing ip-stealth` needs a kernel in which every node receives every frame/,
  );
});

test('a reload changes the carp sections, and a vhid that stays does not move', { skip: needsRoot }, async (t) => {
  const host = createHost(t);
  const web = 'carp web\n    interface ctl0\n    vhid 1\n    pass old\n    address 10.10.0.1/16\n';
  const file = host.file('a.cfg', web);
  const daemon = host.start('-f', file);
  await daemon.sees(/carp web: BACKUP -> MASTER/);
  type(host, 'ifconfig web alias 10.10.0.9/16');
  await holds(host, ['10.10.0.5/16', '10.10.0.1/32', '10.10.0.9/32']);

  const mail = 'carp mail\n    interface ctl0\n    vhid 2\n    pass x\n    address 10.10.0.3/16\n';
  host.file('a.cfg', `${web.replace('old', 'new')}    address 10.10.0.2/16\n${mail}    demote 10 if { always_true }\n`);
  type(host, 'reload');
  await daemon.sees(/carp mail: BACKUP -> MASTER/);
  await holds(host, ['10.10.0.5/16', '10.10.0.1/32', '10.10.0.2/32', '10.10.0.3/32']);
  assert.doesNotMatch(daemon.log(), /carp web: MASTER/);
  const skews = JSON.parse(type(host, 'status --json')).vhids.map(
    (vhid: { name: string; advertised_advskew: number }) => [vhid.name, vhid.advertised_advskew],
  );
  assert.deepEqual(skews, [
    ['web', 0],
    ['mail', 10],
  ]);

  host.file('a.cfg', mail.replace('ctl0', 'ctl7'));
  assert.equal(host.run('reload').status, 1);
  await daemon.sees(/There is no interface ctl7 on this host/);
  await holds(host, ['10.10.0.5/16', '10.10.0.1/32', '10.10.0.2/32', '10.10.0.3/32']);
  host.file('a.cfg', mail);
  type(host, 'reload');
  await holds(host, ['10.10.0.5/16', '10.10.0.3/32']);
});

async function holds(host: Host, addresses: readonly string[]): Promise<void> {
  const same = () => JSON.stringify(host.addresses().sort()) === JSON.stringify([...addresses].sort());
  assert.ok(await waitUntil(same, PATIENCE_MS), `the addresses are ${host.addresses().join(' ')}`);
}
