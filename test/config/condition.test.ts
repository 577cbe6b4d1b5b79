/** The conditions of `.if` and `-cc`, as HAProxy answers them. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { evaluateCondition } from '#src/config/haproxy/condition.js';
import { peerPath } from '../helpers/peers.js';

const ENV = { SET: 'yes', EMPTY: '' };

const ALIKE: readonly string[] = [
  '',
  '0',
  '1',
  '-3',
  '!0',
  '! 1',
  'defined(SET)',
  'defined(EMPTY)',
  'defined(UNSET)',
  'streq(a,a)',
  'streq(a,b)',
  'strneq(a,b)',
  'version_atleast(2.4-dev19)',
  'version_atleast(2)',
  'version_before(1.9)',
  'version_atleast(9.9)',
  'feature(EPOLL) && feature(THREAD)',
  'feature(NOTHING)',
  '1 && 0 || 1 && 1',
  '1 && (0 || 0)',
  '(1)',
  '((0 || 1) && !(0))',
  '0 || 0 || 1',
];

test('a condition holds or not, as HAProxy says', () => {
  for (const text of ALIKE) {
    const { status } = spawnSync(peerPath('haproxy'), ['-cc', text], { env: { ...process.env, ...ENV } });
    assert.deepEqual(evaluateCondition(text, ENV), { holds: status === 0 }, text);
  }
});

test('what is no condition is told', () => {
  const problemOf = (text: string) => {
    const outcome = evaluateCondition(text, ENV);
    return 'problem' in outcome ? outcome.problem : outcome.holds;
  };
  assert.equal(problemOf('foo(1)'), 'there is no predicate `foo`');
  assert.equal(problemOf('streq(a)'), '`streq` takes two arguments in parentheses');
  assert.equal(problemOf('defined'), '`defined` takes one argument in parentheses');
  assert.equal(problemOf('(1'), 'a `)` is missing');
  assert.equal(problemOf('1 1'), '`1` is more than a condition');
  assert.equal(problemOf('1 &&'), 'a condition is missing before ``');
  assert.equal(problemOf('!'.repeat(40)), 'it is nested too deeply');
});

test('a version in development is before its release, and beyond the release before', () => {
  const holds = (text: string) => (evaluateCondition(text, {}) as { holds: boolean }).holds;
  assert.equal(holds('version_atleast(3.5-dev1)'), true);
  assert.equal(holds('version_atleast(3.6-dev1)'), false);
  assert.equal(holds('version_before(3.5.1)'), true);
});
