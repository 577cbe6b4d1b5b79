import assert from 'node:assert/strict';
import { test } from 'node:test';
import { History } from '#src/lab/history.js';
import { formatJson, makeReport, NOT_REACHED } from '#src/lab/report.js';
import { coloured, createTimeline, formatReport, plain } from '#src/lab/timeline.js';

function lines(paint = plain) {
  const written: string[] = [];
  const timeline = createTimeline(['node-a', 'client'], paint, (line) => written.push(line));
  return { written, timeline };
}

const TAKES_OVER = {
  at_ms: 3212,
  node: 'node-a',
  vhid: 1,
  from: 'BACKUP',
  to: 'MASTER',
  reason: '10.10.0.11 bows out',
};

test('a timeline tells when, who, what and why', () => {
  const { written, timeline } = lines();
  timeline.action(3205, 'node-a', 'killed (SIGKILL)');
  timeline.transition(TAKES_OVER);
  timeline.outage(3231, 'client', '10.10.0.1', 23.4);
  timeline.flush(10_000);
  assert.deepEqual(written, [
    '  3.2 s  node-a  killed (SIGKILL)',
    '  3.2 s  node-a  vhid 1: BACKUP -> MASTER  (10.10.0.11 bows out)',
    '  3.2 s  client  outage of 10.10.0.1: 23 ms',
  ]);
});

test('lines come in the order of what they tell, not of its arrival', () => {
  const { written, timeline } = lines();
  timeline.event(300, 'client', 'later');
  timeline.event(100, 'client', 'earlier');
  timeline.flush(200);
  assert.deepEqual(written, ['  0.1 s  client  earlier']);
  timeline.flush(Number.POSITIVE_INFINITY);
  assert.deepEqual(written.slice(1), ['  0.3 s  client  later']);
});

test('colour is an addition: without its codes the text is the same', () => {
  const [bare, bright] = [lines(), lines(coloured)];
  for (const { timeline } of [bare, bright]) {
    timeline.transition(TAKES_OVER);
    timeline.flush(10_000);
  }
  assert.notEqual(bright.written[0], bare.written[0]);
  // biome-ignore lint/suspicious/noControlCharactersInRegex: escape sequences begin with one
  assert.equal(bright.written[0]!.replace(/\x1b\[\d+m/g, ''), bare.written[0]);
});

function sampleReport(held: boolean) {
  const history = new History();
  history.noteProbe('10.10.0.1', { sent_ms: 0, answered: true });
  history.noteAction({ at_ms: 5, text: 'kill node-a' });
  history.noteProbe('10.10.0.1', { sent_ms: 10, answered: false });
  history.noteProbe('10.10.0.1', { sent_ms: 20, answered: true });
  history.noteTransition(TAKES_OVER);
  history.noteRequest({ sent_ms: 1, ended_ms: 2, failure: undefined, by: 'web-1' });
  history.noteRequest({ sent_ms: 2, ended_ms: 30, failure: 'timeout', by: undefined });
  const expectations = [
    { text: 'it works', held: true, detail: 'after 5 ms' },
    ...(held ? [] : [{ text: 'and goes on', held: false, detail: NOT_REACHED }]),
  ];
  return makeReport('sample', history, expectations, 100);
}

test('a report ends with outages, requests, expectations and the verdict', () => {
  assert.deepEqual(formatReport(sampleReport(true), plain), [
    '',
    'Outages (longest gap between answered probes)',
    '  kill node-a  10.10.0.1     20 ms  and 1 failed request',
    'Requests: 2 sent, 1 answered (web-1 1), 1 failed (timeout 1)',
    '',
    '  ✓ it works  [after 5 ms]',
    'sample: the expectation held',
  ]);
});

test('what was not reached is counted, not listed', () => {
  assert.deepEqual(formatReport(sampleReport(false), plain).slice(-3), [
    '  ✓ it works  [after 5 ms]',
    '  ✗ 1 more were not reached',
    'sample: 1 of 2 expectations did not hold',
  ]);
});

test('the JSON object has the agreed fields and no others', () => {
  assert.deepEqual(JSON.parse(formatJson(sampleReport(false))), {
    scenario: 'sample',
    passed: false,
    expectations: [
      { text: 'it works', held: true },
      { text: 'and goes on', held: false },
    ],
    transitions: [TAKES_OVER],
    outages: [{ cause: 'kill node-a', vip: '10.10.0.1', outage_ms: 20 }],
    requests: { sent: 2, answered: 1, failed: 1 },
  });
});
