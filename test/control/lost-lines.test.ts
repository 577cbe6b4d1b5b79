import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LostLines } from '#src/control/lost-lines.js';

test('lost log lines are counted, and said once a minute at most', () => {
  const lost = new LostLines();
  const said: string[] = [];
  const say = (now_ms: number) => lost.say(now_ms, (text) => said.push(text));
  say(0);
  lost.add(3);
  say(100);
  lost.add(4);
  say(200);
  say(60_000);
  assert.deepEqual(said, ['3 log lines were lost: whoever reads them was too slow']);
  say(60_200);
  say(120_400);
  assert.deepEqual(said.slice(1), ['4 log lines were lost: whoever reads them was too slow']);
  assert.equal(lost.total, 7);
});
