import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Stall } from '#src/reactor/stall.js';

test('deadlines are looked at in each pass while nothing stands still', () => {
  const stall = new Stall(1000);
  for (const [now_ms, wait_ms, came] of [
    [1001, 250, 9],
    [1251, 250, 0],
    [1260, 0, 9],
    [1359, 0, 9],
  ] as const)
    assert.equal(stall.listensFirst(now_ms, wait_ms, came), false);
});

test('after it stood still it listens until nothing comes', () => {
  const stall = new Stall(1000);
  assert.equal(stall.listensFirst(5000, 250, 9), true);
  assert.equal(stall.listensFirst(5001, 0, 9), true);
  assert.equal(stall.listensFirst(5002, 0, 0), false);
  assert.equal(stall.listensFirst(5003, 0, 9), false);
  assert.equal(stall.listensFirst(9000, 250, 0), false, 'nothing came at all');
});

test('who never stops hearing looks at deadlines after some passes all the same', () => {
  const stall = new Stall(1000);
  let passes = 0;
  for (let now_ms = 5000; stall.listensFirst(now_ms, 0, 9); now_ms++) passes++;
  assert.equal(passes, 64);
});
