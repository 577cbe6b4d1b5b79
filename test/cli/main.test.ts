/** Commands that need no daemon and no privilege, as a person sees them: output and exit status. */
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { PATIENCE_MS } from '../helpers/patience.js';

const MAIN = fileURLToPath(new URL('../../../dist/main.js', import.meta.url));
const directory = mkdtempSync('/tmp/carpool-main-');
after(() => rmSync(directory, { recursive: true }));

const VALID = 'carp web\n    interface eth0\n    vhid 1\n    pass "x"\n    address 10.10.0.1/16\n';

function carpool(...words: string[]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [MAIN, ...words], {
    encoding: 'utf8',
    timeout: PATIENCE_MS,
  });
  return { status, stdout, stderr };
}

function file(name: string, text: string): string {
  const path = join(directory, name);
  writeFileSync(path, text);
  return path;
}

test('-c says that a file is valid, with exit status 0, and -q says it by the status alone', () => {
  const path = file('valid.cfg', VALID);
  assert.deepEqual(carpool('-c', '-f', path), { status: 0, stdout: 'Configuration file is valid\n', stderr: '' });
  assert.deepEqual(carpool('-c', '-q', '-f', path), { status: 0, stdout: '', stderr: '' });
});

test('-c shows every mistake of a file, with exit status 1', () => {
  const path = file('wrong.cfg', VALID.replace('vhid 1', 'vhid 999').replace('pass', 'pas'));
  const { status, stdout, stderr } = carpool('-c', '-f', path);
  assert.equal(status, 1);
  assert.equal(stdout, '');
  assert.match(stderr, /wrong\.cfg:3:\d+: error: /);
  assert.match(stderr, /wrong\.cfg:4:\d+: error: /);
});

test('a missing file is one diagnostic', () => {
  const { status, stderr } = carpool('-f', join(directory, 'nowhere.cfg'));
  assert.equal(status, 1);
  assert.match(stderr, /nowhere\.cfg: error: .*\[[a-z-]+\]\n/);
});

test('-D and "daemon" say what hinders the start, as the foreground does', () => {
  const named = file('daemon.cfg', `global\n    daemon\n${VALID.replace('eth0', 'nowhere0')}`);
  const plain = file('plain.cfg', VALID.replace('eth0', 'nowhere0'));
  for (const words of [
    ['-f', named],
    ['-D', '-f', plain],
    ['-db', '-f', named],
  ]) {
    const { status, stderr } = carpool(...words);
    assert.equal(status, 1);
    assert.match(stderr, /There is no interface nowhere0/);
  }
});

test('help and version go to stdout with status 0', () => {
  assert.match(carpool('--help').stdout, /^carpool keeps a service reachable/);
  const { status, stdout } = carpool('-v');
  assert.equal(status, 0);
  assert.match(stdout, /^carpool version \d+\.\d+\.\d+\n$/);
});

test('a mistake on the command line is one sentence and status 1', () => {
  const { status, stderr } = carpool('statsu');
  assert.equal(status, 1);
  assert.match(stderr, /^carpool: There is no command "statsu" \(did you mean "status"\?\); .*\n$/);
});

test('a file without -f, and help of one command, are understood', () => {
  const { status, stderr } = carpool('haproxy.cfg');
  assert.equal(status, 1);
  assert.match(stderr, /; a file stands after -f: carpool -f haproxy\.cfg\.\n$/);
  assert.match(carpool('help', 'diff').stdout, /^carpool diff A B/);
});

test('convert takes --to before the files and behind them', () => {
  const rc = file('rc.conf', 'ifconfig_carp0="vhid 1 pass s3cret 10.10.0.1/16"\n');
  const before = carpool('convert', '--to', 'openbsd', rc);
  assert.match(before.stdout, /vhid 1/);
  assert.deepEqual(carpool('convert', rc, '--to=openbsd'), before);
});

test('the lab says in one sentence what is wrong with its words or its file', () => {
  const usage = 'carpool lab [SCENARIO | FILE | --seed N|FILE] [--json] [--list]';
  for (const [words, sentence] of [
    [['--jsn'], `There is no option --jsn (did you mean --json?): ${usage}`],
    [['two-addresses', 'host-death'], `"host-death" is one scenario too many: ${usage}`],
    [['--seed'], `--seed wants a number or a file: ${usage}`],
    [['--seed', './none'], "The seed's text ./none cannot be read: there is no such file."],
    [['--list', '--json'], `--list goes alone: ${usage}`],
    [['two-adresses'], 'There is no scenario "two-adresses". Did you mean "two-addresses"?'],
    [['./none.scenario'], 'The scenario ./none.scenario cannot be read: there is no such file.'],
    [[`${directory}/`], `The scenario ${directory}/ cannot be read: it is a directory.`],
  ] as const) {
    assert.deepEqual(carpool('lab', ...words), { status: 1, stdout: '', stderr: `carpool: ${sentence}\n` });
  }
});

test('a reader that has seen enough ends "carpool events" without a word', async () => {
  const path = join(directory, 'talkative.sock');
  const server = createServer((client) => {
    const timer = setInterval(() => client.write('{}\n'), 10);
    client.on('error', () => {}).on('close', () => clearInterval(timer));
  }).listen(path);
  const child = spawn(process.execPath, [MAIN, 'events', '--socket', path], { timeout: PATIENCE_MS });
  let complaint = '';
  child.stderr.on('data', (text) => {
    complaint += text;
  });
  child.stdout.once('data', () => child.stdout.destroy());
  const [status] = await once(child, 'close');
  server.close();
  assert.deepEqual([status, complaint], [0, '']);
});
