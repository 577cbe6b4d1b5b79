/** Files of server states: which lines count, and where they are looked for. What HAProxy writes: test/interop/server-states. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { loadConfig } from '#src/config/load.js';
import { loadServerStates, parseServerStates } from '#src/control/server-states.js';

const REST = '1 6 3 4 6 0 0 0';
const line = (server: string, state: string) => `3 web 1 ${server} 10.0.0.1 ${state} ${REST} - 80 - 0 0 - - 0\n`;

test('a file of another version, or of something else, has no states', () => {
  assert.equal(parseServerStates(`2\n${line('a', '2 0 1 1')}`), undefined);
  assert.equal(parseServerStates(''), undefined);
});

test('comments are passed over, and lines that are no state are named', () => {
  const text = `1\n# be_id be_name\n${line('a', '2 0 1 1')}\n3 web 1 b\n${line('c', '9 0 1 1')}${line('d', '2 0 x 1')}${line('e', '0 0 257 1')}`;
  const saved = parseServerStates(text);
  assert.deepEqual(
    saved?.servers.map(({ server }) => server),
    ['a'],
  );
  assert.deepEqual(saved?.bad_lines, [5, 6, 7, 8]);
});

test('a drain that only a weight of 0 said ends when the weight is another one', () => {
  const states = (weight: number) => statesOf(`1\n${line('a', '2 8 0 0')}`, ` server a 10.0.0.1:80 weight ${weight}\n`);
  assert.notEqual(states(0)!.administrative, 0);
  assert.equal(states(5)!.administrative, 0);
});

test('each backend says which file has its servers: that of the global section, one of its own, or none', (t) => {
  const directory = mkdtempSync('/tmp/carpool-states-');
  t.after(() => rmSync(directory, { recursive: true }));
  const write = (name: string, backend: string) =>
    writeFileSync(join(directory, name), `1\n${line('a', '2 0 7 1').replace('web', backend)}`);
  write('all', 'one');
  write('two', 'two');
  write('named', 'three');
  write('four', 'four');
  const { known, diagnostics } = load(`global
 server-state-base ${directory}
 server-state-file ${directory}/all
defaults
 load-server-state-from-file local
backend one
 load-server-state-from-file global
 server a 10.0.0.1:80
backend two
 server a 10.0.0.1:80
backend three
 server-state-file-name named
 server a 10.0.0.1:80
backend four
 load-server-state-from-file none
 server a 10.0.0.1:80
backend five
 server a 10.0.0.1:80
`);
  const weights = ['one', 'two', 'three', 'four', 'five'].map((name) => known.stateOf(name, 'a')?.weight);
  assert.deepEqual(weights, [7, 7, 7, undefined, undefined]);
  assert.deepEqual(
    diagnostics.map(({ severity, code, message }) => [severity, code, /five cannot be read \(ENOENT\)/.test(message)]),
    [['warning', 'no-server-states', true]],
  );
});

function load(text: string) {
  const { config, diagnostics } = loadConfig([{ file: 'haproxy.cfg', text: `${text}frontend f\n bind :80\n` }]);
  assert.ok(config, JSON.stringify(diagnostics));
  return loadServerStates(config);
}

/** Of `web/a`, from such a file. */
function statesOf(states: string, servers: string) {
  const directory = mkdtempSync('/tmp/carpool-states-');
  try {
    writeFileSync(join(directory, 'web'), states);
    const text = `global\n server-state-base ${directory}\nbackend web\n load-server-state-from-file local\n${servers}`;
    return load(text).known.stateOf('web', 'a');
  } finally {
    rmSync(directory, { recursive: true });
  }
}
