import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { parseAddress } from '#src/carp/address.js';
import { announcements, gratuitousArp } from '#src/carp/announce.js';
import { createFrameInfo, FRAME_ERRORS, peerKind, readFrame, virtualMac } from '#src/carp/frame.js';
import { createPdu, DECODE_ERRORS, decodePdu, encodePdu, PDU_BYTES } from '#src/carp/packet.js';
import { peerFrame } from './peer.js';

const byte = fc.integer({ min: 0, max: 255 });
const word = fc.integer({ min: 0, max: 0xffffffff });
const anyPdu = fc.record({
  vhid: byte,
  advskew: byte,
  advbase: byte,
  demote: byte,
  counter_high: word,
  counter_low: word,
  hmac: fc.uint8Array({ minLength: 20, maxLength: 20 }),
});

test('every advert comes out of decoding as it went into encoding, wherever it stands in the buffer', () => {
  fc.assert(
    fc.property(anyPdu, fc.nat(60), (pdu, at) => {
      const bytes = new Uint8Array(at + PDU_BYTES + 5).fill(0xaa);
      const decoded = createPdu();
      encodePdu(pdu, bytes, at);
      assert.equal(decodePdu(bytes, at, PDU_BYTES, decoded), null);
      assert.deepEqual(decoded, { ...pdu, hmac: Uint8Array.from(pdu.hmac) });
      assert.ok(bytes.subarray(at + PDU_BYTES).every((one) => one === 0xaa));
    }),
  );
});

test('one changed bit in an advert is always noticed', () => {
  fc.assert(
    fc.property(anyPdu, fc.nat(PDU_BYTES * 8 - 1), (pdu, bit) => {
      const bytes = new Uint8Array(PDU_BYTES);
      encodePdu(pdu, bytes, 0);
      bytes[bit >> 3] ^= 1 << (bit & 7);
      assert.notEqual(decodePdu(bytes, 0, PDU_BYTES, createPdu()), null);
    }),
  );
});

test('whatever bytes come, taking them apart ends with a known verdict and inside the buffer', () => {
  const info = createFrameInfo();
  const start = fc.constantFrom(
    [],
    [...peerFrame({ source: '10.0.0.2', vhid: 1, advbase: 1, advskew: 0 }).subarray(0, 24)],
  );
  fc.assert(
    fc.property(start, fc.uint8Array({ maxLength: 120 }), (head, tail) => {
      const bytes = Uint8Array.of(...head, ...tail);
      const error = readFrame(bytes, bytes.length, info);
      if (error !== null) return assert.ok(FRAME_ERRORS.includes(error));
      assert.ok(info.pdu_at + info.pdu_length <= bytes.length);
      const decodeError = decodePdu(bytes, info.pdu_at, info.pdu_length, createPdu());
      assert.ok(decodeError === null || DECODE_ERRORS.includes(decodeError));
    }),
    { numRuns: 2000 },
  );
});

/** A good frame, changed by `change`, with the IP checksum made right again. */
function verdictOn(change: (frame: Uint8Array) => void, length = 70): string | null {
  const frame = new Uint8Array(100);
  frame.set(peerFrame({ source: '10.0.0.2', vhid: 1, advbase: 1, advskew: 0 }));
  change(frame);
  mendHeader(frame);
  const info = createFrameInfo();
  const pdu = createPdu();
  return readFrame(frame, length, info) ?? decodePdu(frame, info.pdu_at, info.pdu_length, pdu);
}

function mendHeader(frame: Uint8Array): void {
  const view = new DataView(frame.buffer);
  view.setUint16(24, 0);
  let sum = 0;
  for (let at = 14; at < 34; at += 2) sum += view.getUint16(at);
  view.setUint16(24, ~((sum & 0xffff) + (sum >>> 16)));
}

