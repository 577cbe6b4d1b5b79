/** Plays every scenario of the repository on real namespaces; each must keep all its promises. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { needs } from '../helpers/peers.js';

const root = new URL('../../../', import.meta.url);
const main = fileURLToPath(new URL('dist/main.js', root));
const RUN_MS = 90_000;

for (const file of readdirSync(new URL('scenarios/', root))) {
  const name = file.replace(/\.scenario$/, '');
  const has_ucarp = /^node\s+\S+\s+\S+\s+ucarp/m.test(readFileSync(new URL(`scenarios/${file}`, root), 'utf8'));
  const skip = has_ucarp ? needs('unshare', 'ucarp', 'ip') : needs('unshare');
  test(`the expectations of ${name} hold`, { skip, timeout: RUN_MS }, () => {
    const run = spawnSync(process.execPath, [main, 'lab', name, '--json'], { encoding: 'utf8', timeout: RUN_MS });
    const seen = `${run.stderr}\n${run.error ?? ''}`;
    assert.notEqual(run.stdout, '', seen);
    const result = JSON.parse(run.stdout.trimEnd().split('\n').at(-1)!);
    assert.equal(result.scenario, name);
    const broken = result.expectations.filter((expectation: { held: boolean }) => !expectation.held);
    assert.deepEqual(broken, [], seen);
    assert.equal(result.passed, true, seen);
    assert.equal(run.status, 0, seen);
  });
}
