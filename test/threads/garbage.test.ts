import assert from 'node:assert/strict';
import { test } from 'node:test';
import { waitUntil } from '#src/control/shutdown.js';
import { beginCollecting } from '#src/threads/garbage.js';

/** V8 would have begun by itself after 8 s. */
const SOONER_MS = 6_000;

/** Resident, in bytes. */
const rss = () => process.memoryUsage().rss;

test('what nobody holds any more is collected between other work, and costs no memory', async () => {
  let collected = 0;
  const registry = new FinalizationRegistry(() => collected++);
  registry.register(new Array(100_000).fill({}), 'it');
  await new Promise((resolve) => setTimeout(resolve));
  const before = rss();
  beginCollecting();
  assert.ok(rss() - before < 8 * 1024 * 1024, 'the memory was only asked for');
  assert.ok(await waitUntil(() => collected > 0, SOONER_MS));
});
