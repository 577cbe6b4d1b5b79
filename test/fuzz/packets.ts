/**
 * Frames on the wire: real ones (CARP of ucarp and the kernels over both families, VRRP 2 and 3, ARP) and ones that look
 * like them, with bits, fields and lengths changed, cut, padded, and often with checksums that are right again. An engine
 * hears a few of them in a row: each is heard or counted as dropped under exactly one name, and none that does not
 * authenticate moves a vhid.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createCounters } from '#src/carp/counters.js';
import { createEngine, type Engine, nextDeadline_ns, status, step } from '#src/carp/engine.js';
import type { Counters, VhidSettings } from '#src/carp/events.js';
import { checksum, PDU_BYTES } from '#src/carp/packet.js';
import { readHeardFrame } from '#src/control/doctor/read-frame.js';
import { between, type Random } from '#src/simulator/random.js';
import { peerFrame, vhidSettings } from '../carp/peer.js';
import { once, pick } from './dice.js';
import type { Target, Trial } from './target.js';

const FRAMES_MOST = 32;
const CHANGES_MOST = 5;
const BYTES_MOST = 1514;
const FIRST_NS = 10e9;
/** Bytes in which fields of Ethernet, IP and CARP begin, over IPv4 and IPv6. */
const FIELDS = [
  0, 6, 12, 13, 14, 15, 16, 17, 18, 20, 21, 22, 23, 24, 26, 30, 34, 35, 36, 37, 38, 39, 40, 42, 50, 54, 55, 57, 62,
];
const VALUES = [
  0, 1, 2, 5, 7, 14, 20, 21, 36, 42, 56, 76, 100, 112, 127, 128, 224, 254, 255, 0x21, 0x31, 0x45, 0x46, 0x60,
];

const here = new URL('../../../test/', import.meta.url);

export const PACKETS: Target = {
  name: 'packets',
  draw(random) {
    const frames = Array.from({ length: between(random, 1, FRAMES_MOST) }, () => drawFrame(random));
    return {
      run: () => hearAll(frames),
      print: () => frames.map((frame) => Buffer.from(frame).toString('hex')).join('\n'),
    } satisfies Trial;
  },
};

let captured: Uint8Array[] | undefined;

/** Frames of other programs, and such as would authenticate here. */
function realFrames(): Uint8Array[] {
  const vectors: { frame: string }[] = JSON.parse(readFileSync(new URL('carp/vectors.json', here), 'utf8'));
  const lines = readFileSync(new URL('fuzz/frames.txt', here), 'utf8').split('\n');
  const hex = [...vectors.map(({ frame }) => frame), ...lines.filter((line) => /^[0-9a-f]+$/.test(line))];
  const good = (['10.0.0.12', 'fe80::12'] as const).flatMap((source) =>
    [0, 100].map((advskew) => peerFrame({ source, vhid: 1, advbase: 1, advskew, addresses: ADDRESSES })),
  );
  return [...hex.map((text) => new Uint8Array(Buffer.from(text, 'hex'))), ...good];
}

function drawFrame(random: Random): Uint8Array {
  captured ??= realFrames();
  if (once(random, 20)) return vrrpFrame(random);
  if (once(random, 20)) return Uint8Array.from({ length: between(random, 0, 120) }, () => between(random, 0, 255));
  let frame: Uint8Array = pick(random, captured).slice();
  const changes = between(random, 0, CHANGES_MOST);
  for (let i = 0; i < changes; i++) frame = change(random, frame);
  return once(random, 2) ? mended(frame) : frame;
}

function change(random: Random, frame: Uint8Array): Uint8Array {
  const at = between(random, 0, Math.max(0, frame.length - 1));
  switch (between(random, 0, 5)) {
    case 0:
      return frame.slice(0, at);
    case 1:
      return Uint8Array.of(...frame, ...new Uint8Array(between(random, 1, once(random, 20) ? BYTES_MOST - 120 : 60)));
    case 2:
      frame[at] ^= 1 << between(random, 0, 7);
      return frame;
    case 3:
      frame[at] = between(random, 0, 255);
      return frame;
    default: {
      const field = pick(random, FIELDS);
      if (field < frame.length) frame[field] = pick(random, VALUES);
      return frame;
    }
  }
}

