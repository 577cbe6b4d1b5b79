/** The forms in which each system's ifconfig shows a vhid. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { shownNames } from '#src/config/ifconfig/shown-names.js';
import { type IfconfigForm, type IfconfigVhid, renderIfconfig as render } from '#src/control/status-ifconfig.js';

type Vhid = Omit<IfconfigVhid, 'shown'>;

/** Named as the daemon names them. */
function renderIfconfig(vhids: readonly Vhid[], form?: IfconfigForm): string {
  const names = shownNames(vhids);
  return render(
    vhids.map((vhid, position) => ({ ...vhid, shown: names[position]! })),
    form,
  );
}

const WEB: Vhid = {
  name: 'web',
  dialect: 'native',
  disabled: false,
  vhid: 1,
  state: 'MASTER',
  interface: 'eth0',
  addresses: [{ address: '10.10.0.1', prefix_length: 16 }],
  advbase: 1,
  advskew: 0,
  peers: [],
  balancing: 'none',
};

const MAIL: Vhid = {
  ...WEB,
  name: 'carp7',
  vhid: 20,
  state: 'BACKUP',
  addresses: [
    { address: '10.10.0.2', prefix_length: 16 },
    { address: '2001:db8::2', prefix_length: 64 },
  ],
  advskew: 100,
};

test("what nobody's ifconfig wrote is shown as FreeBSD up to 9 does, with a number where it has none", () => {
  assert.deepEqual(renderIfconfig([WEB, MAIL]).split('\n'), [
    'carp0: flags=49<UP,LOOPBACK,RUNNING> metric 0 mtu 1500',
    '\tinet 10.10.0.1 netmask 0xffff0000',
    '\tcarp: MASTER vhid 1 advbase 1 advskew 0',
    'carp7: flags=49<UP,LOOPBACK,RUNNING> metric 0 mtu 1500',
    '\tinet 10.10.0.2 netmask 0xffff0000',
    '\tinet6 2001:db8::2 prefixlen 64',
    '\tcarp: BACKUP vhid 20 advbase 1 advskew 100',
    '',
  ]);
});

test('no two are shown under one name', () => {
  const names = ['web', 'carp0', 'mail', 'carp2', 'em0:1'].map((name) => ({ name }));
  assert.deepEqual(shownNames(names), ['carp1', 'carp0', 'carp3', 'carp2', 'carp4']);
});

test('a carp interface that is down, or has no vhid yet, is not UP', () => {
  const created = { ...WEB, name: 'carp0', vhid: undefined, state: 'INIT' as const, addresses: [] };
  assert.equal(renderIfconfig([created]), 'carp0: flags=8<LOOPBACK> metric 0 mtu 1500\n');
  assert.match(renderIfconfig([{ ...WEB, disabled: true, state: 'INIT' }]), /^carp0: flags=8<LOOPBACK> /);
});

test('FreeBSD from 10 on shows the vhids of one interface together, on its addresses', () => {
  const vhids = [WEB, { ...MAIL, peers: ['10.10.0.12'] }].map((vhid) => ({
    ...vhid,
    name: `em0:${vhid.vhid}`,
    dialect: 'freebsd10' as const,
    interface: 'em0',
  }));
  assert.deepEqual(renderIfconfig(vhids).split('\n'), [
    'em0: flags=8843<UP,BROADCAST,RUNNING,SIMPLEX,MULTICAST> metric 0 mtu 1500',
    '\tinet 10.10.0.1 netmask 0xffff0000 broadcast 10.10.255.255 vhid 1',
    '\tinet 10.10.0.2 netmask 0xffff0000 broadcast 10.10.255.255 vhid 20',
    '\tinet6 2001:db8::2 prefixlen 64 vhid 20',
    '\tcarp: MASTER vhid 1 advbase 1 advskew 0',
    '\tcarp: BACKUP vhid 20 advbase 1 advskew 100',
    '\t      peer 10.10.0.12 peer6 ff02::12',
    '',
  ]);
});

test('OpenBSD shows the parent, and several nodes below each other', () => {
  const one = { ...WEB, name: 'carp1', dialect: 'openbsd' as const, interface: 'em0', peers: ['10.0.0.2'] };
  assert.deepEqual(renderIfconfig([one]).split('\n'), [
    'carp1: flags=8843<UP,BROADCAST,RUNNING,SIMPLEX,MULTICAST> mtu 1500',
    '\tcarp: MASTER carpdev em0 vhid 1 advbase 1 advskew 0 carppeer 10.0.0.2',
    '\tgroups: carp',
    '\tstatus: master',
    '\tinet 10.10.0.1 netmask 0xffff0000 broadcast 10.10.255.255',
    '',
  ]);
  const nodes = [
    { ...one, name: 'carp2:1', peers: [], balancing: 'arp' as const },
    { ...one, name: 'carp2:2', peers: [], balancing: 'arp' as const, vhid: 2, advskew: 100, state: 'BACKUP' as const },
  ];
  assert.deepEqual(renderIfconfig(nodes).split('\n').slice(1, 4), [
    '\tcarp: carpdev em0 advbase 1 balancing arp',
    '\t\tstate MASTER vhid 1 advskew 0',
    '\t\tstate BACKUP vhid 2 advskew 100',
  ]);
});

test('every vhid can be shown in a form that is not its own', () => {
  assert.match(renderIfconfig([WEB], 'freebsd10'), /^eth0: .*\n\tinet 10\.10\.0\.1 .* vhid 1\n/);
  assert.match(renderIfconfig([WEB], 'openbsd'), /^carp0: .*\n\tcarp: MASTER carpdev eth0 vhid 1 /);
});

test('netmasks of every length are right', () => {
  const netmask = (prefix_length: number) =>
    /netmask (\S+)/.exec(renderIfconfig([{ ...WEB, addresses: [{ address: '10.0.0.1', prefix_length }] }]))![1];
  assert.deepEqual([0, 1, 24, 32].map(netmask), ['0x00000000', '0x80000000', '0xffffff00', '0xffffffff']);
});
