/** Findings of the doctor that take rare hosts: from facts, without any. The others are provoked in doctor-*.test.ts. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { diagnose } from '#src/control/doctor/diagnose.js';
import type { DoctorFacts, DoctorVhid, HeardFrame, LinkFacts } from '#src/control/doctor/facts.js';
import type { StatusReport, VhidReport } from '#src/control/status-report.js';

const LINK: LinkFacts = {
  name: 'eth0',
  mac: '02:00:00:00:00:01',
  up: true,
  multicast: true,
  parent: undefined,
  arp_ignore: 0,
  rp_filter: 0,
  ipv6: true,
  snooping_bridge: undefined,
};
const MACVLAN: LinkFacts = { ...LINK, name: 'carp0', mac: '00:00:5e:00:01:01', parent: 'eth0', rp_filter: 1 };
const LIVE = { name: 'web', state: 'MASTER', addresses: ['10.0.0.1/24'] } as unknown as VhidReport;
const VHID: DoctorVhid = {
  name: 'web',
  vhid: 1,
  interface: 'eth0',
  addresses: ['10.0.0.1'],
  advbase: 1,
  advskew: 0,
  mac: 'real',
  unicast: false,
  group: undefined,
  auth: undefined,
  live: LIVE,
};
const DAEMON = {
  pid: 100,
  frontends: [{ name: 'f' }],
  backends: [],
  orders: [],
  lost_log_lines: 0,
  last_lost_line_s: null,
  reactor: null,
  carp: { scheduling: 'SCHED_RR', guardian: true, stalls: 0, longest_stall_ms: 0, last_stall_s: null, taken: [] },
} as unknown as StatusReport;
const FACTS: DoctorFacts = {
  daemon: DAEMON,
  vhids: [VHID],
  host: {
    links: [LINK],
    addresses: [{ address: '10.0.0.1', prefix_length: 32, link: 'eth0' }],
    arp_ignore_all: 0,
    no_ring: undefined,
    real_time: true,
    nonlocal_bind: [],
    rivals: [],
  },
  segment: { allowed: true, listened_s: 4, frames: [], asked: ['10.0.0.1'], answers: [], removed: [], late_ms: 3 },
};
const FRAME: HeardFrame = {
  interface: 'eth0',
  source: '10.0.0.12',
  mac: '02:00:00:00:00:02',
  ttl: 255,
  protocol: 'carp',
  vhid: 1,
  advbase: 1,
  advskew: 100,
  authentic: true,
};
const ANSWER = { interface: 'eth0', address: '10.0.0.1', mac: '02:00:00:00:00:02' };

function codes(facts: DoctorFacts): string[] {
  return diagnose(facts).map(({ code }) => code);
}

function withVhid(changes: Partial<DoctorVhid>, facts: Partial<DoctorFacts> = {}): DoctorFacts {
  return { ...FACTS, ...facts, vhids: [{ ...VHID, ...changes }] };
}

const BACKUP = { ...LIVE, state: 'BACKUP' } as VhidReport;
const NO_ADDRESS = { ...FACTS.host, addresses: [] };

test('nothing is found where nothing is wrong, and own answers do not count', () => {
  assert.deepEqual(codes(FACTS), []);
  const own = { ...FACTS.segment, answers: [{ ...ANSWER, mac: LINK.mac }] };
  assert.deepEqual(codes({ ...FACTS, segment: own }), []);
});

test('a MASTER without its address', () => {
  assert.deepEqual(codes({ ...FACTS, host: NO_ADDRESS }), ['mastership-without-address']);
});

test('who answers ARP for the address, and who does not', () => {
  const answers = [ANSWER, { ...ANSWER, mac: '02:00:00:00:00:03' }];
  assert.deepEqual(codes({ ...FACTS, segment: { ...FACTS.segment, answers } }), ['multicast-filtered']);
  const backup = { host: NO_ADDRESS, segment: { ...FACTS.segment, frames: [FRAME], answers } };
  assert.deepEqual(codes(withVhid({ live: BACKUP }, backup)), ['address-twice']);
  const silent = { host: NO_ADDRESS, segment: { ...FACTS.segment, frames: [FRAME] } };
  assert.deepEqual(codes(withVhid({ live: BACKUP }, silent)), ['address-unanswered']);
});

test('of an address that two vhids share each node has it and answers for a part of the clients', () => {
  const two = { ...VHID, name: 'two', vhid: 2, live: { ...BACKUP, name: 'two' } };
  const segment = { ...FACTS.segment, frames: [{ ...FRAME, vhid: 2, advskew: 1 }] };
  assert.deepEqual(codes({ ...FACTS, segment, vhids: [VHID, two] }), []);
  assert.deepEqual(codes({ ...FACTS, segment: { ...segment, answers: [ANSWER] }, vhids: [VHID, two] }), []);
  const nobody = { ...VHID, live: BACKUP };
  assert.ok(codes({ ...FACTS, vhids: [nobody, two] }).includes('address-without-mastership'));
});

test('a MASTER whose peer is MASTER too because of a wrong digest is not told of filters', () => {
  const frames = [{ ...FRAME, authentic: false }];
  const found = codes({ ...FACTS, segment: { ...FACTS.segment, frames, answers: [ANSWER] } });
  assert.deepEqual(found, ['digest', 'address-twice']);
});

test('settings that the virtual MAC needs', () => {
  const host = { ...FACTS.host, links: [LINK, MACVLAN] };
  assert.deepEqual(codes(withVhid({ mac: 'virtual' }, { host })), ['arp-mode', 'rp-filter']);
  const mended = {
    ...host,
    links: [
      { ...LINK, arp_ignore: 1 },
      { ...MACVLAN, rp_filter: 2 },
    ],
  };
  assert.deepEqual(codes(withVhid({ mac: 'virtual' }, { host: mended })), []);
});

test('what the daemon and the machine tell of themselves', () => {
  const carp = { ...DAEMON.carp!, scheduling: 'SCHED_OTHER', guardian: false, taken: ['1@eth0'] } as const;
  assert.deepEqual(codes({ ...FACTS, daemon: { ...DAEMON, carp, lost_log_lines: 7, last_lost_line_s: 5 } }), [
    'vhid-taken',
    'no-real-time',
    'no-guardian',
    'log-lines-lost',
  ]);
  assert.deepEqual(codes({ ...FACTS, segment: { ...FACTS.segment, late_ms: 2500 } }), ['machine-stalls']);
  const owner = 'send errors of vhid 1 on eth0';
  const demotions = [{ owner, amount: 240, reason: 'adverts cannot be sent over IPv6: ENETUNREACH' }];
  assert.deepEqual(codes(withVhid({ live: { ...LIVE, demotions } })), ['adverts-not-sent']);
});

test('a backend without any server that is up is named, with the reason of its first one', () => {
  const of = (...ups: boolean[]) => {
    const servers = ups.map((up, i) => ({ name: `s${i}`, up, reason: 'connection refused' }));
    const backends = [{ name: 'app', mode: 'http', servers }] as unknown as StatusReport['backends'];
    return diagnose({ ...FACTS, daemon: { ...DAEMON, backends } }).map(({ code, message }) => `${code}: ${message}`);
  };
  const message = 'No server of backend app is up, so its requests get 503; s0: connection refused.';
  assert.deepEqual(of(false, false), [`no-server: ${message}`]);
  assert.deepEqual(of(false, true), []);
  assert.deepEqual(of(), []);
});

test('what happened long ago is no news', () => {
  const of = (ago_s: number) => {
    const carp = { ...DAEMON.carp!, stalls: 1, longest_stall_ms: 1500, last_stall_s: ago_s };
    const daemon = { ...DAEMON, carp, lost_log_lines: 7, last_lost_line_s: ago_s };
    return diagnose({ ...FACTS, daemon }).map(({ code, severity }) => `${severity} ${code}`);
  };
  assert.deepEqual(of(60), ['warning stalls', 'hint log-lines-lost']);
  assert.deepEqual(of(3601), ['hint stalls']);
});

test('a bridge that snoops matters to groups that live by memberships', () => {
  const host = { ...FACTS.host, links: [{ ...LINK, snooping_bridge: 'br0' }] };
  const of = (changes: Partial<DoctorVhid>) => codes(withVhid(changes, { host }));
  assert.deepEqual(of({}), []);
  assert.deepEqual(of({ group: '239.1.2.3' }), ['bridge-snoops']);
});

test('the MAC that a BACKUP keeps on a link that is down is the one that the MASTER answers with', () => {
  const mac = '00:00:5e:00:01:01';
  const links = [LINK, { ...MACVLAN, mac, up: false }];
  const segment = { ...FACTS.segment, frames: [FRAME], answers: [{ ...ANSWER, mac }] };
  const host = { ...NO_ADDRESS, links };
  assert.deepEqual(codes(withVhid({ mac: 'virtual', live: BACKUP }, { host, segment })), []);
});

test('another daemon, and a ucarp, that run the same vhid on this host', () => {
  const rivals = [
    { name: '1@eth0', pid: 100, program: 'carpool' },
    { name: '1@eth0', pid: 101, program: 'carpool' },
    { name: '1@eth0', pid: 102, program: 'ucarp' },
    { name: '2@eth0', pid: 103, program: 'ucarp' },
  ] as const;
  const found = diagnose({ ...FACTS, host: { ...FACTS.host, rivals } });
  assert.deepEqual(
    found.map(({ code, message }) => [code, message.slice(0, message.indexOf(' of this host'))]),
    [
      ['vhid-taken', 'Another carpool daemon (process 101)'],
      ['vhid-taken', 'A ucarp (process 102)'],
    ],
  );
});

test('a MASTER that adverts over both families is one', () => {
  const of = (source: string) => {
    const mac = `02:00:00:00:00:${source.slice(-2)}`;
    return Array.from({ length: 3 }, () => ({ ...FRAME, source, mac }));
  };
  const heard = (...sources: string[]) =>
    codes(
      withVhid(
        { live: BACKUP },
        { host: NO_ADDRESS, segment: { ...FACTS.segment, asked: [], frames: sources.flatMap(of) } },
      ),
    );
  assert.deepEqual(heard('10.0.0.12', 'fe80::12'), []);
  assert.deepEqual(heard('10.0.0.12', 'fe80::12', 'fe80::13'), ['several-masters']);
  const equal = of('fe80::12').concat(of('10.0.0.12'));
  const found = diagnose(
    withVhid(
      { live: BACKUP, advskew: 100 },
      { host: NO_ADDRESS, segment: { ...FACTS.segment, asked: [], frames: equal } },
    ),
  );
  assert.deepEqual(
    found.map(({ message }) => message.slice(0, 9)),
    ['10.0.0.12'],
    'it is named once',
  );
});

test('a unicast vhid minds neither multicast nor snooping', () => {
  const host = { ...FACTS.host, links: [{ ...LINK, multicast: false, snooping_bridge: 'br0' }] };
  assert.deepEqual(codes(withVhid({ unicast: true, group: '239.1.2.3' }, { host })), []);
});

test('every code that can be found stands in the guide', async () => {
  const { readdirSync, readFileSync } = await import('node:fs');
  const folder = new URL('../../../src/control/doctor/', import.meta.url);
  const text = readdirSync(folder)
    .map((name) => readFileSync(new URL(name, folder), 'utf8'))
    .join('');
  const known = [...text.matchAll(/finding\(\s*[^,]*?'(?:error|warning|hint)'[^,]*, '([a-z-]+)'/g)].map(
    ([, code]) => code!,
  );
  assert.ok(known.length >= 25, known.join());
  const guide = readFileSync(new URL('../../../docs/guides/doctor.md', import.meta.url), 'utf8');
  assert.deepEqual(
    known.filter((code) => !guide.includes(`\`${code}\``)),
    [],
  );
});
