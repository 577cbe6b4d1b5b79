/** What statistics say of a server. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startingWeight } from '#src/control/stats/server-stand.js';

test('the weight of a server that starts slowly grows to the one that is set, never from nothing', () => {
  const weightAfter = (ms: number) => startingWeight(100, 4_000, 1_000, 1_000 + ms);
  assert.deepEqual([0, 1_000, 2_000, 3_000, 4_000, 90_000].map(weightAfter), [7, 32, 57, 82, 100, 100]); // HAProxy's
  assert.equal(startingWeight(1, 4_000, 1_000, 1_000), 1);
  assert.equal(startingWeight(0, 4_000, 1_000, 3_000), 0);
  assert.equal(startingWeight(100, 4_000, 0, 3_000), 100, 'it always was up');
  assert.equal(startingWeight(100, undefined, 1_000, 1_000), 100);
});
