import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ADDRESS, CLEAN, encodeRecord, FORGET, FRAME, MAX_RECORD, WillReader } from '#src/system/guardian-will.js';

const NOTHING = new Uint8Array(0);
const ADDRESS_BYTES = Uint8Array.of(32, 10, 0, 0, 9);
const FRAME_BYTES = new Uint8Array(70).fill(7);

function record(kind: number, vhid: number, index: number, bytes: Uint8Array): Uint8Array {
  const into = new Uint8Array(MAX_RECORD);
  return into.slice(0, encodeRecord(into, kind, vhid, index, bytes));
}

const stream = Buffer.concat([
  record(FORGET, 1, 0, NOTHING),
  record(ADDRESS, 1, 3, ADDRESS_BYTES),
  record(FRAME, 1, 3, FRAME_BYTES),
]);

test('a will is what was written, in whatever pieces the pipe gives it', () => {
  for (const size of [1, 5, 13, stream.length]) {
    const reader = new WillReader();
    for (let at = 0; at < stream.length; at += size) reader.push(stream.subarray(at, at + size));
    const [will] = reader.wills.values();
    assert.deepEqual(will.addresses, [{ index: 3, prefix_length: 32, bytes: ADDRESS_BYTES.slice(1) }]);
    assert.deepEqual(will.frames, [{ index: 3, frame: FRAME_BYTES }]);
    assert.ok(!reader.clean);
  }
});

test('a vhid that is forgotten leaves nothing, and the others stay', () => {
  const reader = new WillReader();
  reader.push(stream);
  reader.push(record(ADDRESS, 2, 3, ADDRESS_BYTES));
  reader.push(record(FORGET, 1, 0, NOTHING));
  assert.deepEqual([...reader.wills.keys()], [2]);
});

test('CLEAN is heard behind other records', () => {
  const reader = new WillReader();
  reader.push(Buffer.concat([stream, record(CLEAN, 0, 0, NOTHING)]));
  assert.ok(reader.clean);
});

test('a record that one write could not carry whole is refused', () => {
  assert.throws(() => record(FRAME, 1, 1, new Uint8Array(MAX_RECORD)), RangeError);
});
