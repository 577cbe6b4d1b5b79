import assert from 'node:assert/strict';
import { test } from 'node:test';
import { collectGarbage } from '#src/control/garbage.js';
import { waitUntil } from '#src/control/shutdown.js';
import { PATIENCE_MS } from '../helpers/patience.js';

test('what nobody holds any more is collected, and the thread goes on', async () => {
  const gone = new WeakRef(new Array(100_000).fill({}));
  await new Promise((resolve) => setTimeout(resolve)); // a WeakRef holds what it was made of until then
  await collectGarbage();
  assert.ok(await waitUntil(() => gone.deref() === undefined, PATIENCE_MS));
  await new Promise((resolve) => setTimeout(resolve, 50));
  await collectGarbage();
});
