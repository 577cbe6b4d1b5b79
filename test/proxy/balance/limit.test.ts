/** How much a server may take: minconn, fullconn and slow starts; and what requests are hashed to. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { HashType } from '#src/config/model.js';
import { firstWithRoom } from '#src/proxy/balance/first.js';
import { hashOf } from '#src/proxy/balance/hash-functions.js';
import { layOutTable } from '#src/proxy/balance/hash-map.js';
import { Ring, ringOf } from '#src/proxy/balance/hash-ring.js';
import { limitOf, startingShare, WHOLE_SHARE } from '#src/proxy/balance/limit.js';
import { ALL_FULL, type Loads, NO_HASH, NO_SERVER } from '#src/proxy/balance/picker.js';
import { boundedRandomOf, randomOf } from '#src/proxy/balance/random.js';
import { xxh64 } from '#src/proxy/xxh64.js';

const idle: Loads = { connectionsOf: () => 0, isFull: () => false, random: () => 0 };
const candidates = (...weights: number[]) =>
  weights.map((weight, position) => ({ position, id: position + 1, weight }));
const bytes = (text: string) => new TextEncoder().encode(text);

test('minconn grows to maxconn as the backend fills', () => {
  const limits = { maxconn: 100, minconn: 10, fullconn: 1000 };
  const at = (connections: number) => limitOf(limits, connections, WHOLE_SHARE);
  assert.deepEqual([at(0), at(100), at(500), at(999), at(1000), at(5000)], [10, 10, 50, 99, 100, 100]);
  assert.equal(limitOf({ ...limits, minconn: undefined }, 0, WHOLE_SHARE), 100);
});

test('a server that starts slowly takes a sixteenth first, all of it in the end, and at least one', () => {
  assert.deepEqual(
    [0, 999, 5000, 9999, 10000].map((since_ms) => startingShare(since_ms, 10_000)),
    [1, 2, 9, 16, 16],
  );
  assert.equal(limitOf({ maxconn: 160, minconn: undefined, fullconn: 1 }, 0, 1), 10);
  assert.equal(limitOf({ maxconn: 3, minconn: undefined, fullconn: 1 }, 0, 1), 1);
});

test('hash functions give the values that are known', () => {
  const value = (name: HashType['function'], text: string) =>
    hashOf({ method: 'map-based', function: name, avalanche: false })(bytes(text), 0, bytes(text).length);
  assert.equal(value('crc32', '123456789'), 0xcbf43926);
  assert.equal(value('djb2', 'a'), 5381 * 33 + 97);
  assert.equal(value('sdbm', 'a'), 97);
  assert.equal(value('none', '4242'), 4242);
  assert.equal(xxh64(bytes('')).toString(16), 'ef46db3751d8e999');
  assert.equal(xxh64(bytes('abc')).toString(16), '44bc2cf5ad770999');
});

test('a table has as many places for a server as its weight says', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 20 }), { minLength: 1, maxLength: 12 }), (weights) => {
      const table = layOutTable(candidates(...weights));
      for (const [position, weight] of weights.entries()) {
        assert.equal(table.filter((place) => place === position).length, weight);
      }
    }),
  );
});

test('when a server leaves a ring, only its own clients move', () => {
  const all = candidates(16, 16, 32, 16);
  const ring = new Ring(all);
  const before = ringOf(ring, all, undefined);
  const after = ringOf(
    ring,
    all.filter(({ position }) => position !== 2),
    undefined,
  );
  fc.assert(
    fc.property(fc.nat(0xffffffff), (hash) => {
      const was = before.pick(0, hash, NO_SERVER, idle);
      const is = after.pick(0, hash, NO_SERVER, idle);
      assert.ok(was === 2 ? is !== 2 : is === was);
    }),
  );
});

test('hash-balance-factor keeps a server that has its share from getting more', () => {
  const all = candidates(16, 16, 16);
  const bounded = ringOf(new Ring(all), all, 125);
  const load = [0, 0, 0];
  const loads: Loads = { ...idle, connectionsOf: (position) => load[position] as number };
  for (let turn = 0; turn < 300; turn++) {
    const position = bounded.pick(turn, 12_345, NO_SERVER, loads); // all are hashed to the same server
    load[position] = (load[position] as number) + 1;
  }
  assert.ok(Math.max(...load) <= 126, String(load));
});

test('balance first fills one server after the other, by id', () => {
  const servers = candidates(1, 1, 1).map((each) => ({ ...each, id: 10 - each.position }));
  const full = new Set<number>();
  const loads: Loads = { ...idle, isFull: (position) => full.has(position) };
  const picker = firstWithRoom(servers);
  const order: number[] = [];
  for (let turn = 0; turn < 3; turn++) {
    const position = picker.pick(turn, NO_HASH, NO_SERVER, loads);
    order.push(position);
    full.add(position);
  }
  assert.deepEqual(order, [2, 1, 0]);
  assert.equal(picker.pick(3, NO_HASH, NO_SERVER, loads), ALL_FULL);
});

test('random takes the less loaded of what it draws, in proportion to the weights', () => {
  let seed = 1;
  const random = () => {
    seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) | 0;
    return seed;
  };
  const counts = [0, 0];
  const one = randomOf(1, candidates(1, 3));
  for (let turn = 0; turn < 4000; turn++) {
    const position = one.pick(turn, NO_HASH, NO_SERVER, { ...idle, random });
    counts[position] = (counts[position] as number) + 1;
  }
  assert.ok(Math.abs((counts[1] as number) / 4000 - 0.75) < 0.05, String(counts));
  const loads: Loads = { ...idle, random, connectionsOf: (position) => (position === 0 ? 100 : 0) };
  const many = randomOf(20, candidates(1, 1));
  for (let turn = 0; turn < 50; turn++) assert.equal(many.pick(turn, NO_HASH, NO_SERVER, loads), 1);
});

test('random with hash-balance-factor gives no server more than its share and a half', () => {
  let word = 7;
  const random = () => {
    word = Math.imul(word, 1_103_515_245) + 12_345;
    return word;
  };
  const servers = candidates(16, 16, 16, 16);
  const serves = new Map<number, number>();
  const loads: Loads = { ...idle, random, connectionsOf: (position) => serves.get(position) ?? 0 };
  const picker = boundedRandomOf(1, servers, ringOf(new Ring(servers), servers, 150));
  for (let turn = 1; turn <= 400; turn++) {
    const position = picker.pick(turn, NO_HASH, NO_SERVER, loads);
    const most = Math.max(1, Math.floor(Math.ceil(turn * 1.5) / 4));
    assert.ok(loads.connectionsOf(position) < most, `server ${position} has ${serves.get(position)} of ${turn}`);
    serves.set(position, loads.connectionsOf(position) + 1);
  }
  assert.equal(serves.size, 4);
});
