/**
 * Plays every scenario of the repository on real namespaces; each must keep all its promises. They mostly wait, so two play at
 * a time. Their bounds are milliseconds: where the lab's own clock saw the machine stand still (and said so), a run proves
 * nothing, and the scenario is played again.
 */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { needs } from '../helpers/peers.js';

const root = new URL('../../../', import.meta.url);
const main = fileURLToPath(new URL('dist/main.js', root));
const RUN_MS = 90_000;
const RUNS = 3;

describe('scenarios', { concurrency: 2 }, () => {
  for (const file of readdirSync(new URL('scenarios/', root))) {
    const name = file.replace(/\.scenario$/, '');
    const has_ucarp = /^node\s+\S+\s+\S+\s+ucarp(?! or carpool)/m.test(
      readFileSync(new URL(`scenarios/${file}`, root), 'utf8'),
    );
    const skip = has_ucarp ? needs('unshare', 'ucarp', 'ip') : needs('unshare', 'nft');
    test(`the expectations of ${name} hold`, { skip, timeout: RUNS * RUN_MS }, async () => {
      let run = await play(name);
      for (let again = 1; again < RUNS && run.status !== 0 && stoodStill(run.stderr); again++) run = await play(name);
      const seen = run.stderr;
      assert.notEqual(run.stdout, '', seen);
      const result = JSON.parse(run.stdout.trimEnd().split('\n').at(-1)!);
      assert.equal(result.scenario, name);
      const broken = result.expectations.filter((expectation: { held: boolean }) => !expectation.held);
      assert.deepEqual(broken, [], seen);
      assert.equal(result.passed, true, seen);
      assert.equal(run.status, 0, seen);
    });
  }
});

function play(name: string): Promise<{ status: unknown; stdout: string; stderr: string }> {
  const words = [main, 'lab', name, '--json'];
  return new Promise((resolve) => {
    execFile(process.execPath, words, { timeout: RUN_MS }, (error, stdout, stderr) =>
      resolve({ status: error ? (error.code ?? error.signal) : 0, stdout, stderr }),
    );
  });
}

function stoodStill(timeline: string): boolean {
  return timeline.includes('this machine is busy');
}