const nothing = () => {};
const ladder: [string, string | null, string | null][] = [
  ['a good frame passes', verdictOn(nothing), null],
  ['padding after the IP packet does not matter', verdictOn(nothing, 100), null],
  ['a frame cut short is too short', verdictOn(nothing, 69), 'length'],
  ['an IP length beyond the frame is too long', verdictOn((frame) => frame.set([0, 60], 16)), 'length'],
  ['an IP length that cuts the advert is too short', verdictOn((frame) => frame.set([0, 55], 16)), 'length'],
  ['trailing bytes inside the IP length are refused', verdictOn((frame) => frame.set([0, 60], 16), 100), 'length'],
  ['ARP is not CARP', verdictOn((frame) => frame.set([0x08, 0x06], 12)), 'not-carp'],
  ['UDP is not CARP', verdictOn((frame) => frame.set([17], 23)), 'not-carp'],
  ['a fragment is not CARP', verdictOn((frame) => frame.set([0x20], 20)), 'not-carp'],
  ['VRRPv3 has another version', verdictOn((frame) => frame.set([0x31], 34)), 'version'],
  ['type 2 is no advert', verdictOn((frame) => frame.set([0x22], 34)), 'type'],
  ['a changed advskew breaks the checksum', verdictOn((frame) => frame.set([9], 36)), 'checksum'],
];
for (const [name, verdict, expected] of ladder) test(name, () => assert.equal(verdict, expected));

test('a damaged IP header is noticed', () => {
  const frame = peerFrame({ source: '10.0.0.2', vhid: 1, advbase: 1, advskew: 0 });
  frame[29] ^= 1;
  assert.equal(readFrame(frame, frame.length, createFrameInfo()), 'checksum');
});

test('the source MAC tells kernels, ucarp and everybody else apart', () => {
  for (const kind of ['kernel', 'ucarp', 'carpool'] as const)
    assert.equal(peerKind(peerFrame({ source: '10.0.0.2', vhid: 7, advbase: 1, advskew: 0, kind }), 7), kind);
  const other = peerFrame({ source: '10.0.0.2', vhid: 7, advbase: 1, advskew: 0, kind: 'kernel' });
  assert.equal(peerKind(other, 8), 'carpool', 'the virtual MAC of another vhid is not this one’s');
  assert.deepEqual([...virtualMac('ucarp', 42)], [0, 0, 0x5e, 0, 0, 42]);
});

test('gratuitous ARP has the address as sender and target, in both forms', () => {
  const mac = Uint8Array.of(2, 0, 0, 0, 0, 1);
  const hex = (frame: Uint8Array) => Buffer.from(frame).toString('hex');
  const request = hex(gratuitousArp('request', mac, Uint8Array.of(10, 0, 0, 1)));
  const reply = hex(gratuitousArp('reply', mac, Uint8Array.of(10, 0, 0, 1)));
  assert.equal(request, 'ffffffffffff0200000000010806000108000604000102000000000' + '10a0000010000000000000a000001');
  assert.equal(reply, 'ffffffffffff0200000000010806000108000604000202000000000' + '10a0000010200000000010a000001');
  assert.equal(announcements(mac, ['10.0.0.1', '10.0.0.2', '2001:db8::1'], false).length, 5);
});

test('addresses are read as people write them, and nothing else is', () => {
  const good: Record<string, string> = {
    '10.0.0.1': '0a000001',
    '::': '00'.repeat(16),
    '::1': `${'00'.repeat(15)}01`,
    '2001:db8::a': '20010db800000000000000000000000a',
    'fe80:2::200:5eff:fe00:1ff': 'fe8000020000000002005efffe0001ff',
    '1:2:3:4:5:6:7:8': '00010002000300040005000600070008',
    '::ffff:10.0.0.1': '00000000000000000000ffff0a000001',
  };
  for (const [text, hex] of Object.entries(good)) assert.equal(Buffer.from(parseAddress(text)!).toString('hex'), hex);
  const bad = [
    '',
    '10.0.0',
    '10.0.0.256',
    '10.0.0.1.2',
    '1::2::3',
    '1:2:3:4:5:6:7',
    '1:2:3:4:5:6:7:8:9',
    'g::',
    '12345::',
  ];
  for (const text of bad) assert.equal(parseAddress(text), undefined, text);
});
