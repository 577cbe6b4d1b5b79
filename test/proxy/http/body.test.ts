import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BODY_CHUNKED, BODY_LENGTH, Body } from '#src/proxy/http/body.js';
import { NO_LENGTH } from '#src/proxy/http/message.js';

const CHUNKS = Buffer.from('6\r\nhello\n\r\n1a;x=y\r\nabcdefghijklmnopqrstuvwxyz\r\n0\r\nTrailer: x\r\n\r\n');

test('a chunked body ends after its trailers, in whatever pieces it comes', () => {
  for (let size = 1; size <= CHUNKS.length; size += 1) {
    const body = new Body();
    body.begin(BODY_CHUNKED, NO_LENGTH);
    for (let at = 0; at < CHUNKS.length; at += size) {
      assert.equal(body.done, false);
      const end = Math.min(at + size, CHUNKS.length);
      assert.equal(body.take(CHUNKS, at, end), end - at);
    }
    assert.equal(body.done, true);
  }
});

test('what follows a chunked body is not taken', () => {
  const body = new Body();
  body.begin(BODY_CHUNKED, NO_LENGTH);
  const bytes = Buffer.concat([CHUNKS, Buffer.from('HTTP/1.1 200 OK')]);
  assert.equal(body.take(bytes, 0, bytes.length), CHUNKS.length);
});

test('a chunked body is read by its chunks, whatever length was written beside it', () => {
  const body = new Body();
  body.begin(BODY_CHUNKED, 12);
  assert.equal(body.take(CHUNKS, 0, CHUNKS.length), CHUNKS.length);
  assert.equal(body.done, true);
});

test('a body with a length ends with its last byte', () => {
  const body = new Body();
  body.begin(BODY_LENGTH, 5);
  assert.equal(body.take(Buffer.from('hello world'), 0, 11), 5);
  assert.equal(body.done, true);
});

/** How much of `text` is taken as a chunked body in pieces of `size` bytes; -1: it makes no sense. */
function takenOf(text: string, size: number, body = new Body()): { taken: number; done: boolean } {
  const bytes = Buffer.from(text, 'latin1');
  body.begin(BODY_CHUNKED, NO_LENGTH);
  let taken = 0;
  for (let at = 0; at < bytes.length && !body.done; at += size) {
    const part = body.take(bytes, at, Math.min(at + size, bytes.length));
    if (part < 0) return { taken: part, done: false };
    taken += part;
  }
  return { taken, done: body.done };
}

test('chunks that can be read in two ways make no sense, however they are cut', () => {
  const nonsense = [
    'g\r\n',
    '\r\n',
    ' 1\r\nx\r\n0\r\n\r\n',
    '0x1\r\nx\r\n0\r\n\r\n',
    '-1\r\n',
    '+1\r\n',
    '1\nx\r\n0\r\n\r\n',
    '1\rx',
    '1 x\r\nx\r\n',
    '1;a\nb\r\nx\r\n',
    '1;\0\r\nx\r\n',
    '1\r\nxy\r\n',
    '1\r\nx\n0\r\n\r\n',
    '0\r\nA: b\nC: d\r\n\r\n',
    '0\r\nA: \0\r\n\r\n',
    '0\r\n\rX',
    '1000000000000\r\n',
    `1;${'x'.repeat(17_000)}`,
    `0\r\n${'A: b\r\n'.repeat(4_000)}`,
  ];
  for (const text of nonsense) {
    for (const size of [1, 2, 3, text.length]) {
      assert.equal(takenOf(text, size).taken, -1, `${JSON.stringify(text.slice(0, 40))} in pieces of ${size}`);
    }
  }
});

test('padded sizes of servers, big sizes and many chunks with extensions are read', () => {
  const many = `${'1 \t;ext="v"\r\nx\r\n'.repeat(3_000)}00000\r\n\r\n`;
  for (const text of ['1  \r\nx\r\n0\r\n\r\n', 'A\r\n0123456789\r\n0\r\n\r\n', many]) {
    for (const size of [1, 7, text.length]) {
      assert.deepEqual(takenOf(text, size, new Body(true)), { taken: text.length, done: true });
    }
  }
});
