/** What check, agent and traffic of one server add up to, and how it is told. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { describeCheck, describeState } from '#src/health/log-line.js';
import {
  firstServerHealth,
  foldAgent,
  foldLiveErrors,
  foldServerCheck,
  type OnError,
  operationalState,
  resumedHealth,
  type ServerHealth,
} from '#src/health/server-health.js';
import { CODES, DESCRIPTIONS, verdictOf } from '#src/health/verdict.js';

const LIMITS = { rise: 2, fall: 3 };
const PASS = verdictOf('L7OK', 'fine');
const FAIL = verdictOf('L7STS', 'HTTP status 503', 503);
const CONDITIONAL = verdictOf('L7OKC', 'HTTP status 404', 404);

const after = (...verdicts: readonly (typeof PASS)[]): ServerHealth =>
  verdicts.reduce((health, verdict) => foldServerCheck(health, verdict, LIMITS), firstServerHealth(LIMITS));
const state = (health: ServerHealth): string => operationalState(health, LIMITS);

test('a conditional pass keeps a server from new clients until a plain one', () => {
  assert.equal(state(after(PASS, CONDITIONAL)), 'STOPPING');
  assert.equal(state(after(PASS, CONDITIONAL, PASS)), 'UP');
  assert.equal(state(after(PASS, CONDITIONAL, FAIL)), 'STOPPING', 'one failure changes nothing yet');
  assert.equal(state(after(FAIL, CONDITIONAL)), 'DOWN', 'it must rise first');
});

test('check and agent must both find a server well', () => {
  const told_down = foldAgent(after(PASS), 'down');
  assert.equal(state(told_down), 'DOWN');
  assert.equal(state(foldServerCheck(told_down, PASS, LIMITS)), 'DOWN');
  assert.equal(state(foldAgent(told_down, 'up')), 'UP');
  assert.equal(state(foldAgent(after(FAIL), 'up')), 'DOWN');
});

test('errors of the traffic count as on-error says', () => {
  const left = (on_error: OnError, health = after(PASS)): number => foldLiveErrors(health, on_error, LIMITS).check;
  assert.equal(after(PASS).check, 4);
  assert.deepEqual(
    (['fastinter', 'fail-check', 'sudden-death', 'mark-down'] as const).map((mode) => left(mode)),
    [4, 3, 2, 0],
  );
  assert.equal(left('fail-check', after(PASS, FAIL, FAIL)), 0);
  assert.equal(left('mark-down', after(FAIL)), 0);
});

test('what an earlier configuration knew goes on under other limits', () => {
  const resumed = (state: 'UP' | 'DOWN' | 'STOPPING', check: number, agent?: number): ServerHealth =>
    resumedHealth({ state, check, agent }, LIMITS);
  assert.deepEqual(resumed('UP', 9), { check: 4, agent: 1, conditional: false });
  assert.deepEqual(resumed('UP', 0), { check: 2, agent: 1, conditional: false });
  assert.deepEqual(resumed('DOWN', 9), { check: 1, agent: 1, conditional: false });
  assert.deepEqual(resumed('DOWN', 4, 0), { check: 4, agent: 0, conditional: false });
  assert.deepEqual(resumed('DOWN', 1, 0), { check: 1, agent: 0, conditional: false }, 'both say so');
  assert.deepEqual(resumed('DOWN', 1, 1), { check: 1, agent: 1, conditional: false });
  for (const each of ['UP', 'DOWN', 'STOPPING'] as const) assert.equal(state(resumed(each, 3)), each);
});

test("a check is told in HAProxy's words", () => {
  const server = { backend: 'web', server: 'a', backup: false, agent: false, thresholds: LIMITS, weight: 1 };
  assert.equal(
    describeCheck({ ...server, verdict: FAIL, duration_ms: 12, health: 3 }),
    'Health check for server web/a failed, reason: Layer7 wrong status, code: 503, info: "HTTP status 503", ' +
      'check duration: 12ms, status: 2/3 UP.',
  );
  assert.equal(
    describeCheck({ ...server, backup: true, agent: true, weight: 0, verdict: CONDITIONAL, duration_ms: 0, health: 4 }),
    'Agent check for backup server web/a conditionally succeeded, reason: Layer7 check conditionally passed, code: 404, ' +
      'info: "HTTP status 404", check duration: 0ms, status: 3/3 DRAIN.',
  );
  assert.match(describeCheck({ ...server, verdict: FAIL, duration_ms: 0, health: 1 }), /status: 1\/2 DOWN\.$/);
});

test('a server is told how it is seen', () => {
  const rest = { thresholds: LIMITS, backend: 'bck', server: 'srv2', address: '192.0.2.1', port: 80, node: 'lb1' };
  const numbers = { weight: 1, total_weight: 2, connections: 13, total_connections: 22, queued: 0 };
  assert.equal(
    describeState({ ...rest, ...numbers, operational: 'UP', health: 3 }),
    'UP 2/3; address=192.0.2.1; port=80; name=bck/srv2; node=lb1; weight=1/2; scur=13/22; qcur=0',
  );
  assert.match(describeState({ ...rest, ...numbers, operational: 'UP', health: 4 }), /^UP; /);
  assert.match(describeState({ ...rest, ...numbers, operational: 'STOPPING', health: 4 }), /^NOLB; /);
  assert.match(describeState({ ...rest, ...numbers, operational: 'DOWN', health: 1 }), /^DOWN 1\/2; /);
});

test('what a server sends cannot play with a log, and every code has its words', () => {
  assert.equal(verdictOf('L7RSP', 'a\r\nb\x1b[31mc').reason, 'a b [31mc');
  assert.equal(verdictOf('L7RSP', 'x'.repeat(1000)).reason.length, 256);
  for (const code of CODES) assert.notEqual(DESCRIPTIONS[code], undefined);
});
