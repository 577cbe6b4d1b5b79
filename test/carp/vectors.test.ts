import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { createAuth, passwordKey, sign, verify } from '#src/carp/auth.js';
import { createFrame, createFrameInfo, PDU_AT_IPV4, PDU_AT_IPV6, readFrame } from '#src/carp/frame.js';
import { createPdu, decodePdu, encodePdu, type Pdu } from '#src/carp/packet.js';

/** Captured from ucarp, or computed by the kernels' rules; the notes in the file say which. */
type Vector = {
  name: string;
  password: string;
  vhid: number;
  vips4: string[];
  vips6: string[];
  advbase: number;
  advskew: number;
  counter: string;
  md: string;
  frame: string;
};

const file = new URL('../../../test/carp/vectors.json', import.meta.url);
const vectors: Vector[] = JSON.parse(readFileSync(file, 'utf8'));

test('there are eighteen vectors', () => assert.equal(vectors.length, 18));

for (const vector of vectors) {
  const frame = Buffer.from(vector.frame, 'hex');
  const pdu_at = frame[12] === 0x86 ? PDU_AT_IPV6 : PDU_AT_IPV4;

  test(`${vector.name} decodes to its values`, () => {
    const pdu = decode(frame);
    assert.equal(pdu.vhid, vector.vhid);
    assert.equal(pdu.advbase, vector.advbase);
    assert.equal(pdu.advskew, vector.advskew);
    assert.equal(pdu.demote, vector.name.endsWith('demote3') ? 3 : 0);
    assert.equal(counterText(pdu), vector.counter);
    assert.equal(Buffer.from(pdu.hmac).toString('hex'), vector.md);
  });

  test(`${vector.name} authenticates, however this node itself orders its addresses`, () => {
    const pdu = decode(frame);
    for (const order of ['sorted', 'list'] as const)
      for (const link_locals of [true, false]) {
        const auth = createAuth({ ...authSettings(vector), order, link_locals });
        assert.ok(verify(auth, pdu.counter_high, pdu.counter_low, pdu.hmac), `${order}, ${link_locals}`);
      }
  });

  test(`${vector.name} does not authenticate with another password or one more address`, () => {
    const pdu = decode(frame);
    const settings = authSettings(vector);
    const others = [
      createAuth({ ...settings, key: Uint8Array.of(...settings.key.subarray(0, 18), 1) }),
      createAuth({ ...settings, addresses: [...settings.addresses, '10.9.9.9'] }),
    ];
    for (const auth of others) assert.equal(verify(auth, pdu.counter_high, pdu.counter_low, pdu.hmac), false);
  });

  test(`${vector.name} is encoded to the very same bytes`, () => {
    const pdu: Pdu = { ...decode(frame), hmac: new Uint8Array(20) };
    sign(createAuth(authSettings(vector)).sent, pdu.counter_high, pdu.counter_low, pdu.hmac, 0);
    const built = createFrame(headerOf(frame));
    encodePdu(pdu, built, pdu_at);
    assert.equal(Buffer.from(built).toString('hex'), vector.frame);
  });
}

function decode(frame: Uint8Array): Pdu {
  const info = createFrameInfo();
  const pdu = createPdu();
  assert.equal(readFrame(frame, frame.length, info), null);
  assert.equal(decodePdu(frame, info.pdu_at, info.pdu_length, pdu), null);
  return pdu;
}

/** Everything that a sender chooses freely, taken from the vector; the rest createFrame must know. */
function headerOf(frame: Uint8Array) {
  const four = frame[12] === 0x08;
  return {
    destination_mac: frame.subarray(0, 6),
    source_mac: frame.subarray(6, 12),
    source: four ? frame.subarray(26, 30) : frame.subarray(22, 38),
    destination: four ? frame.subarray(30, 34) : frame.subarray(38, 54),
    tos: four ? frame[15] : ((frame[14] & 15) << 4) | (frame[15] >> 4),
    id: four ? (frame[18] << 8) | frame[19] : 0,
  };
}

function authSettings(vector: Vector) {
  return {
    // all 20 bytes only by netlink; every configuration language keeps 19
    key: vector.name === 'C7-key20' ? new TextEncoder().encode(vector.password) : passwordKey(vector.password),
    vhid: vector.vhid,
    addresses: [...vector.vips4, ...vector.vips6],
    order: vector.name === 'C2-listorder-v4' ? ('list' as const) : ('sorted' as const),
    link_locals: vector.name !== 'C5-dual-openbsd-demote3',
  };
}

function counterText(pdu: Pdu): string {
  return [pdu.counter_high, pdu.counter_low].map((word) => word.toString(16).padStart(8, '0')).join('');
}
