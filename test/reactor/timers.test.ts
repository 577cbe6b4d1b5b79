/** The timing wheel under a virtual clock, alone and against a simple model. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Timer, Timers } from '#src/reactor/timers.js';

const TURN_MS = 4096 * 4;
const LATEST_MS = 4;

test('a timer runs once, not before its deadline and at most 4 ms after it', () => {
  for (const delay_ms of [0, 1, 3, 4, 5, 250, TURN_MS - 1, TURN_MS, TURN_MS + 1, 3 * TURN_MS + 7, 3_600_000]) {
    const { wheel, armed, log } = setUp(1_000_003);
    armed(delay_ms);
    runUntil(wheel, 1_000_003, 1_000_003 + delay_ms + 2 * TURN_MS);
    assert.equal(log.length, 1, `${delay_ms} ms: once`);
    const late_ms = log[0]! - (1_000_003 + delay_ms);
    assert.ok(late_ms >= 0 && late_ms <= LATEST_MS, `${delay_ms} ms: ${late_ms} ms late`);
    assert.equal(wheel.count, 0);
    assert.equal(wheel.next_ms, Number.POSITIVE_INFINITY);
  }
});

test('a timer far away is waited for a turn at a time', () => {
  const { wheel, armed, log } = setUp(0);
  armed(10 * TURN_MS);
  const wakes = runUntil(wheel, 0, 10 * TURN_MS + 8);
  assert.ok(wakes <= 12, `${wakes} wake-ups`);
  assert.equal(log.length, 1);
});

test('a timer that is moved later runs at the later time only', () => {
  const { wheel, armed, log } = setUp(0);
  const timer = armed(100);
  wheel.arm(timer, 5000);
  runUntil(wheel, 0, 10_000);
  assert.deepEqual(log, [5000]);
});

test('a timer that is moved earlier runs at the earlier time only', () => {
  const { wheel, armed, log } = setUp(0);
  const timer = armed(5000);
  wheel.arm(timer, 100);
  runUntil(wheel, 0, 10_000);
  assert.deepEqual(log, [100]);
});

test('a disarmed timer does not run, and may be armed again', () => {
  const { wheel, armed, log } = setUp(0);
  const timer = armed(100);
  wheel.disarm(timer);
  runUntil(wheel, 0, 60);
  wheel.arm(timer, 80);
  runUntil(wheel, 60, 1000);
  assert.deepEqual(log, [80]);
  assert.equal(wheel.count, 0);
});

test('a timer that re-arms itself for now runs in the next call, not for ever in this one', () => {
  const wheel = new Timers(0);
  let runs = 0;
  const timer: Timer = new Timer(() => {
    runs++;
    wheel.arm(timer, 0);
  });
  wheel.arm(timer, 0);
  for (let call = 1; call <= 5; call++) {
    wheel.advance(call);
    assert.equal(runs, call);
  }
});

test('what a timer arms for now runs in the next call, wherever it stands on the wheel', () => {
  const wheel = new Timers(0);
  const log: string[] = [];
  const second = new Timer(() => log.push('second'));
  const first = new Timer(() => {
    log.push('first');
    wheel.arm(second, 100);
  });
  wheel.arm(first, 8);
  wheel.advance(100); // `first` is long due, and the spoke of 100 ms is still to come
  assert.deepEqual(log, ['first']);
  wheel.advance(100);
  assert.deepEqual(log, ['first', 'second']);
});

test('a timer that another one removes, disarms or moves while both are due obeys', () => {
  for (const how of ['remove', 'disarm', 'later'] as const) {
    const wheel = new Timers(0);
    const log: string[] = [];
    const timers = ['a', 'b', 'c'].map(
      (name) =>
        new Timer(() => {
          log.push(name);
          for (const other of timers) {
            if (how === 'later') wheel.arm(other, 1000);
            else wheel[how](other);
          }
        }),
    );
    for (const timer of timers) wheel.arm(timer, 20);
    wheel.advance(24);
    assert.equal(log.length, 1, how);
    wheel.advance(900);
    assert.equal(log.length, 1, how);
    assert.equal(wheel.count, how === 'later' ? 3 : 0);
  }
});

test('after a stall longer than a turn everything that is due runs, once', () => {
  const { wheel, armed, log } = setUp(0);
  for (const at_ms of [5, 50, 5000, TURN_MS + 3, 2 * TURN_MS]) armed(at_ms);
  const later = armed(9 * TURN_MS);
  wheel.advance(5 * TURN_MS);
  assert.equal(log.length, 5);
  assert.equal(later.deadline_ms, 9 * TURN_MS);
  assert.equal(wheel.count, 1);
  assert.ok(wheel.next_ms > 5 * TURN_MS);
});

/** What a random run does with one of a few timers, then lets pass. */
const step = fc.record({
  timer: fc.nat(7),
  what: fc.constantFrom('arm', 'arm', 'arm', 'disarm', 'remove'),
  delay_ms: fc.oneof(fc.nat(30), fc.nat(2000), fc.nat(3 * TURN_MS)),
  pause_ms: fc.oneof(fc.constant(0), fc.nat(12), fc.nat(1500), fc.nat(2 * TURN_MS)),
});

