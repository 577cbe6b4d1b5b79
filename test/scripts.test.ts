/** What a person meets who types `npm start` or `npm test`. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../..', import.meta.url));

function runScript(folder: string, words: readonly string[], env: NodeJS.ProcessEnv = process.env) {
  return spawnSync(process.execPath, words, { cwd: folder, env, encoding: 'utf8', timeout: 120_000 });
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

test('what fails beside other tests is run again alone: it is told, and fails the run only if it fails again', (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'carpool-report-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const once = "if (!existsSync('seen')) { writeFileSync('seen', ''); throw new Error('only once'); }";
  writeFileSync(join(folder, 'good.mjs'), testFile(''));
  writeFileSync(join(folder, 'once.mjs'), testFile(once));
  writeFileSync(join(folder, 'bad.mjs'), testFile("throw new Error('always')"));

  const mended = runReport(folder, ['good.mjs', 'once.mjs']);
  assert.match(mended.stdout, /✖.*only once.*fail 1.*Now alone.*1 failed beside other tests only.*pass 2\n.*fail 0\n/s);
  assert.equal(mended.status, 0);

  rmSync(join(folder, 'seen'));
  const failed = runReport(folder, ['good.mjs', 'once.mjs', 'bad.mjs']);
  assert.match(failed.stdout, /Now alone.*1 failed beside other tests only.*pass 2\n.*fail 1\n.*always/s);
  assert.equal(failed.status, 1);

  writeFileSync(
    join(folder, 'maker.mjs'),
    testFile("throw new Error('always')").replace(/test\('it'.*/, 'export const make = () => $&'),
  );
  writeFileSync(join(folder, 'made.mjs'), "import { make } from './maker.mjs'; make();");
  const made = runReport(folder, ['made.mjs']);
  assert.match(made.stdout, /Now alone.*0 failed beside other tests only.*fail 1\n.*always/s);
  assert.equal(made.status, 1);

  writeFileSync(join(folder, 'random.mjs'), testFile("throw new Error('Property failed after 71 tests')"));
  const found = runReport(folder, ['random.mjs']);
  assert.doesNotMatch(found.stdout, /Now alone/);
  assert.equal(found.status, 1);

  const many = ['a.mjs', 'b.mjs', 'c.mjs', 'd.mjs'];
  for (const name of many) writeFileSync(join(folder, name), testFile("throw new Error('always')"));
  const broken = runReport(folder, many);
  assert.match(broken.stdout, /fail 4\n/);
  assert.doesNotMatch(broken.stdout, /Now alone/);
  assert.equal(broken.status, 1);
});

function testFile(body: string): string {
  return `import { existsSync, writeFileSync } from 'node:fs'; import { test } from 'node:test';\ntest('it', () => { ${body} });\n`;
}

function runReport(folder: string, names: readonly string[]) {
  const script = [
    `import { report } from ${JSON.stringify(join(root, 'scripts/test-report.mjs'))};`,
    `const files = ${JSON.stringify(names.map((name) => join(folder, name)))};`,
    'process.exitCode = await report([{ files, concurrency: 2 }], { file_ms: 30_000, total_ms: 60_000 });',
  ];
  const { NODE_TEST_CONTEXT: _, ...env } = process.env; // a run inside a run would do nothing
  writeFileSync(join(folder, 'run.mjs'), script.join('\n'));
  return runScript(folder, ['run.mjs'], env);
}
