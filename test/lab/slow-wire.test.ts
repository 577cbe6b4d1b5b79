import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MOST_FRAMES, SlowWire } from '#src/lab/slow-wire.js';

const FRAMES = 200;
const DELAY_NS = 1e9;

/** The numbers of the frames in the order in which they arrive; all are sent at time 0. */
function arrivals(wire: SlowWire, frames = FRAMES): number[] {
  const arrived: number[] = [];
  for (let number = 0; number < frames; number++)
    wire.take(Uint8Array.of(number), 0, ([first]) => void arrived.push(first!));
  wire.release(DELAY_NS);
  return arrived;
}

function slow(seed: number): SlowWire {
  const wire = new SlowWire(seed);
  wire.delay_ns = DELAY_NS;
  return wire;
}

test('frames on a slow wire overtake each other, all arrive, and the seed says in which order', () => {
  const first = arrivals(slow(1));
  const in_order = [...first].sort((a, b) => a - b);
  assert.deepEqual(
    in_order,
    Array.from({ length: FRAMES }, (_, number) => number),
  );
  assert.notDeepEqual(first, in_order);
  assert.deepEqual(arrivals(slow(1)), first);
  assert.notDeepEqual(arrivals(slow(2)), first);
});

test('nothing arrives before its time, and nothing is due when nothing is on its way', () => {
  const wire = slow(1);
  let arrived = 0;
  wire.take(Uint8Array.of(1), 0, () => arrived++);
  const { next_ns } = wire;
  wire.release(next_ns - 1);
  assert.equal(arrived, 0);
  wire.release(next_ns);
  assert.deepEqual([arrived, wire.next_ns], [1, Number.POSITIVE_INFINITY]);
});

test('a wire that repeats lets about that share come twice, at once where it is not slow', () => {
  const wire = new SlowWire(1);
  wire.repeat_percent = 30;
  const { length } = arrivals(wire);
  assert.ok(length > 1.2 * FRAMES && length < 1.4 * FRAMES, String(length));
});

test('frames on their way are bounded: what is too much is lost and counted', () => {
  const wire = slow(1);
  assert.equal(arrivals(wire, MOST_FRAMES + 7).length, MOST_FRAMES);
  assert.equal(wire.lost, 7);
  assert.equal(arrivals(wire).length, FRAMES);
});
