/** Who is next: in proportion to the weights, and never twice in a row without need. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { leastConnections } from '#src/proxy/balance/leastconn.js';
import { type Loads, NO_HASH, NO_SERVER, type Picker } from '#src/proxy/balance/picker.js';
import { roundRobin } from '#src/proxy/balance/roundrobin.js';

const nobodyServes: Loads = { connectionsOf: () => 0, isFull: () => false, random: () => 0 };
const candidates = (weights: readonly number[]) =>
  weights.map((weight, position) => ({ position, id: position + 1, weight }));
const picks = (picker: Picker, count: number) =>
  Array.from({ length: count }, (_, turn) => picker.pick(turn, NO_HASH, NO_SERVER, nobodyServes));

test('round robin mixes weights smoothly', () => {
  assert.deepEqual(picks(roundRobin(candidates([1, 1, 1])), 4), [0, 1, 2, 0]);
  assert.deepEqual(picks(roundRobin(candidates([3, 1])), 4), [0, 0, 1, 0]);
  assert.deepEqual(picks(roundRobin(candidates([100, 100])), 3), [0, 1, 0]);
});

test('nobody can take traffic: there is no pick', () => {
  for (const algorithm of [roundRobin, leastConnections]) {
    assert.equal(algorithm([]).pick(0, NO_HASH, NO_SERVER, nobodyServes), NO_SERVER);
    assert.equal(algorithm(candidates([0, 0])).pick(0, NO_HASH, NO_SERVER, nobodyServes), NO_SERVER);
  }
});

test('a server that has just failed is passed over, but for want of another one', () => {
  for (const algorithm of [roundRobin, leastConnections]) {
    for (let turn = 0; turn < 8; turn++) {
      assert.equal(algorithm(candidates([200, 1])).pick(turn, NO_HASH, 0, nobodyServes), 1);
      assert.equal(algorithm(candidates([1])).pick(turn, NO_HASH, 0, nobodyServes), 0);
    }
  }
});

const weights = fc.array(fc.integer({ min: 0, max: 256 }), { minLength: 1, maxLength: 20 });

test('within one turn every server is picked as often as its weight says, at any place of the turn', () => {
  fc.assert(
    fc.property(weights, fc.nat(), (some, start) => {
      const sum = some.reduce((total, weight) => total + weight, 0);
      const counts = some.map(() => 0);
      const picker = roundRobin(candidates(some));
      for (let turn = 0; turn < sum; turn++) {
        const position = picker.pick(start + turn, NO_HASH, NO_SERVER, nobodyServes);
        counts[position] = (counts[position] ?? 0) + 1;
      }
      assert.deepEqual(counts, some);
    }),
  );
});

test('within any part of a turn no server is far from its share', () => {
  fc.assert(
    fc.property(weights, (some) => {
      const sum = some.reduce((total, weight) => total + weight, 0);
      const counts = some.map(() => 0);
      const picker = roundRobin(candidates(some));
      for (let turn = 0; turn < sum; turn++) {
        const position = picker.pick(turn, NO_HASH, NO_SERVER, nobodyServes);
        counts[position] = (counts[position] ?? 0) + 1;
        for (const [index, weight] of some.entries()) {
          const share = ((turn + 1) * weight) / sum;
          assert.ok(Math.abs((counts[index] as number) - share) < some.length, `server ${index} at ${turn}`);
        }
      }
    }),
    { numRuns: 30 },
  );
});

test('a turn stays short for any weights, and the turn counter may wrap', () => {
  const many = Array.from({ length: 2000 }, (_, index) => 1 + (index % 256));
  const picker = roundRobin(candidates(many));
  for (const turn of [0, -1, -0x80000000, 0x7fffffff]) {
    const position = picker.pick(turn, NO_HASH, NO_SERVER, nobodyServes);
    assert.ok(position >= 0 && position < many.length);
  }
});

test('least connections picks whoever has the least for its weight', () => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.integer({ min: 1, max: 256 }), fc.nat(50)), { minLength: 1, maxLength: 10 }),
      fc.nat(),
      (servers, turn) => {
        const picker = leastConnections(candidates(servers.map(([weight]) => weight)));
        const load = (position: number) => {
          const [weight, count] = servers[position] as [number, number];
          return count === 0 ? 0 : (count + 1) / weight;
        };
        const connectionsOf = (position: number) => (servers[position] as [number, number])[1];
        const picked = picker.pick(turn, NO_HASH, NO_SERVER, { ...nobodyServes, connectionsOf });
        for (let position = 0; position < servers.length; position++) assert.ok(load(picked) <= load(position));
      },
    ),
  );
});

test('least connections takes turns among equals', () => {
  assert.deepEqual(
    picks(leastConnections(candidates([1, 5, 3])), 3),
    [0, 1, 2],
    'idle servers, whatever their weights',
  );
  assert.deepEqual(new Set(picks(leastConnections(candidates([1, 1, 1])), 3)), new Set([0, 1, 2]));
});
