/** What a person meets who types `npm start` or `npm test`. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../..', import.meta.url));

function runScript(folder: string, words: readonly string[], env: NodeJS.ProcessEnv = process.env) {
  return spawnSync(process.execPath, words, { cwd: folder, env, encoding: 'utf8', timeout: 60_000 });
}

test('a build with nothing to do says nothing', () => {
  const result = runScript(root, ['scripts/build.mjs', '--tests']);
  assert.deepEqual([result.status, result.stdout, result.stderr], [0, '', '']);
});

test('a fresh clone without npm on the PATH is told so in one sentence', (t) => {
  const clone = mkdtempSync(join(tmpdir(), 'carpool-scripts-'));
  t.after(() => rmSync(clone, { recursive: true, force: true }));
  for (const name of ['scripts', 'package.json', 'package-lock.json']) {
    cpSync(join(root, name), join(clone, name), { recursive: true });
  }
  const result = runScript(clone, ['scripts/start.mjs'], { PATH: '/nonexistent' });
  assert.equal(result.status, 1);
  assert.match(result.stderr, /\ncarpool: npm is not on the PATH; install it .*\n$/);
});

test('a filter that no test file matches is a mistake, not a success', () => {
  const result = runScript(root, ['scripts/test.mjs', 'no-such-file']);
  assert.equal(result.status, 1);
  assert.match(result.stderr, /no test file has no-such-file in its path/);
});
