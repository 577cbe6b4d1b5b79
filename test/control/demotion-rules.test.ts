import assert from 'node:assert/strict';
import { test } from 'node:test';
import { NOWHERE } from '#src/config/diagnostic.js';
import type { Condition, DemoteRule, Test } from '#src/config/model.js';
import { countUsable, evaluateRule, ruleOwner, type ServerView } from '#src/control/demotion-rules.js';

const UP: ServerView = { name: 'a', up: true, usable: true, willing: true, backup: false };
const DOWN: ServerView = { ...UP, up: false, usable: false };

const AT_LEAST_ONE: Test = { kind: 'nbsrv', backend: 'servers', ranges: [{ min: 1, max: null }] };
const LESS_THAN_TWO: Test = { kind: 'nbsrv', backend: 'servers', ranges: [{ min: null, max: 1 }] };
const A_IS_UP: Test = { kind: 'srv_is_up', backend: 'servers', server: 'a' };

function rule(polarity: 'if' | 'unless', ...tests: Test[]): DemoteRule {
  const condition: Condition = [tests.map((test) => ({ negated: false, test }))];
  return { amount: 240, polarity, condition, text: 'as written', span: NOWHERE };
}

function verdict(of: DemoteRule, servers: readonly ServerView[]) {
  return evaluateRule(of, (backend) => (backend === 'servers' ? servers : undefined));
}

test('"unless nbsrv ge 1" demotes when no server is left, and says so', () => {
  const of = rule('unless', AT_LEAST_ONE);
  assert.deepEqual(verdict(of, [UP, DOWN]), { demoted: false, reason: '' });
  assert.deepEqual(verdict(of, [DOWN, DOWN]), { demoted: true, reason: 'nbsrv(servers) is 0, the rule wants ge 1' });
});

test('"if nbsrv le 1" demotes when the count falls', () => {
  const of = rule('if', LESS_THAN_TWO);
  assert.deepEqual(verdict(of, [UP, UP]), { demoted: false, reason: '' });
  assert.deepEqual(verdict(of, [UP, DOWN]), {
    demoted: true,
    reason: 'nbsrv(servers) is 1, the rule demotes at le 1',
  });
});

test('srv_is_up looks at one server', () => {
  const of = rule('unless', A_IS_UP);
  assert.equal(verdict(of, [UP]).demoted, false);
  assert.deepEqual(verdict(of, [DOWN]), { demoted: true, reason: 'server servers/a is down, the rule wants up' });
});

test('a negated term holds when its test does not', () => {
  const condition: Condition = [[{ negated: true, test: A_IS_UP }]];
  const of: DemoteRule = { ...rule('if'), condition };
  assert.equal(verdict(of, [UP]).demoted, false);
  assert.deepEqual(verdict(of, [DOWN]), {
    demoted: true,
    reason: 'server servers/a is down, the rule demotes at down',
  });
});

test('terms side by side must all hold, alternatives need one', () => {
  const both = rule('unless', AT_LEAST_ONE, A_IS_UP);
  const other: ServerView = { ...UP, name: 'b' };
  assert.equal(verdict(both, [DOWN, other]).demoted, true);
  assert.equal(verdict(both, [UP, other]).demoted, false);
  const either: DemoteRule = {
    ...both,
    condition: [...rule('if', A_IS_UP).condition, ...rule('if', AT_LEAST_ONE).condition],
  };
  assert.equal(verdict(either, [DOWN, other]).demoted, false);
  assert.equal(
    verdict(either, [DOWN]).reason,
    'server servers/a is down, the rule wants up, and nbsrv(servers) is 0, the rule wants ge 1',
  );
});

test('a constant rule explains itself', () => {
  assert.deepEqual(verdict(rule('if', { kind: 'constant', value: true }), []), {
    demoted: true,
    reason: 'the rule is always true',
  });
  assert.equal(verdict(rule('unless', { kind: 'constant', value: true }), []).demoted, false);
});

test('nbsrv counts as HAProxy does: active servers, or one backup server in their place', () => {
  const backup: ServerView = { ...UP, name: 'b', backup: true };
  assert.equal(countUsable([UP, UP, backup]), 2);
  assert.equal(countUsable([DOWN, backup, backup]), 1);
  assert.equal(countUsable([{ ...UP, usable: false }]), 0, 'a drained server is up and yet not usable');
  assert.equal(countUsable([]), 0);
});

test('a demotion is owned by the rule as it was written', () => {
  assert.equal(ruleOwner(rule('unless', AT_LEAST_ONE)), 'config:unless as written');
});
