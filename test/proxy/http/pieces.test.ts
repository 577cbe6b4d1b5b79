/** Bytes that wait: heads in pieces, and what came before its turn. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Inbox } from '#src/proxy/http/inbox.js';
import { NO_ROOM, PartialHead } from '#src/proxy/http/partial-head.js';
import { Buffers, SMALL_BYTES } from '#src/reactor/buffers.js';
import type { Reactor } from '#src/reactor/reactor.js';
import { Slices } from '#src/reactor/slices.js';

function memory(small_count = 3, slice_count = 4) {
  const buffers = new Buffers({ small_count, large_count: 0, reserve: 0, pipe_count: 0 });
  buffers.poison = true;
  return { buffers, slices: new Slices(slice_count, buffers) };
}

function put(buffers: Buffers, at: number, text: string): { buffer: number; start: number; end: number } {
  const buffer = buffers.takeSmall();
  const start = buffers.offsetOf(buffer) + at;
  buffers.bytes.set(Buffer.from(text), start);
  return { buffer, start, end: start + text.length };
}

const textOf = (buffers: Buffers, start: number, end: number) =>
  Buffer.from(buffers.bytes.subarray(start, end)).toString();

test('pieces of a head are joined, also when the first one lies at the end of its buffer', () => {
  for (const shared of [false, true]) {
    const { buffers } = memory();
    const first = put(buffers, SMALL_BYTES - 4, 'GET ');
    if (shared) buffers.retain(first.buffer); // something else in it is still being sent
    const second = put(buffers, 100, '/path');
    const partial = new PartialHead(buffers);
    partial.keep(first.buffer, first.start, first.end);
    assert.equal(partial.append(second.start, second.end), 5);
    assert.equal(textOf(buffers, partial.start, partial.end), 'GET /path');
    if (shared) {
      assert.equal(textOf(buffers, first.start, first.end), 'GET ', 'the other bytes stay where they are');
      buffers.release(first.buffer);
    }
    buffers.release(second.buffer);
    partial.clear();
    assert.equal(buffers.small_left, buffers.small_count);
    buffers.destroy();
  }
});

test('a head that fills its buffer takes no more, and one without a buffer to move to says so', () => {
  const { buffers } = memory(2 + 1);
  const first = put(buffers, 0, 'x'.repeat(SMALL_BYTES - 2));
  const second = put(buffers, 0, 'abc');
  const partial = new PartialHead(buffers);
  partial.keep(first.buffer, first.start, first.end);
  assert.equal(partial.append(second.start, second.end), 2);
  assert.equal(partial.append(second.start, second.end), 0);
  buffers.retain(first.buffer);
  const last = put(buffers, 0, '');
  assert.equal(partial.append(second.start, second.end), NO_ROOM);
  buffers.release(last.buffer);
  buffers.release(first.buffer);
  buffers.release(second.buffer);
  partial.clear();
  assert.equal(buffers.small_left, 3);
  buffers.destroy();
});

test('where hardly a buffer is left, half a long head waits without one', () => {
  const { buffers } = memory(8);
  const taken = Array.from({ length: 7 }, () => put(buffers, 0, ''));
  const first = put(buffers, 100, 'x'.repeat(5_000));
  const partial = new PartialHead(buffers);
  partial.keep(first.buffer, first.start, first.end);
  assert.equal(buffers.small_left, 1, 'its buffer is free for others');
  const second = taken.pop()!;
  buffers.bytes.set(Buffer.from('yz'), second.start);
  assert.equal(partial.append(second.start, second.start + 2), 2);
  assert.equal(textOf(buffers, partial.start, partial.end), `${'x'.repeat(5_000)}yz`);
  for (const { buffer } of [second, ...taken]) buffers.release(buffer);
  partial.clear();
  assert.equal(buffers.small_left, 8);
  buffers.destroy();
});

test('what waits comes out in order, what was put back comes out first, and all of it goes home', () => {
  const { buffers, slices } = memory();
  const inbox = new Inbox({ buffers, slices } as unknown as Reactor);
  const { buffer, start } = put(buffers, 0, 'abc');
  buffers.retain(buffer);
  assert.ok(inbox.put(buffer, start + 1, 1));
  assert.ok(inbox.put(buffer, start + 2, 1));
  buffers.retain(buffer);
  assert.ok(inbox.putFirst(buffer, start, 1));
  let text = '';
  for (let count = 0; count < 2; count++) {
    const offset = slices.offset[inbox.first] as number;
    text += textOf(buffers, offset, offset + 1);
    inbox.drop();
    buffers.release(buffer);
  }
  assert.equal(text, 'ab');
  inbox.clear();
  assert.ok(inbox.empty);
  assert.equal(buffers.small_left, buffers.small_count);
  assert.equal(slices.left, slices.capacity);
  buffers.destroy();
});

test('without a slice nothing is kept and the reference is gone', () => {
  const { buffers, slices } = memory(3, 1);
  const inbox = new Inbox({ buffers, slices } as unknown as Reactor);
  const [first, second] = [put(buffers, 0, 'a'), put(buffers, 0, 'b')];
  assert.ok(inbox.put(first.buffer, first.start, 1));
  assert.equal(inbox.putFirst(second.buffer, second.start, 1), false);
  assert.equal(slices.offset[inbox.first], first.start);
  inbox.clear();
  assert.equal(buffers.small_left, buffers.small_count);
  buffers.destroy();
});
