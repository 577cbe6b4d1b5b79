import assert from 'node:assert/strict';
import { test } from 'node:test';
import { History } from '#src/lab/history.js';
import { judgeAtEnd } from '#src/lab/judge.js';

const MASTER = { kind: 'state', node: 'a', vhid: 1, state: 'MASTER' } as const;
const VIP = '10.10.0.1';

function becomeMaster(history: History, at_ms: number): void {
  history.noteTransition({ at_ms, node: 'a', vhid: 1, from: 'BACKUP', to: 'MASTER', reason: '' });
}

function probe(history: History, from_ms: number, text: string): void {
  [...text].forEach((character, index) => {
    history.noteProbe(VIP, { sent_ms: from_ms + index * 10, answered: character === '!' });
  });
}

test('a node has the state of its last transition until its process ends', () => {
  const history = new History();
  assert.equal(history.since(MASTER), undefined);
  becomeMaster(history, 30);
  assert.equal(history.since(MASTER), 30);
  history.noteEnd('a', 50);
  assert.equal(history.since(MASTER), undefined);
  assert.equal(history.since({ kind: 'ended', node: 'a' }), 50);
  history.noteStart('a');
  assert.equal(history.since({ kind: 'ended', node: 'a' }), undefined);
});

test('an address is on a node from the moment the kernel says so', () => {
  const history = new History();
  const gone = { kind: 'address', vip: VIP, node: 'a', present: false } as const;
  assert.equal(history.since(gone), 0);
  history.noteAddress('a', VIP, true, 20);
  assert.equal(history.since(gone), undefined);
  assert.equal(history.since({ ...gone, present: true }), 20);
  history.noteCrash('a');
  assert.equal(history.since(gone), 0);
});

test('an address answers only when a probe says so that was sent after the last action', () => {
  const history = new History();
  const answers = { kind: 'answers', vip: VIP } as const;
  probe(history, 0, '!!!');
  assert.equal(history.since(answers), 0);
  history.noteAction({ at_ms: 25, text: 'kill a' });
  assert.equal(history.since(answers), undefined);
  probe(history, 30, '..!');
  assert.equal(history.since(answers), 50);
});

test('each action has the outages that began after it, of addresses that answered before it', () => {
  const history = new History();
  history.noteAction({ at_ms: 0, text: 'start a' });
  probe(history, 10, '!!!');
  history.noteAction({ at_ms: 35, text: 'kill a' });
  probe(history, 40, '...!!');
  history.noteAction({ at_ms: 85, text: 'stop b' });
  probe(history, 90, '!');
  assert.deepEqual(history.outages(100), [
    { cause: 'kill a', vip: VIP, outage_ms: 40 },
    { cause: 'stop b', vip: VIP, outage_ms: 0 },
  ]);
});

test('a failure belongs to the action after which it came, whenever the request was sent', () => {
  const history = new History();
  history.noteAction({ at_ms: 0, text: 'start a' });
  history.noteAction({ at_ms: 50, text: 'kill a' });
  history.noteRequest({ sent_ms: 40, ended_ms: 60, failure: 'ECONNRESET', by: undefined });
  history.noteRequest({ sent_ms: 45, ended_ms: 55, failure: undefined, by: 'web-1' });
  assert.deepEqual([...history.failuresByCause()], [['kill a', 1]]);
});

function judge(history: History, expectation: object, action = 0, from_ms = 0) {
  return judgeAtEnd({ text: 't', expectation: expectation as never, action, from_ms }, history, 1000);
}

test('an outage at its bound holds, above it does not, and of an address that never answered it cannot', () => {
  const history = new History();
  history.noteAction({ at_ms: 0, text: 'kill a' });
  const atMost = (at_most_ms: number) => judge(history, { kind: 'outage', vip: VIP, at_most_ms }).held;
  assert.equal(atMost(1000), false);
  probe(history, 0, '!..!');
  assert.equal(atMost(30), true);
  assert.equal(atMost(29), false);
});

test('requests are judged by their number, by who answered, and by when they were sent', () => {
  const history = new History();
  history.noteRequest({ sent_ms: 10, ended_ms: 10, failure: 'timeout', by: undefined });
  history.noteRequest({ sent_ms: 20, ended_ms: 20, failure: undefined, by: 'web-1' });
  history.noteRequest({ sent_ms: 30, ended_ms: 30, failure: undefined, by: 'web-2' });
  assert.deepEqual(history.countRequests(), { sent: 3, answered: 2, failed: 1 });
  assert.equal(judge(history, { kind: 'failed', at_most: 1 }).held, true);
  assert.equal(judge(history, { kind: 'failed', at_most: 0 }).held, false);
  assert.equal(judge(history, { kind: 'answered', at_least: 2, by: undefined }).held, true);
  assert.equal(judge(history, { kind: 'answered', at_least: 2, by: 'web-1' }).held, false);
  assert.equal(judge(history, { kind: 'all-answered', for_ms: 20 }, 0, 15).held, true);
  assert.equal(judge(history, { kind: 'all-answered', for_ms: 20 }, 0, 5).held, false);
  assert.equal(judge(history, { kind: 'all-answered', for_ms: 20 }, 0, 500).held, false, 'nothing was sent then');
});

test('the next action excuses what was under way, but not what hung for long', () => {
  const expectation = { kind: 'all-answered', for_ms: 1000 };
  const judgeFailure = (sent_ms: number, ended_ms: number) => {
    const history = new History();
    history.noteAction({ at_ms: 0, text: 'start a' });
    history.noteAction({ at_ms: 1000, text: 'kill a' });
    history.noteRequest({ sent_ms, ended_ms, failure: 'ECONNRESET', by: undefined });
    return judge(history, expectation).held;
  };
  assert.equal(judgeFailure(990, 1005), true);
  assert.equal(judgeFailure(990, 999), false);
  assert.equal(judgeFailure(500, 1005), false);
});
