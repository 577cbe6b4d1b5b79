/** No text and no frame that anybody could make throws, hangs, or takes memory for ever; `npm run fuzz` has the patience. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PATIENCE_MS } from '../helpers/patience.js';
import { fuzz, TARGETS } from './fuzz.js';
import type { Target } from './target.js';
import { fuzzWatched } from './watched.js';

const COUNT = 3000;
const TIME_MS = 1000;
const SEED = 1;

for (const { name } of TARGETS)
  test(`whatever ${name} comes to, it ends well`, async () => {
    const { broken, inputs } = await fuzzWatched({ name, seed: SEED, count: COUNT, time_ms: TIME_MS });
    assert.ok(!broken, broken && `seed ${broken.seed}: ${broken.why}\n${broken.input}`);
    assert.ok(inputs > 2, `only ${inputs} inputs`);
  });

test('frames come to every kind of drop that one node can count, and are heard', () => {
  const packets = TARGETS.find(({ name }) => name === 'packets')!;
  const { tally } = fuzz(packets, { seed: SEED, count: 2000, time_ms: PATIENCE_MS });
  const kinds = ['checksum', 'digest', 'group', 'heard', 'length', 'not_carp', 'ttl', 'version', 'vhid', 'vrrp'];
  assert.deepEqual(
    kinds.filter((kind) => !tally[kind]),
    [],
  );
});

test('an input that throws is told with its seed and its text, and the same seed is the same input', () => {
  const fragile: Target = {
    name: 'fragile',
    draw: ({ word }) => ({
      run: () => (word === 7 ? assert.fail('broken by seven') : 'well'),
      print: () => `input ${word}`,
    }),
  };
  const { broken, inputs, tally } = fuzz(fragile, { seed: 1, count: 100, time_ms: 5000 });
  assert.deepEqual([broken?.seed, broken?.input, inputs, tally], [7, 'input 7', 7, { well: 6 }]);
  assert.match(broken!.why, /broken by seven/);
  assert.equal(fuzz(fragile, { seed: 7, count: 1, time_ms: 5000 }).broken?.seed, 7);
});

test('lanes share the seeds: together they try each one once', async () => {
  const one = await fuzzWatched({ name: 'orders', seed: SEED, count: 1001, time_ms: PATIENCE_MS });
  const three = await fuzzWatched({ name: 'orders', seed: SEED, count: 1001, time_ms: PATIENCE_MS }, 3);
  assert.deepEqual([three.inputs, three.tally], [one.inputs, one.tally]);
});
