import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Bound, cost_us, judge, median, type Rounds } from '../../bench/bounds.ts';
import type { Sample } from '../../bench/measure.ts';

const BOUND: Bound = { load: '50 connections', figure: 'CPU', reactor: 'ring', at_most: 0.75 };

function sample(cpu_us: number): Sample {
  return { requests: 100, bytes: 20 * 1024 * 1024, seconds: 4, p99_us: 900, cpu_us };
}

function roundsOf(pairs: readonly (readonly [haproxy: number, ring: number])[]): Rounds {
  const rounds = pairs.map(([haproxy, ring]) => ({
    haproxy: sample(haproxy),
    ring: sample(ring),
    epoll: sample(haproxy),
  }));
  return {
    '50 connections': rounds,
    '8 connections': [],
    'closed connections': [],
    '10 MiB bodies': rounds,
    '10 MiB tunnels': [],
  };
}

test('a bound is judged by the median of the ratios of each round, not by the ratio of the medians', () => {
  // The machine became three times slower in the second and third round; the ratios are 0.7, 0.8 and 0.6.
  const outcome = judge(
    BOUND,
    roundsOf([
      [1000, 700],
      [3000, 2400],
      [3000, 1800],
    ]),
  );
  assert.equal(outcome.ratio.toFixed(2), '0.70');
  assert.equal(outcome.lowest.toFixed(2), '0.60');
  assert.equal(outcome.highest.toFixed(2), '0.80');
  assert.equal(outcome.held, true);
});

test('a bound is judged as it is printed', () => {
  assert.equal(judge(BOUND, roundsOf([[1000, 754]])).held, true);
  assert.equal(judge(BOUND, roundsOf([[1000, 756]])).held, false);
});

test('a large body costs CPU by the bytes that arrived, a small one by the requests', () => {
  assert.equal(cost_us('10 MiB bodies', sample(1000)), 500);
  assert.equal(cost_us('8 connections', sample(1000)), 10);
});

test('the median of an even number of values is the mean of the middle two', () => {
  assert.equal(median([4, 1, 3, 2]), 2.5);
});
