/** Whom a backend's servers give way to: backup servers, those that start slowly, those that are drained. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { loadConfig } from '#src/config/load.js';
import { Backend } from '#src/proxy/backend.js';
import { NO_HASH, NO_SERVER } from '#src/proxy/balance/picker.js';
import * as shared from '#src/threads/shared-memory.js';
import { memoryOf } from '../harness.js';

function backendOf(lines: string, words: readonly string[]) {
  const servers = words.map((each, number) => ` server s${number} 10.0.0.${number + 1}:80 ${each}`);
  const text = ['defaults', ' mode http', 'listen all', ' bind :80', lines, ...servers, ''].join('\n');
  const { config, diagnostics } = loadConfig([{ file: 'haproxy.cfg', text }]);
  assert.ok(config?.backends[0], JSON.stringify(diagnostics));
  const memory = memoryOf(config.backends[0].servers.map(({ weight }) => weight));
  const place = { number: 0, first_server: 0, memory, thread: shared.THREAD_DATA, fullconn: 100, random: () => 0 };
  const backend = new Backend(config.backends[0], place);
  const set = (server: number, word: number, value: number) => {
    memory.words[shared.serverAt(memory, server) + word] = value;
    Atomics.add(memory.words, shared.backendAt(memory, 0) + shared.BACKEND_VERSION, 1);
  };
  const picks = (count: number, now_ms = 0) => {
    const counts = words.map(() => 0);
    for (let turn = 0; turn < count; turn++) {
      const position = backend.pick(NO_HASH, null, now_ms);
      if (position !== NO_SERVER) counts[position] = (counts[position] as number) + 1;
    }
    return counts;
  };
  return { set, picks };
}

test('backup servers wait until no other is left; then the first one serves, or with allbackups all', () => {
  for (const [lines, expected] of [
    ['', [0, 4, 0]],
    [' option allbackups', [0, 2, 2]],
  ] as const) {
    const { set, picks } = backendOf(lines, ['', 'backup', 'backup']);
    assert.deepEqual(picks(4), [4, 0, 0]);
    set(0, shared.SERVER_OPERATIONAL, shared.SERVER_DOWN);
    assert.deepEqual(picks(4), expected);
    set(1, shared.SERVER_OPERATIONAL, shared.SERVER_DOWN);
    assert.deepEqual(picks(4), [0, 0, 4]);
  }
});

test('a server that came back gets its share in steps of a sixteenth', () => {
  const { set, picks } = backendOf('', ['', 'slowstart 10s']);
  assert.deepEqual(picks(32), [16, 16], 'servers that were always up do not start slowly');
  set(1, shared.SERVER_UP_SINCE_MS, 1_000);
  assert.deepEqual(picks(34, 1_000), [32, 2]);
  assert.deepEqual(picks(25, 6_000), [16, 9], 'the next step comes by itself');
  assert.deepEqual(picks(32, 11_000), [16, 16]);
});

test('weights change while it runs', () => {
  const { set, picks } = backendOf('', ['', '']);
  set(0, shared.SERVER_WEIGHT, 3);
  assert.deepEqual(picks(8), [6, 2]);
  set(0, shared.SERVER_WEIGHT, 0);
  assert.deepEqual(picks(8), [0, 8]);
});

test('a server that is drained, or that is about to stop, gets nobody new', () => {
  const { set, picks } = backendOf(' balance leastconn', ['', '', '']);
  set(0, shared.SERVER_ADMINISTRATIVE, shared.ADMIN_DRAIN);
  set(1, shared.SERVER_OPERATIONAL, shared.SERVER_STOPPING);
  assert.deepEqual(picks(5), [0, 0, 5]);
});
