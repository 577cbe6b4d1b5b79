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
