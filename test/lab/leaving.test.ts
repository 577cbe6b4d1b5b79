/** However the lab is ended, nothing of it stays behind. */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { needs } from '../helpers/peers.js';

const main = fileURLToPath(new URL('../../../dist/main.js', import.meta.url));
const LIMIT_MS = 120_000;
const skip = needs('unshare');

const LONG = `title A web server, asked for a minute
web w 10.10.0.21
client c 10.10.0.100
    probe 10.10.0.21
    request http://10.10.0.21:8080/
steps
    start w, c
    expect no request fails for 1 min
`;

for (const signal of ['SIGINT', 'SIGTERM', 'SIGKILL'] as const) {
  test(`${signal} in the middle leaves no process and no file`, { skip, timeout: LIMIT_MS }, async () => {
    const { directory, lab } = startLab(LONG);
    try {
      await until(() => processesOf(directory).length >= 6);
      lab.kill(signal);
      await until(() => processesOf(directory).length === 0 && readdirSync(directory).length === 1);
    } finally {
      lab.kill('SIGKILL');
      rmSync(directory, { recursive: true, force: true });
    }
  });
}

test('a step that cannot be done ends the lab with a sentence and status 1', { skip, timeout: LIMIT_MS }, () => {
  const directory = mkdtempSync(join(tmpdir(), 'carpool-test-'));
  try {
    writeFileSync(join(directory, 'x.scenario'), LONG.replace('start w, c', 'start w, w, c'));
    const run = spawnSync(process.execPath, [main, 'lab', './x.scenario'], {
      cwd: directory,
      encoding: 'utf8',
      env: { ...process.env, TMPDIR: directory },
      timeout: LIMIT_MS,
    });
    assert.equal(run.status, 1);
    assert.match(run.stderr, /^carpool: w still runs/);
    assert.deepEqual(readdirSync(directory), ['x.scenario']);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
});

function startLab(text: string): { directory: string; lab: ChildProcess } {
  const directory = mkdtempSync(join(tmpdir(), 'carpool-test-'));
  const file = join(directory, 'long.scenario');
  writeFileSync(file, text);
  const env = { ...process.env, TMPDIR: directory };
  return { directory, lab: spawn(process.execPath, [main, 'lab', file], { stdio: 'ignore', env }) };
}

/** Processes that were started with our TMPDIR: the lab and everything that it started. */
function processesOf(directory: string): string[] {
  return readdirSync('/proc').filter((entry) => {
    try {
      return /^\d+$/.test(entry) && readFileSync(`/proc/${entry}/environ`, 'utf8').includes(`TMPDIR=${directory}`);
    } catch {
      return false; // not ours to read, or gone
    }
  });
}

async function until(isTrue: () => boolean): Promise<void> {
  for (let waited = 0; !isTrue(); waited += 20) {
    assert.ok(waited < LIMIT_MS / 2, 'it did not come true in time');
    await sleep(20);
  }
}
