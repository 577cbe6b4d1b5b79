/** Which servers are checked, with which settings. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { planChecks } from '#src/health/plan.js';
import { checkConfig } from '../helpers/check-config.js';

test('servers count through all backends, and those without check have no plan', () => {
  const plans = planChecks(
    checkConfig([
      { servers: [{ port: 1 }, { port: 2, unchecked: true }, { port: 3 }] },
      { servers: [{ port: 4, unchecked: true }] },
      { servers: [{ port: 5 }] },
    ]),
  );
  assert.deepEqual(
    plans.map(({ subject }) => [
      subject.backend,
      subject.server,
      subject.backend_index,
      subject.server_index,
      subject.endpoint.port,
    ]),
    [
      ['backend0', 'server0', 0, 0, 1],
      ['backend0', 'server2', 0, 2, 3],
      ['backend2', 'server0', 2, 4, 5],
    ],
  );
});

test('a server whose name did not resolve has a plan for when it does', () => {
  const [plan] = planChecks(checkConfig([{ servers: [{ port: 1, address: '' }] }]));
  assert.deepEqual(plan!.subject.endpoint, { address: '', port: 1 });
});

test('the first round is spread over the shortest interval, one second at most', () => {
  const delays = (...inters_ms: number[]): number[] =>
    planChecks(checkConfig([{ servers: inters_ms.map((inter_ms) => ({ port: 1, inter_ms })) }])).map(
      (plan) => plan.first_delay_ms,
    );
  assert.deepEqual(delays(2000, 2000), [0, 500]);
  assert.deepEqual(delays(60_000, 100, 60_000, 60_000), [0, 25, 50, 75]);
  assert.deepEqual(delays(2000), [0]);
});

test('inter bounds the whole check until timeout check bounds the answer', () => {
  const timeouts = (inter_ms: number, set: { connect_ms?: number; check_ms?: number }): unknown[] => {
    const [plan] = planChecks(checkConfig([{ servers: [{ port: 1, inter_ms }], timeouts: set }]));
    return [plan.connect_timeout_ms, plan.answer_timeout_ms];
  };
  assert.deepEqual(timeouts(2000, {}), [2000, undefined]);
  assert.deepEqual(timeouts(2000, { connect_ms: 500 }), [2000, undefined]);
  assert.deepEqual(timeouts(2000, { check_ms: 700 }), [2000, 700]);
  assert.deepEqual(timeouts(2000, { connect_ms: 500, check_ms: 700 }), [500, 700]);
  assert.deepEqual(timeouts(2000, { connect_ms: 5000, check_ms: 7000 }), [2000, 7000]);
});
