/** `carpool init` and `carpool diff` as a person runs them. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { PATIENCE_MS } from '../helpers/patience.js';

const MAIN = fileURLToPath(new URL('../../../dist/main.js', import.meta.url));
let directory: string;

beforeEach(() => {
  directory = mkdtempSync('/tmp/carpool-init-');
});

afterEach(() => rmSync(directory, { recursive: true }));

/** Runs in the test's own directory, with these lines typed into it. */
function carpool(input: string, ...words: string[]) {
  const options = { input, cwd: directory, encoding: 'utf8', timeout: PATIENCE_MS } as const;
  const { status, stdout, stderr } = spawnSync(process.execPath, [MAIN, ...words], options);
  return { status, stdout, stderr };
}

function read(name: string): string {
  return readFileSync(join(directory, name), 'utf8');
}

const FROM_WORDS = ['init', '--address', '10.10.0.1/16', '--interface', 'eth0'];

test('five answers make two files that fit, with a strong password that only their owner may read', () => {
  const { status, stderr } = carpool('10.10.0.1/16\n\n7\nalpha beta\nno\n', 'init');
  assert.equal(status, 0, stderr);
  assert.equal(stderr.split('?').length - 1, 5);
  const [, password] = /pass "(.*)"/.exec(read('alpha.cfg'))!;
  assert.match(password!, /^[\w-]{19}$/);
  assert.ok(read('beta.cfg').includes(`pass "${password}"`));
  assert.match(read('alpha.cfg'), /interface eth0\n {4}vhid 7\n[\s\S]*advskew 0\n$/);
  assert.match(read('beta.cfg'), /advskew 100\n$/);
  assert.equal(statSync(join(directory, 'alpha.cfg')).mode & 0o777, 0o600);
  for (const file of ['alpha.cfg', 'beta.cfg']) assert.equal(carpool('', '-c', '-q', '-f', file).status, 0);
  const compared = carpool('', 'diff', 'alpha.cfg', 'beta.cfg');
  assert.deepEqual([compared.status, compared.stdout], [0, 'The two fit, and nothing differs but what must.\n']);
});

test('two runs give two passwords', () => {
  carpool('', ...FROM_WORDS);
  const first = read('node-a.cfg');
  carpool('', ...FROM_WORDS, '--force');
  assert.notEqual(read('node-a.cfg'), first);
});

test('nothing is overwritten without --force, not even one of the two', () => {
  writeFileSync(join(directory, 'node-b.cfg'), 'mine');
  const { status, stderr } = carpool('', ...FROM_WORDS);
  assert.equal(status, 1);
  assert.equal(stderr, 'carpool: node-b.cfg is there already; --force overwrites it.\n');
  assert.equal(read('node-b.cfg'), 'mine');
  assert.equal(existsSync(join(directory, 'node-a.cfg')), false);
});

test('a description makes the same files without a terminal', () => {
  const text = '# our pair\naddress 10.10.0.1/16 10.10.0.2/16\ninterface eth1\nvhid 3\nnodes left right\npreempt yes\n';
  writeFileSync(join(directory, 'pair'), text);
  assert.equal(carpool('', 'init', 'pair').status, 0);
  assert.match(
    read('left.cfg'),
    /eth1[\s\S]*vhid 3[\s\S]*address 10\.10\.0\.1\/16\n {4}address 10\.10\.0\.2\/16[\s\S]*preempt/,
  );
});

test('a wrong answer is explained and asked again; a missing one writes nothing', () => {
  const again = carpool('10.10.0.1\n10.10.0.1/16\neth0\n1\na b\nyes\n', 'init');
  assert.equal(again.status, 0);
  assert.match(again.stderr, /An address is written with its prefix length, such as 10\.10\.0\.1\/16/);
  const short = carpool('10.10.0.1/16\n', 'init', '--out', '.');
  assert.equal(short.status, 1);
  assert.match(short.stderr, /The questions were not all answered, so nothing was written\.\n$/);
});

test('a directory that is not there is made', () => {
  assert.equal(carpool('', ...FROM_WORDS, '--out', 'new-pair').status, 0);
  assert.match(read('new-pair/node-a.cfg'), /^# node-a/);
});

test('each wrong word is one sentence', () => {
  for (const [words, sentence] of [
    [['init', '--adress', 'x'], /A pair is described by address, interface, vhid, nodes and preempt, not by "adress"/],
    [['init', '--address', '10.10.0.1/16'], /The interface is missing/],
    [['init', 'nowhere'], /The description nowhere cannot be read \(ENOENT\)/],
    [['init', '--nodes', 'a,a'], /"nodes" wants two different names/],
    [['init', '--nodes', '../a,b'], /cannot be the name of a file/],
    [[...FROM_WORDS, '--vhid', '300'], /vhid[\s\S]*Nothing was written/],
    [[...FROM_WORDS, '--out', '/proc/nowhere'], /nowhere cannot be written \(ENOENT\)/],
    [['diff', 'one'], /Name the files of two nodes: carpool diff A B/],
    [['diff', '--loud', 'a', 'b'], /There is no option --loud/],
    [['diff', 'a.cfg', 'b.cfg'], /a\.cfg: error: There is no such file/],
  ] as const) {
    const { status, stderr } = carpool('', ...words);
    assert.equal(status, 1, words.join(' '));
    assert.match(stderr, sentence);
  }
});

test('diff names a tie and two passwords, keeps them secret, and says so by its status', () => {
  carpool('', ...FROM_WORDS);
  const other = read('node-b.cfg')
    .replace('advskew 100', 'advskew 0')
    .replace(/pass ".*"/, 'pass "0ther"');
  writeFileSync(join(directory, 'other.cfg'), other);
  const { status, stdout } = carpool('', 'diff', 'node-a.cfg', 'other.cfg');
  assert.equal(status, 1);
  assert.match(
    stdout,
    /^Must be equal and is not:\n {2}vhid 1 pass: [\s\S]*Must differ and does not:\n {2}vhid 1 advskew: a tie/,
  );
  assert.doesNotMatch(stdout, /0ther/);
  const json = JSON.parse(carpool('', 'diff', 'node-a.cfg', 'other.cfg', '--json').stdout);
  assert.deepEqual(
    json.differences.map(({ kind }: { kind: string }) => kind),
    ['must-be-equal', 'must-differ'],
  );
});
