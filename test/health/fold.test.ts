/** The rise/fall counter as a table: what the checks said, and whether the server was UP after each. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { firstHealth, foldCheck, isUp, nextInterval_ms } from '#src/health/fold.js';

const DEFAULTS = { rise: 2, fall: 3 };

/** `+` a passed check, `-` a failed one; `U` UP, `d` DOWN. The first letter is the state before any check. */
function states(checks: string, thresholds = DEFAULTS): string {
  let health = firstHealth(thresholds);
  const letter = (): string => (isUp(health, thresholds) ? 'U' : 'd');
  let seen = letter();
  for (const check of checks) {
    health = foldCheck(health, check === '+', thresholds);
    seen += letter();
  }
  return seen;
}

test('the first check decides alone: one failure is DOWN, one pass is wholly UP', () => {
  assert.equal(states('-'), 'Ud');
  assert.equal(states('+--'), 'UUUU');
  assert.equal(states('+---'), 'UUUUd');
});

test('an UP server goes DOWN at the third failure in a row, and a pass between begins anew', () => {
  assert.equal(states('+---'), 'UUUUd');
  assert.equal(states('+--+---'), 'UUUUUUUd');
  assert.equal(states('+-+-+-+-'), 'UUUUUUUUU');
});

test('a DOWN server comes UP at the second pass in a row, and a failure between begins anew', () => {
  assert.equal(states('-++'), 'UddU');
  assert.equal(states('-+-++'), 'UddddU');
  assert.equal(states('-+-+-+-'), 'Uddddddd');
});

test('a server that has just come UP is wholly UP: it takes the full number of failures again', () => {
  assert.equal(states('-++--'), 'UddUUU');
  assert.equal(states('-++---'), 'UddUUUd');
});

test('with rise 1 and fall 1 every check decides', () => {
  assert.equal(states('-+-+', { rise: 1, fall: 1 }), 'UdUdU');
});

test('the counter stays within its bounds, whatever the checks say', () => {
  const thresholds = fc.record({ rise: fc.integer({ min: 1, max: 20 }), fall: fc.integer({ min: 1, max: 20 }) });
  fc.assert(
    fc.property(thresholds, fc.array(fc.boolean(), { maxLength: 200 }), (limits, checks) => {
      let health = firstHealth(limits);
      let up = isUp(health, limits);
      let in_a_row = 0;
      for (const [index, passed] of checks.entries()) {
        health = foldCheck(health, passed, limits);
        assert.ok(health >= 0 && health <= limits.rise + limits.fall - 1);
        in_a_row = index > 0 && checks[index - 1] === passed ? in_a_row + 1 : 1;
        if (isUp(health, limits) !== up) {
          if (index > 0) assert.equal(in_a_row % (passed ? limits.rise : limits.fall), 0);
          up = !up;
        }
      }
    }),
  );
});

test('checks come faster while the state may change, and slower while a server is DOWN', () => {
  const intervals = { inter_ms: 2000, fastinter_ms: 500, downinter_ms: 5000 };
  const after = (checks: string): number => {
    let health = firstHealth(DEFAULTS);
    for (const check of checks) health = foldCheck(health, check === '+', DEFAULTS);
    return nextInterval_ms(health, DEFAULTS, intervals);
  };
  assert.deepEqual(['+', '+-', '+--', '+---', '+---+', '+---++'].map(after), [2000, 500, 500, 5000, 500, 2000]);
});

test('without fastinter and downinter every interval is inter', () => {
  const intervals = { inter_ms: 2000, fastinter_ms: undefined, downinter_ms: undefined };
  for (let health = 0; health <= 4; health++) assert.equal(nextInterval_ms(health, DEFAULTS, intervals), 2000);
});
