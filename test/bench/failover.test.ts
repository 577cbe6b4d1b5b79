import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { needsNamespaces } from '../helpers/carp-network.ts';
import { needs } from '../helpers/peers.ts';

const PROGRAM = fileURLToPath(new URL('../../bench/failover.js', import.meta.url));
const NEEDS = needsNamespaces() || needs('ucarp', 'keepalived', 'ip', 'unshare');

function run(...words: string[]): string[] {
  const args = [PROGRAM, ...words];
  const result = spawnSync(process.execPath, args, { encoding: 'utf8', timeout: 90_000 });
  assert.equal(result.status, 0, result.stderr);
  return result.stdout.split('\n');
}

describe('the failover bench, for a moment', { skip: NEEDS }, () => {
  test('kills, isolates, stops and unplugs the preferred host of a pair, and judges the outages', () => {
    const lines = run('--quick', '--only', 'carpool, advbase 0');
    for (const happening of ['kill', 'host death', 'graceful stop', 'link down'])
      assert.equal(lines.filter((line) => line.startsWith(`| ${happening} `)).length, 1, lines.join('\n'));
    assert.equal(
      lines.filter((line) => /^\| (host death|graceful stop), .*\| (yes|\*\*no\*\*) +\|$/.test(line)).length,
      3,
    );
  });

  test('compares the CPU time and the memory of many idle addresses with keepalived’s', () => {
    const lines = run('--quick', '--only', 'idle');
    assert.equal(lines.filter((line) => /^\| (carpool|keepalived), IPv[46] +\| \d+/.test(line)).length, 8);
    assert.equal(lines.filter((line) => /^\| (CPU|memory) of .*\| (yes|\*\*no\*\*) +\|$/.test(line)).length, 3);
  });

  test('soaks a busy pair, and tells its transitions and those of the machine apart', {
    skip: needs('wrk', 'haproxy'),
  }, () => {
    const lines = run('--soak', '--minutes', '0.05', '--rate', '400', '--skew', '20/40');
    const row =
      lines
        .find((line) => line.startsWith('| 20/40 '))
        ?.split('|')
        .map((cell) => cell.trim()) ?? [];
    const [, , seconds, rate, failed, questions] = row;
    assert.deepEqual([seconds, failed], ['3 s', '0'], lines.join('\n'));
    assert.ok(Number(rate) > 50 && Number(questions) > 20, row.join(' '));
  });
});
