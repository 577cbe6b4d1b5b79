import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { needsNamespaces } from '../helpers/carp-network.ts';
import { needs } from '../helpers/peers.ts';

const PROGRAM = fileURLToPath(new URL('../../bench/failover.js', import.meta.url));
const NEEDS = needsNamespaces() || needs('ucarp', 'keepalived', 'ip', 'unshare');

function run(only: string): string[] {
  const args = [PROGRAM, '--quick', '--only', only];
  const result = spawnSync(process.execPath, args, { encoding: 'utf8', timeout: 90_000 });
  assert.equal(result.status, 0, result.stderr);
  return result.stdout.split('\n');
}

describe('the failover bench, for a moment', { skip: NEEDS }, () => {
  test('kills, isolates, stops and unplugs the preferred host of a pair, and judges the outages', () => {
    const lines = run('carpool, advbase 0');
    for (const happening of ['kill', 'host death', 'graceful stop', 'link down'])
      assert.equal(lines.filter((line) => line.startsWith(`| ${happening} `)).length, 1, lines.join('\n'));
    assert.equal(
      lines.filter((line) => /^\| (host death|graceful stop), .*\| (yes|\*\*no\*\*) +\|$/.test(line)).length,
      3,
    );
  });

  test('compares the CPU time and the memory of many idle addresses with keepalived’s', () => {
    const lines = run('idle');
    assert.equal(lines.filter((line) => /^\| (carpool|keepalived), IPv[46] +\| \d+/.test(line)).length, 8);
    assert.equal(lines.filter((line) => /^\| (CPU|memory) of .*\| (yes|\*\*no\*\*) +\|$/.test(line)).length, 3);
  });
});
