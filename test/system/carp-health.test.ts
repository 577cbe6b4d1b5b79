import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RECOVERY_MS, STALL_MS, ThreadHealth } from '#src/threads/carp-health.js';
import {
  createSharedMemory,
  THREAD_BEAT_MS,
  THREAD_CHECKS,
  THREAD_CONTROL,
  THREAD_STATE,
  threadAt,
} from '#src/threads/shared-memory.js';

const START = 1000;

function scene() {
  const memory = createSharedMemory({ threads: 3, servers: 0, backends: 0, frontends: 0, binds: 0 });
  const watched = [
    { thread: THREAD_CONTROL, name: 'control', patience_ms: STALL_MS },
    { thread: THREAD_CHECKS, name: 'checks', patience_ms: STALL_MS },
  ];
  const set = (thread: number, word: number, value: number) => {
    memory.words[threadAt(memory, thread) + word] = value;
  };
  const beat = (thread: number, now_ms: number) => set(thread, THREAD_BEAT_MS, now_ms);
  const start = (thread: number) => set(thread, THREAD_STATE, 1);
  start(THREAD_CONTROL);
  beat(THREAD_CONTROL, START);
  return { health: new ThreadHealth(memory, watched, START), beat, start, set };
}

test('a thread that stops beating is named, once', () => {
  const { health, beat } = scene();
  assert.equal(health.judge(START + STALL_MS), 'unchanged');
  assert.equal(health.judge(START + STALL_MS + 1), 'stalled');
  assert.match(health.reason, /control/);
  assert.equal(health.judge(START + STALL_MS + 200), 'unchanged');
  beat(THREAD_CONTROL, START + 5000);
  assert.equal(health.judge(START + 5000), 'unchanged');
});

test('it counts as recovered when it has beaten for a while, not at its first beat', () => {
  const { health, beat } = scene();
  health.judge(START + STALL_MS + 1);
  let now = START + 5000;
  for (; now < START + 5000 + RECOVERY_MS; now += 200) {
    beat(THREAD_CONTROL, now);
    assert.equal(health.judge(now), 'unchanged');
  }
  beat(THREAD_CONTROL, now);
  assert.equal(health.judge(now), 'recovered');
  assert.equal(health.reason, '');
});

test('a thread that never started, or that stopped in order, is not missed', () => {
  const { health, set } = scene();
  set(THREAD_CONTROL, THREAD_STATE, 2);
  assert.equal(health.judge(START + 60_000), 'unchanged');
});

test('after this thread stood still itself the others get time to beat', () => {
  const { health, beat } = scene();
  const woke = START + 60_000;
  health.forgive(woke);
  assert.equal(health.judge(woke), 'unchanged');
  beat(THREAD_CONTROL, woke + 100);
  assert.equal(health.judge(woke + 200), 'unchanged');
  assert.equal(health.judge(woke + 100 + STALL_MS + 1), 'stalled');
});

test('a beat that came after the time was read is fresh, also across the wrap', () => {
  const { health, beat } = scene();
  beat(THREAD_CONTROL, START + 1);
  assert.equal(health.judge(START), 'unchanged');
  beat(THREAD_CONTROL, 0x7fff_ffff);
  health.forgive(0x7fff_fff0);
  assert.equal(health.judge(STALL_MS - 2), 'unchanged');
  assert.equal(health.judge(STALL_MS + 1), 'stalled');
});
