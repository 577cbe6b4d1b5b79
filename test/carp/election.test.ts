import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { demote, demotionOf, demotionsOf, undemote } from '#src/carp/demotion.js';
import { breakTie, demotedSkew, interval_us, masterDown_us } from '#src/carp/election.js';

const byte = fc.integer({ min: 0, max: 255 });

test('intervals order nodes by advbase first and by advskew second; only 0/0 and 0/1 are equal', () => {
  fc.assert(
    fc.property(byte, byte, byte, byte, (base1, skew1, base2, skew2) => {
      // 0/0 is 1/256 s, as 0/1
      const least = (base: number, skew: number) => (base === 0 ? Math.max(skew, 1) : skew);
      const expected = Math.sign(base1 - base2 || least(base1, skew1) - least(base2, skew2));
      assert.equal(Math.sign(interval_us(base1, skew1) - interval_us(base2, skew2)), expected);
    }),
  );
});

test('intervals and master-down times are whole microseconds, cut as the kernels cut them', () => {
  assert.equal(interval_us(1, 100), 1_390_625);
  assert.equal(interval_us(1, 1), 1_003_906);
  assert.equal(masterDown_us(3, 1, 100), 3_390_625);
  assert.equal(masterDown_us(5, 2, 0), 10_000_000);
  assert.equal(masterDown_us(3, 0, 20), 234_375);
});

test('demotion raises advskew to 240 at most and never lowers it', () => {
  assert.equal(demotedSkew(100, 0), 100);
  assert.equal(demotedSkew(100, 50), 150);
  assert.equal(demotedSkew(100, 240), 240);
  assert.equal(demotedSkew(254, 240), 254);
});

test('of two equals exactly one stays, unless the other is a kernel', () => {
  const address = fc.uint8Array({ minLength: 4, maxLength: 4 });
  fc.assert(
    fc.property(address, address, (one, other) => {
      fc.pre(String(one) !== String(other));
      assert.notEqual(breakTie('carpool', one, other), breakTie('carpool', other, one));
      assert.equal(breakTie('ucarp', one, other), breakTie('carpool', one, other));
      assert.equal(breakTie('kernel', one, other), 'yield');
    }),
  );
});

test('ucarp compares addresses last octet first, as measured', () => {
  const local = Uint8Array.of(10, 77, 0, 1);
  assert.equal(breakTie('ucarp', local, Uint8Array.of(10, 77, 1, 0)), 'yield');
  assert.equal(breakTie('ucarp', local, Uint8Array.of(10, 76, 255, 2)), 'stay');
});

test('every owner of a demotion takes back exactly its own', () => {
  const demotions: Parameters<typeof demote>[0] = [];
  assert.equal(demote(demotions, 'checks', 240, 'no server is up'), true);
  assert.equal(demote(demotions, 'link', 240, 'eth1 is down'), true);
  assert.equal(demote(demotions, 'disk', 10, 'nearly full', 1), true);
  assert.equal(demote(demotions, 'checks', 240, 'still no server is up'), false, 'nothing changed but the reason');
  assert.deepEqual([demotionOf(demotions, 0), demotionOf(demotions, 1)], [240, 240]);
  undemote(demotions, 'link');
  assert.equal(demotionOf(demotions, 0), 240, 'one of two 240s is still 240');
  undemote(demotions, 'checks');
  assert.deepEqual([demotionOf(demotions, 0), demotionOf(demotions, 1)], [0, 10]);
  assert.equal(undemote(demotions, 'disk'), false, 'not the one of vhid index 1');
  assert.deepEqual(demotionsOf(demotions, 1), [{ owner: 'disk', amount: 10, reason: 'nearly full' }]);
});
