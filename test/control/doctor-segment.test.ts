/** What `carpool doctor` finds among the adverts that it hears; each finding is provoked on a segment of namespaces. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { type TestContext, test } from 'node:test';
import { ipv4Adverts, PacketSocket } from '#src/system/packet-socket.js';
import { peerFrame } from '../carp/peer.js';
import { PATIENCE_MS } from '../helpers/patience.js';
import { needs, peerPath } from '../helpers/peers.js';
import { CARP, codesOf, doctor, VIP } from './doctor.js';
import { createHost, type Host, needsRoot } from './host.js';

const PEER = { source: '10.10.0.12', vhid: 1, advbase: 1, advskew: 100, addresses: [VIP] };
const SEND_EVERY_MS = 100;

/** Another machine on the segment that sends these frames again and again. */
function send(t: TestContext, host: Host, frames: () => readonly Uint8Array[]): void {
  const socket = host.inside(() => new PacketSocket(host.netlink.indexOf('ctl1'), ipv4Adverts()));
  const timer = setInterval(() => {
    for (const frame of frames()) socket.send(frame);
  }, SEND_EVERY_MS);
  t.after(() => {
    clearInterval(timer);
    socket.close();
  });
}

test('a sound pair: a master is heard, and nothing is wrong', { skip: needsRoot }, async (t) => {
  const host = createHost(t);
  send(t, host, () => [peerFrame(PEER)]);
  const { status, findings } = await doctor(host, '-f', host.file('a.cfg', CARP));
  assert.deepEqual(
    findings.map(({ code }) => code),
    ['no-daemon'],
  );
  assert.equal(status, 0);
});

test('nobody is heard', { skip: needsRoot }, async (t) => {
  const host = createHost(t);
  assert.deepEqual(await codesOf(host, '-f', host.file('a.cfg', CARP)), ['no-advert', 'no-daemon']);
});

test('adverts with another password, by their source', { skip: needsRoot }, async (t) => {
  const host = createHost(t);
  send(t, host, () => [peerFrame({ ...PEER, pass: 'other' })]);
  const { status, findings } = await doctor(host, '-f', host.file('a.cfg', CARP));
  const found = findings.find(({ code }) => code === 'digest')!;
  assert.equal(found.severity, 'error');
  assert.match(found.message, /^Adverts of 10\.10\.0\.12 for vhid 1 do not authenticate/);
  assert.equal(status, 1);
});

test('another group with the same vhid is told from a peer with a wrong password', { skip: needsRoot }, async (t) => {
  const host = createHost(t);
  send(t, host, () => [
    peerFrame(PEER),
    peerFrame({ ...PEER, source: '10.10.0.99', pass: 'other' }),
    peerFrame({ ...PEER, source: '10.10.0.98', vhid: 2, pass: 'other' }),
  ]);
  const { findings } = await doctor(host, '-f', host.file('a.cfg', CARP));
  const found = findings.find(({ code }) => code === 'vhid-clash')!;
  assert.match(found.message, /^10\.10\.0\.99 adverts vhid 1 too/);
  assert.match(found.mend, /such as 3\.$/);
});

test('adverts that came through a router', { skip: needsRoot }, async (t) => {
  const host = createHost(t);
  send(t, host, () => [peerFrame({ ...PEER, ttl: 254 })]);
  const codes = await codesOf(host, '-f', host.file('a.cfg', CARP));
  assert.ok(codes.includes('ttl'), codes.join());
});

test('a peer with equal settings', { skip: needsRoot }, async (t) => {
  const host = createHost(t);
  send(t, host, () => [peerFrame({ ...PEER, advskew: 10 })]);
  const codes = await codesOf(host, '-f', host.file('a.cfg', CARP));
  assert.ok(codes.includes('equal-settings'), codes.join());
});

test('two masters on the segment', { skip: needsRoot }, async (t) => {
  const host = createHost(t);
  send(t, host, () => [peerFrame(PEER), peerFrame({ ...PEER, source: '10.10.0.13', advskew: 200 })]);
  const { findings } = await doctor(host, '-f', host.file('a.cfg', CARP));
  const found = findings.find(({ code }) => code === 'several-masters')!;
  assert.equal(found.message, 'There are several MASTERs: 10.10.0.12 and 10.10.0.13.');
});

test('VRRP with the same number, spoken by keepalived', { skip: needsRoot || needs('keepalived') }, async (t) => {
  const host = createHost(t);
  const instance = `vrrp_instance V { state MASTER
    interface ctl1
    virtual_router_id 1
    priority 100
    advert_int 0.2
    version 3
    virtual_ipaddress { 10.10.0.77/32 } }`;
  const file = host.file('keepalived.conf', `global_defs { vrrp_startup_delay 0 }\n${instance}\n`);
  host.netlink.addAddress({
    index: host.netlink.indexOf('ctl1'),
    bytes: Uint8Array.of(10, 10, 0, 14),
    prefix_length: 32,
  });
  const words = ['-n', '-f', file, '-p', `${file}.pid`, '-r', `${file}.vrrp`, '-c', `${file}.check`, '-l'];
  const keepalived = host.inside(() => spawn(peerPath('keepalived'), words, { stdio: 'ignore' }));
  t.after(() => keepalived.kill('SIGTERM'));
  const path = host.file('a.cfg', CARP);
  for (const end_ms = performance.now() + PATIENCE_MS; ; ) {
    const codes = await codesOf(host, '-f', path);
    if (codes.includes('vrrp-same-id')) return;
    assert.ok(performance.now() < end_ms, codes.join());
  }
});

test('what is accepted beside the own password while it is changed is no fault', { skip: needsRoot }, async (t) => {
  const host = createHost(t);
  send(t, host, () => [peerFrame({ ...PEER, pass: 'old' })]);
  const path = host.file('a.cfg', `${CARP}    also accept pass "old"\n`);
  assert.deepEqual(await codesOf(host, '-f', path), ['no-daemon']);
});
