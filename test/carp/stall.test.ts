/** What a thread that stood still makes of it: when its timers may run, and when a MASTER steps back. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createEngine, type Engine, step } from '#src/carp/engine.js';
import { mayRunTimers } from '#src/carp/stall.js';
import { peerFrame, vhidSettings } from './peer.js';

const QUICK = { advbase: 0, advskew: 2, preempt: true };
const SLOWER = peerFrame({ source: '10.0.0.12', vhid: 1, advbase: 0, advskew: 3 });
const FASTER = peerFrame({ source: '10.0.0.13', vhid: 1, advbase: 0, advskew: 1 });

function started(): Engine {
  const engine = createEngine({
    vhids: [vhidSettings(QUICK)],
    seed: Uint32Array.of(1, 2, 3, 4),
    lease_s: 2,
    wait_for_ready: false,
  });
  step(engine, { kind: 'start' }, 0);
  return engine;
}

function hear(engine: Engine, now_ns: number, bytes = SLOWER): void {
  step(engine, { kind: 'frame', interface: 'eth0', bytes, length: bytes.length }, now_ns);
}

test('timers run unless reading was held up for as long as a MASTER may be', () => {
  assert.ok(mayRunTimers(5e9, 5e9 + 20e6, 3.9e6), 'a flood of adverts takes some milliseconds to read');
  assert.ok(!mayRunTimers(5e9, 5e9 + 100e6, 3.9e6));
  assert.ok(mayRunTimers(5e9, 5e9 + 900e6, 1e9));
  assert.ok(!mayRunTimers(5e9, 5e9 + 1000e6, 1e9));
});

test('a timer that is run as of the time before reading does not undo what was read after it', () => {
  const engine = started();
  hear(engine, 5e6, FASTER);
  const from_ns = 30e6; // patience ended at 28.4 ms, and an advert waits
  hear(engine, from_ns + 1e6, FASTER);
  step(engine, { kind: 'timer' }, from_ns);
  assert.equal(engine.vhids[0].state, 'BACKUP', engine.vhids[0].reason);
});

test('one that preempted after a stall is not sent back for the same stall', () => {
  const engine = started();
  hear(engine, 1e6);
  assert.equal(engine.vhids[0].state, 'MASTER');
  step(engine, { kind: 'timer' }, 4.9e6);
  // held up inside a pass from 5 ms to 240 ms; a BACKUP by then, it heard the other and preempted
  step(engine, { kind: 'yield', reason: 'test' }, 5e6);
  engine.vhids[0].calm_until_ns = 0;
  hear(engine, 240e6);
  assert.equal(engine.vhids[0].state, 'MASTER');
  step(engine, { kind: 'stall', late_ns: 235e6 }, 240.1e6);
  assert.equal(engine.vhids[0].state, 'MASTER');
  step(engine, { kind: 'stall', late_ns: 101e6 }, 341.1e6);
  assert.equal(engine.vhids[0].state, 'BACKUP', 'but for another one');
  assert.match(engine.vhids[0].reason, /^held up for 0\.10 s/);
});
