/** Steps that change more than the kernel's own switch and signals can show, played for real, each in a short scenario of its own. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { needs } from '../helpers/peers.js';

const main = fileURLToPath(new URL('../../../dist/main.js', import.meta.url));
const LIMIT_MS = 60_000;

function file(indent: string, ...addresses: readonly string[]): string {
  const carp = ['interface eth0', 'vhid 1', 'pass s3cret', 'advbase 0', 'advskew 20'];
  const lines = [...carp, ...addresses.map((address) => `address ${address}/16`)];
  return ['carp web', ...lines.map((line) => `    ${line}`)].map((line) => `${indent}${line}\n`).join('');
}

const NODE = `node a 10.10.0.11\n    file haproxy.cfg\n${file('        ', '10.10.0.1')}`;

const RELOAD = `${NODE}steps
    start a
    reload a                           # it is not yet there to heed the signal, and lives nevertheless
    wait until a is MASTER of 1 within 20 s
    write a haproxy.cfg
${file('        ', '10.10.0.1', '10.10.0.2')}
    expect 10.10.0.2 is gone from a    # nobody has read it
    reload a
    expect 10.10.0.2 is on a within 10 s
`;

describe('steps', { concurrency: 2 }, () => {
  test('a file that is written anew counts from the reload on', { skip: needs('unshare'), timeout: LIMIT_MS }, () =>
    holds(RELOAD),
  );
});

async function holds(scenario: string): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), 'carpool-test-'));
  try {
    const path = join(directory, 'x.scenario');
    writeFileSync(path, scenario);
    const { status, said } = await play(path);
    assert.equal(status, 0, said);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

function play(path: string): Promise<{ status: unknown; said: string }> {
  return new Promise((resolve) => {
    execFile(process.execPath, [main, 'lab', path], { timeout: LIMIT_MS }, (error, stdout, stderr) =>
      resolve({ status: error ? (error.code ?? error.signal) : 0, said: stdout + stderr }),
    );
  });
}
