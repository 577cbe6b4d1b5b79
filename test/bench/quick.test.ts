import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { BOUNDS } from '../../bench/bounds.ts';
import { needs } from '../helpers/peers.ts';

/** Two for each reactor. */
const CROWD_BOUNDS = 4;
const PROGRAM = fileURLToPath(new URL('../../bench/main.js', import.meta.url));

test('a quick bench loads both programs, compares the slow reader bytes and judges every bound', {
  skip: needs('haproxy', 'nginx', 'wrk', 'unshare'),
}, () => {
  const result = spawnSync(process.execPath, [PROGRAM, '--quick'], { encoding: 'utf8', timeout: 180_000 });
  assert.equal(result.status, 0, result.stderr);
  const judged = result.stdout.split('\n').filter((line) => /^\| (CPU|p99|KiB) .*\| (yes|\*\*no\*\*) +\|$/.test(line));
  assert.equal(judged.length, BOUNDS.length + CROWD_BOUNDS, result.stdout);
  assert.match(result.stdout, /got its 10 MiB byte for byte/);
});
