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
const LIMIT_MS = 120_000;

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

/** An answer that takes longer than 250 ms counts as none; a web server's answers are in many pieces, and TCP finds those that are out of order. */
const SLOW = `seed 7
web w 10.10.0.21
client c 10.10.0.100
    probe 10.10.0.21
    request http://10.10.0.21:8080/ every 50 ms timeout 10 s
steps
    start w, c
    wait until 10.10.0.21 answers within 10 s
    delay up to 10 s
    expect 10.10.0.21 is silent within 5 s
    delay up to 0 ms
    expect 10.10.0.21 answers within 10 s
    delay up to 20 ms
    repeat 100 %
    echo on
    expect no request fails for 1 s
`;

describe('steps', { concurrency: 2 }, () => {
  test('a file that is written anew counts from the reload on', { skip: needs('unshare'), timeout: LIMIT_MS }, () =>
    holds(RELOAD),
  );

  test(
    'delays silence who answers late, and repeats, echoes and frames out of order do no harm',
    {
      skip: needs('unshare'),
      timeout: LIMIT_MS,
    },
    () => holds(SLOW),
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