test('the wheel does what a list of deadlines does, whatever is armed, moved, disarmed and removed', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), fc.nat(100_000), (steps, start_ms) => {
      let now_ms = start_ms;
      const wheel = new Timers(now_ms);
      const deadlines = new Map<number, number>();
      const timers = Array.from({ length: 8 }, (_, index) => new Timer(() => ran(index)));
      const ran = (index: number) => {
        const deadline_ms = deadlines.get(index);
        assert.ok(deadline_ms !== undefined, `timer ${index} was not armed`);
        assert.ok(deadline_ms <= now_ms, `timer ${index} ran early`);
        deadlines.delete(index);
      };
      for (const { timer, what, delay_ms, pause_ms } of steps) {
        if (what === 'arm') {
          wheel.arm(timers[timer]!, now_ms + delay_ms);
          deadlines.set(timer, now_ms + delay_ms);
        } else {
          wheel[what](timers[timer]!);
          deadlines.delete(timer);
        }
        now_ms += pause_ms;
        wheel.advance(now_ms);
        for (const [index, deadline_ms] of deadlines) {
          assert.ok(deadline_ms > now_ms - LATEST_MS, `timer ${index} is late`);
          assert.ok(wheel.next_ms <= deadline_ms + LATEST_MS, `nobody wakes for timer ${index}`);
        }
      }
      for (const timer of timers) wheel.remove(timer);
      assert.equal(wheel.count, 0);
    }),
    { numRuns: 400 },
  );
});

function setUp(now_ms: number) {
  const wheel = new Timers(now_ms);
  const log: number[] = [];
  const armed = (delay_ms: number) => {
    const timer = new Timer(() => log.push(clock.now_ms));
    wheel.arm(timer, now_ms + delay_ms);
    return timer;
  };
  clock.now_ms = now_ms;
  return { wheel, armed, log };
}

/** The virtual clock: what the callbacks of `setUp` read. */
const clock = { now_ms: 0 };

/** Sleeps until the wheel's own next time, as the reactor does, up to `to_ms`. Returns how often it woke. */
function runUntil(wheel: Timers, from_ms: number, to_ms: number): number {
  clock.now_ms = from_ms;
  for (let wakes = 0; ; wakes++) {
    assert.ok(wakes < 10_000, 'the wheel spins');
    clock.now_ms = Math.max(clock.now_ms, wheel.next_ms);
    if (clock.now_ms > to_ms) {
      clock.now_ms = to_ms;
      wheel.advance(to_ms);
      return wakes;
    }
    wheel.advance(clock.now_ms);
  }
}
