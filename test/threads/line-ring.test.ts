import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createLineRing, LineRing, RING_BYTES } from '#src/threads/line-ring.js';

const encode = (text: string) => new TextEncoder().encode(text);

test('lines come out as they went in, also around the end of the ring', () => {
  const memory = createLineRing();
  const [writer, reader] = [new LineRing(memory), new LineRing(memory)];
  for (let turn = 0; turn < 10; turn++) {
    let expected = '';
    for (let line = 0; expected.length + 100 < RING_BYTES; line++) {
      const text = `${turn} ${line} ${'x'.repeat(70)}\n`;
      assert.ok(writer.put(encode(text), 0, text.length));
      expected += text;
    }
    assert.equal(Buffer.from(reader.takeAll()).toString(), expected);
  }
  assert.equal(reader.takeAll().length, 0);
});

test('a full ring takes no part of a line, and takes whole ones again when it was read', () => {
  const memory = createLineRing();
  const ring = new LineRing(memory);
  const half = new Uint8Array(RING_BYTES / 2 + 1);
  assert.ok(ring.put(half, 0, half.length));
  assert.ok(!ring.put(half, 0, half.length));
  assert.equal(ring.takeAll().length, half.length);
  assert.ok(ring.put(half, 0, half.length));
});

test('the reader is woken once for all that it has not taken', () => {
  const ring = new LineRing(createLineRing());
  ring.put(encode('a\n'), 0, 2);
  assert.ok(ring.announce());
  assert.ok(!ring.announce());
  ring.takeAll();
  assert.ok(ring.announce());
});