/** VRRP as nobody sends it: any version, any number of addresses, any length beside it. */
function vrrpFrame(random: Random): Uint8Array {
  const count = pick(random, [0, 1, 3, 5, 7, 20, 255]);
  const pdu = new Uint8Array(Math.min(8 + 4 * between(random, 0, 12), 100));
  pdu.set([pick(random, [0x21, 0x31, 0x22, 0x41]), pick(random, [0, 1, 21]), 100, count, 0, 1, 0, 0]);
  const sum = checksum(pdu, 0, pdu.length);
  pdu.set([sum >> 8, sum & 255], 6);
  const frame = new Uint8Array(34 + pdu.length);
  frame.set(peerFrame({ source: '10.0.0.12', vhid: 1, advbase: 1, advskew: 0 }).subarray(0, 34));
  frame.set([0, 20 + pdu.length], 16);
  frame.set(pdu, 34);
  return mended(frame);
}

/** Lengths stay as wrong as they are; the checksums of IPv4 and of the advert are made right. */
function mended(frame: Uint8Array): Uint8Array {
  const six = frame[12] === 0x86;
  const header = six ? 40 : (frame[14] & 15) * 4;
  if (frame.length < 14 + header || header < 20) return frame;
  if (!six) writeSum(frame, 14, header, 24);
  if (frame.length >= 14 + header + PDU_BYTES) writeSum(frame, 14 + header, PDU_BYTES, 14 + header + 6);
  return frame;
}

function writeSum(frame: Uint8Array, at: number, length: number, sum_at: number): void {
  frame.set([0, 0], sum_at);
  const sum = checksum(frame, at, length);
  frame.set([sum >> 8, sum & 255], sum_at);
}

const ADDRESSES = ['10.0.0.1', 'fe80::1', '2001:db8::1'];
const SETTINGS: readonly Partial<VhidSettings>[] = [
  { addresses: ADDRESSES, source_address6: 'fe80::11' },
  { vhid: 21, advskew: 100, addresses: ['10.77.0.90'] },
];

function hearAll(frames: readonly Uint8Array[]): string[] {
  const vhids = SETTINGS.map(vhidSettings);
  const engine = createEngine({ vhids, seed: Uint32Array.of(1, 2, 3, 4), lease_s: 2, wait_for_ready: false });
  step(engine, { kind: 'start' }, FIRST_NS);
  const verdicts = frames.map((frame, number) => hearOne(engine, frame, FIRST_NS + number * 1e6));
  status(engine, FIRST_NS + 1e9);
  return verdicts;
}

function hearOne(engine: Engine, frame: Uint8Array, now_ns: number): string {
  const bytes = frame.slice();
  const before = { ...engine.counters };
  const states = engine.vhids.map(({ state }) => state).join();
  const effects = step(engine, { kind: 'frame', interface: 'eth0', bytes, length: bytes.length }, now_ns);
  assert.equal(Buffer.compare(bytes, frame), 0, 'the engine wrote into the frame');
  assert.ok(effects.length <= 16, `${effects.length} effects of one frame`);
  assert.ok(nextDeadline_ns(engine) >= now_ns - 1e9, 'a deadline in the past');
  assert.ok(engine.bad_sources.length <= 64);
  const why = verdict(before, engine.counters);
  if (why !== 'heard') assert.equal(engine.vhids.map(({ state }) => state).join(), states, `${why} moved a vhid`);
  readHeardFrame('eth0', bytes, () => engine.vhids[0]!.auth);
  return why;
}

const DROPS = (Object.keys(createCounters()) as (keyof Counters)[]).filter((name) => name.startsWith('dropped_'));

/** Exactly one counter of drops went up, or the advert was heard. */
function verdict(before: Counters, after: Counters): string {
  const drops = DROPS.filter((name) => after[name] !== before[name]);
  const received = after.received - before.received;
  const steps = drops.reduce((sum, name) => sum + after[name] - before[name], 0);
  assert.ok(steps <= 1, `counted as ${drops.join(' and ')}`);
  assert.equal(received, drops[0] === 'dropped_not_carp' ? 0 : 1, `received grew by ${received} with ${drops.join()}`);
  return drops[0]?.slice('dropped_'.length) ?? 'heard';
}
