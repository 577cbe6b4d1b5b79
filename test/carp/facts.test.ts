/** What the engine tells about itself: counters as netstat names them, bad senders, and what would move a vhid next. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatMapped, parseAddress, toMapped } from '#src/carp/address.js';
import { neighbourAdvertisement } from '#src/carp/announce.js';
import { netstatLines } from '#src/carp/counters.js';
import { badSources, createEngine, type Engine, nextDeadline_ns, status, step, will } from '#src/carp/engine.js';
import type { HostSettings, VhidSettings } from '#src/carp/events.js';
import { changeInterfaceMac } from '#src/carp/interface-mac.js';
import { checksum } from '#src/carp/packet.js';
import { advertIn, type PeerAdvert, peerFrame, vhidSettings } from './peer.js';

function engineWith(...changes: Partial<VhidSettings>[]): Engine {
  return engineOf({}, ...changes);
}

function engineOf(host: HostSettings, ...changes: Partial<VhidSettings>[]): Engine {
  const vhids = changes.map(vhidSettings);
  const engine = createEngine({ ...host, vhids, seed: Uint32Array.of(1, 2, 3, 4), lease_s: 2, wait_for_ready: false });
  step(engine, { kind: 'start' }, 0);
  return engine;
}

function hear(engine: Engine, advert: Partial<PeerAdvert>, now_s: number): void {
  const bytes = peerFrame({ source: '10.0.0.12', vhid: 1, advbase: 1, advskew: 0, ...advert });
  step(engine, { kind: 'frame', interface: 'eth0', bytes, length: bytes.length }, now_s * 1e9);
}

test('a BACKUP tells until when it waits, for whom, and what else would make it MASTER', () => {
  const engine = engineWith({ advskew: 100, preempt: true });
  hear(engine, {}, 1);
  const [vhid] = status(engine, 1e9);
  assert.deepEqual(vhid.heard, {
    source: '10.0.0.12',
    node: '10.0.0.12',
    mac: '02:00:00:00:00:77',
    kind: 'carpool',
    family: 4,
    advbase: 1,
    advskew: 0,
    demote: 0,
    interval_ns: 1e9,
    at_ns: 1e9,
  });
  assert.deepEqual([vhid.interval_ns, vhid.master_down_ns], [1_390_625_000, 3_390_625_000]);
  assert.deepEqual(vhid.outlook, [
    { when: 'silence', to: 'MASTER', at_ns: 4_390_625_000, family: 4 },
    { when: 'slower-master', to: 'MASTER', interval_ns: 1_390_625_000 },
    { when: 'bow-out', to: 'MASTER' },
  ]);
});

test('the end of a preempt delay comes first; without preempt only a master that is too slow would be replaced', () => {
  const delayed = engineWith({ preempt: true, preempt_delay_ns: 30e9 });
  hear(delayed, { advskew: 100 }, 1);
  assert.deepEqual(status(delayed)[0].outlook[0], { when: 'preempt', to: 'MASTER', at_ns: 31e9 });
  const patient = engineWith({});
  assert.deepEqual(status(patient)[0].outlook[1], { when: 'slower-master', to: 'MASTER', interval_ns: 3e9 });
});

test('a MASTER yields to a faster one, and a vhid in INIT waits for its obstacle to go', () => {
  const engine = engineWith({});
  step(engine, { kind: 'timer' }, nextDeadline_ns(engine));
  assert.deepEqual(status(engine)[0].outlook, [{ when: 'faster-master', to: 'BACKUP', interval_ns: 1e9 }]);
  step(engine, { kind: 'link', interface: 'eth0', up: false }, 4e9);
  assert.deepEqual(status(engine)[0].outlook, [{ when: 'obstacle', to: 'BACKUP', what: 'link of eth0 is down' }]);
});

test('who sends bad adverts is known with MAC, vhid, reason and number; of many the longest silent one makes room', () => {
  const engine = engineWith({});
  hear(engine, { pass: 'wrong' }, 1);
  hear(engine, { pass: 'wrong' }, 2);
  hear(engine, { source: '10.0.0.13', ttl: 254 }, 3);
  const seen = badSources(engine).map(({ source, vhid, why, count }) => [source, vhid, why, count]);
  assert.deepEqual(seen, [
    ['10.0.0.13', 1, 'dropped_ttl', 1],
    ['10.0.0.12', 1, 'dropped_digest', 2],
  ]);
  for (let host = 1; host <= 63; host++) hear(engine, { source: `10.0.1.${host}`, pass: 'wrong' }, 3 + host);
  const sources = badSources(engine).map(({ source }) => source);
  assert.equal(sources.length, 64);
  assert.ok(!sources.includes('10.0.0.12') && sources.includes('10.0.0.13'));
});

test('what is dropped is logged where the host wants it, of each sender once a second', () => {
  const engine = engineOf({ log_bad_adverts: true }, {});
  const logged = (source: string, now_s: number) => {
    const bytes = peerFrame({ source, vhid: 1, advbase: 1, advskew: 0, ttl: 254 });
    const event = { kind: 'frame', interface: 'eth0', bytes, length: bytes.length } as const;
    return step(engine, event, now_s * 1e9).flatMap((effect) => (effect.kind === 'log' ? effect.text : []));
  };
  const text =
    'an advert for vhid 1 from 10.0.0.12 (02:00:00:00:00:77) on eth0 is dropped: TTL or hop limit is not 255';
  assert.ok(logged('10.0.0.12', 1)[0].startsWith(text));
  assert.equal(logged('10.0.0.12', 1.9).length, 0);
  assert.equal(logged('10.0.0.13', 1.9).length, 1);
  assert.equal(logged('10.0.0.12', 2).length, 1);
});

test('counters have the names that netstat gives to them, of the host and of each vhid', () => {
  const engine = engineWith({}, { vhid: 2 });
  hear(engine, { pass: 'wrong' }, 1);
  hear(engine, { vhid: 9 }, 1);
  hear(engine, { ttl: 3 }, 1);
  const count = (lines: ReturnType<typeof netstatLines>, name: string) =>
    lines.find((line) => line.name === name)?.count;
  const host = netstatLines(engine.counters);
  assert.equal(count(host, 'received-inet-packets'), 3);
  assert.equal(count(host, 'dropped-bad-authentication'), 1);
  assert.equal(count(host, 'dropped-bad-vhid'), 1);
  assert.equal(count(host, 'dropped-wrong-ttl'), 1);
  const [one, two] = status(engine).map(({ counters }) => netstatLines(counters));
  assert.deepEqual([count(one, 'received-inet-packets'), count(two, 'received-inet-packets')], [2, 0]);
});

test('the will of a dual-stack vhid has a bow-out for each family, and to unicast peers as broadcast frames', () => {
  const addresses = ['10.0.0.1', '2001:db8::1'];
  const engine = engineWith({ addresses, source_address6: 'fe80::11', peers: ['10.0.0.12', '10.0.0.13'] });
  const frames = will(engine, 0);
  assert.deepEqual(
    frames.map((frame) => [Buffer.from(frame.subarray(0, 6)).toString('hex'), advertIn(frame).advskew]),
    [
      ['ffffffffffff', 255],
      ['ffffffffffff', 255],
      ['333300000012', 255],
    ],
  );
});

test('an unsolicited neighbour advertisement tells all nodes, overrides, and has a right checksum', () => {
  const mac = Uint8Array.of(2, 0, 0, 0, 0, 1);
  const address = parseAddress('2001:db8::1')!;
  const frame = neighbourAdvertisement({ mac, address, router: true });
  const text = Buffer.from(frame).toString('hex');
  assert.match(text, /^33330000000102000000000186dd6000000000203aff20010db80{23}1ff020{27}1/);
  assert.match(text, /8800....a000000020010db80{23}10201020000000001$/);
  const pseudo = new Uint8Array(8 + 32 + 32);
  pseudo.set([0, 0, 0, 32, 0, 0, 0, 58]);
  pseudo.set(frame.subarray(22), 8);
  assert.equal(checksum(pseudo, 0, pseudo.length), 0);
});

test('adverts go to the group, the MAC and from the MAC that the settings say', () => {
  const first = (settings: Partial<VhidSettings>) => {
    const engine = engineWith(settings);
    const sent = step(engine, { kind: 'timer' }, nextDeadline_ns(engine)).find((effect) => effect.kind === 'send');
    assert.ok(sent?.kind === 'send');
    const hex = Buffer.from(sent.frame).toString('hex');
    return [hex.slice(0, 12), hex.slice(12, 24), hex.slice(60, 68)];
  };
  const own = '02000a00000b';
  assert.deepEqual(first({}), ['01005e000012', own, 'e0000012']);
  assert.deepEqual(first({ broadcast: true }), ['ffffffffffff', own, 'e0000012']);
  assert.deepEqual(first({ multicast_address: '239.192.1.7' }), ['01005e400107', own, 'efc00107']);
  assert.deepEqual(first({ mac: 'virtual', vhid: 7 }), ['01005e000012', '00005e000107', 'e0000012']);
  assert.deepEqual(first({ mac: 'virtual', peers: ['10.0.0.12'] }), ['000000000000', own, '0a00000c']);
});

test('another group than the own one is not heard', () => {
  const engine = engineWith({ multicast_address: '239.192.1.7' });
  hear(engine, {}, 1);
  assert.equal(engine.counters.dropped_group, 1);
});

test('neighbours are told the virtual MAC, or the interface\u2019s own also after that changed', () => {
  for (const [mac, expected] of [
    ['virtual', '00005e000101'],
    ['real', '020000000042'],
  ] as const) {
    const engine = engineWith({ mac, addresses: ['10.0.0.1', '2001:db8::1'], source_address6: 'fe80::11' });
    changeInterfaceMac(engine, 'eth0', Uint8Array.of(2, 0, 0, 0, 0, 0x42));
    const effects = step(engine, { kind: 'timer' }, nextDeadline_ns(engine));
    const announce = effects.find((effect) => effect.kind === 'announce');
    assert.ok(announce?.kind === 'announce');
    const senders = announce.frames.map((frame) => Buffer.from(frame.subarray(6, 12)).toString('hex'));
    assert.deepEqual(new Set(senders), new Set([expected]));
  }
});

test('addresses are written as RFC 5952 wants them', () => {
  const texts = [
    '10.0.0.1',
    '::',
    '::1',
    '2001:db8::a',
    '2001:db8:0:1:1:1:1:1',
    '2001:0:0:1::1',
    'fe80::1:0:0:1',
    '1::',
  ];
  for (const text of texts) assert.equal(formatMapped(toMapped(parseAddress(text)!)), text);
});
