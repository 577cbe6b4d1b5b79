import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createEventLog, describeEvent } from '#src/control/event-log.js';

const VHID = { at_ns: 0, name: 'web', vhid: 1 };

test('every event is one line that says what and why', () => {
  const lines: [Parameters<typeof describeEvent>[0], string][] = [
    [
      { ...VHID, kind: 'transition', interface: 'eth0', from: 'BACKUP', to: 'MASTER', reason: 'master went silent' },
      'carp web: BACKUP -> MASTER: master went silent',
    ],
    [
      { at_ns: 0, kind: 'server', backend: 'servers', server: 'a', up: false, reason: 'connection refused' },
      'server servers/a is down: connection refused',
    ],
    [{ at_ns: 0, kind: 'log', level: 'warning', text: 'late' }, 'warning: late'],
    [{ at_ns: 0, kind: 'log', level: 'warning', text: 'a.cfg:1:2: warning: odd.' }, 'a.cfg:1:2: warning: odd.'],
    [{ at_ns: 0, kind: 'log', level: 'info', text: 'late' }, 'late'],
    [{ at_ns: 0, kind: 'stop', reason: 'asked to stop (SIGTERM)' }, 'stopping: asked to stop (SIGTERM)'],
  ];
  for (const [event, line] of lines) assert.equal(describeEvent(event), line);
});

test('a line begins with the time, and its level lets "-q" choose', () => {
  const printed: string[] = [];
  const events = createEventLog((line, level) => printed.push(`${level} ${line}`));
  events.record({ at_ns: 0, kind: 'server', backend: 'b', server: 's', up: false, reason: 'why' });
  assert.match(printed[0]!, /^warning \d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z server b\/s is down: why$/);
});

test('only the last 256 events are remembered', () => {
  const events = createEventLog(() => undefined);
  for (let at_ns = 0; at_ns < 1000; at_ns++) events.record({ at_ns, kind: 'ready' });
  const heard: number[] = [];
  const unfollow = events.follow((line) => heard.push(JSON.parse(line).at_ns));
  assert.deepEqual([heard.length, heard[0], heard.at(-1)], [256, 744, 999]);
  unfollow();
  events.record({ at_ns: 1000, kind: 'ready' });
  assert.equal(heard.length, 256);
});
