import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { parseUcarpCommand } from '#src/config/ucarp/command.js';
import { checkScripts, createScriptRunner } from '#src/control/scripts.js';
import { waitUntil } from '#src/control/shutdown.js';
import { PATIENCE_MS } from '../helpers/patience.js';

const directory = mkdtempSync('/tmp/carpool-scripts-');
after(() => rmSync(directory, { recursive: true }));

function script(name: string, body: string): string {
  const path = join(directory, name);
  writeFileSync(path, `#!/bin/sh\n${body}\n`, { mode: 0o755 });
  return path;
}

/** `(0.20 s)` at the end is how long it took. */
function withoutTime(text: string): string {
  assert.match(text, / \(\d+\.\d\d s\)$/);
  return text.replace(/ \([^()]*\)$/, '');
}

test('a script gets interface and VIP, one at a time, and of those that wait only the latest runs', async () => {
  const out = join(directory, 'out');
  const path = script('note.sh', `echo "$@" >> ${out}; sleep 0.2`);
  const ends: string[] = [];
  const runner = createScriptRunner((text, level) => ends.push(`${level} ${withoutTime(text)}`));
  for (const which of ['up', 'down', 'up', 'down'] as const) {
    runner.run({ index: 0, which, path, arguments: ['eth0', '10.0.0.1', which] });
  }
  assert.ok(await waitUntil(() => !runner.busy, PATIENCE_MS));
  assert.equal(readFileSync(out, 'utf8'), 'eth0 10.0.0.1 up\neth0 10.0.0.1 down\n');
  assert.deepEqual(ends, [
    `info up script ${path} ended with exit status 0`,
    `info down script ${path} ended with exit status 0`,
  ]);
});

test('scripts of different vhids do not wait for one another', async () => {
  const [a, b] = ['a', 'b'].map((name) => join(directory, name));
  // each waits for the other's mark, so one after the other would never end
  const mutual = (mine: string, other: string) => `: > ${mine}; while [ ! -e ${other} ]; do sleep 0.01; done`;
  const runner = createScriptRunner(() => undefined);
  runner.run({ index: 0, which: 'up', path: script('a.sh', mutual(a!, b!)), arguments: [] });
  runner.run({ index: 1, which: 'up', path: script('b.sh', mutual(b!, a!)), arguments: [] });
  assert.ok(await waitUntil(() => !runner.busy, PATIENCE_MS));
});

test('a script that fails or is missing is a sentence in the log', async () => {
  const problems: string[] = [];
  const runner = createScriptRunner((text) => problems.push(withoutTime(text)));
  const path = script('fail.sh', 'exit 7');
  runner.run({ index: 0, which: 'up', path, arguments: [] });
  runner.run({ index: 1, which: 'down', path: join(directory, 'nowhere.sh'), arguments: [] });
  assert.ok(await waitUntil(() => !runner.busy, PATIENCE_MS));
  assert.deepEqual(problems.sort(), [
    `down script ${join(directory, 'nowhere.sh')} could not be started (ENOENT)`,
    `up script ${path} ended with exit status 7`,
  ]);
});

test('a script that takes too long is ended, with what it has started', async () => {
  const mark = join(directory, 'started');
  const path = script('slow.sh', `sleep 30 & echo $! > ${mark}; wait`);
  const ends: string[] = [];
  const runner = createScriptRunner((text) => ends.push(withoutTime(text)), { time_limit_ms: 500 });
  runner.run({ index: 0, which: 'up', path, arguments: [] });
  assert.ok(await waitUntil(() => !runner.busy, PATIENCE_MS));
  assert.deepEqual(ends, [`up script ${path} was ended by SIGTERM, because it took too long`]);
  const child = Number(readFileSync(mark, 'utf8'));
  assert.ok(await waitUntil(() => hasEnded(child), PATIENCE_MS), 'what it had started goes on');
});

function hasEnded(pid: number): boolean {
  try {
    return / Z /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return true;
  }
}

test('a script that is not there or not executable is told at the start, at its place', () => {
  const plain = join(directory, 'plain');
  writeFileSync(plain, '#!/bin/sh\n', { mode: 0o644 });
  const words = '-i eth0 -s 10.0.0.11 -v 1 -p x -a 10.0.0.1'.split(' ');
  const { config } = parseUcarpCommand([...words, '-u', join(directory, 'missing'), '-d', directory]);
  assert.deepEqual(
    checkScripts(config!).map(({ message, severity, span }) => [severity, span.column, message]),
    [
      ['warning', 47, `The up script ${directory}/missing cannot be run: there is no such file.`],
      ['warning', 47 + directory.length + 12, `The down script ${directory} cannot be run: it is no file.`],
    ],
  );
  const { config: fine } = parseUcarpCommand([...words, '-u', script('fine.sh', 'true')]);
  assert.deepEqual(checkScripts(fine!), []);
});
