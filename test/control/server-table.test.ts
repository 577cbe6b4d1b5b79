/** What a reload hands on from one table of servers to the next. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { loadConfig } from '#src/config/load.js';
import type { Config } from '#src/config/model.js';
import { createServerTable } from '#src/control/server-table.js';
import { codeNumber } from '#src/health/verdict.js';
import * as shared from '#src/threads/shared-memory.js';

function configOf(...servers: readonly string[]): Config {
  const text = [
    'frontend f',
    '  bind 127.0.0.1:1',
    '  default_backend web',
    'backend web',
    ...servers.map((server) => `  server ${server}`),
    '',
  ];
  const { config, diagnostics } = loadConfig([{ file: 'haproxy.cfg', text: text.join('\n') }], { env: {} });
  assert.ok(config, diagnostics.map(({ message }) => message).join('\n'));
  return config;
}

function memoryOf(config: Config) {
  const memory = shared.createSharedMemory({
    threads: 3,
    servers: config.backends[0].servers.length,
    backends: 1,
    frontends: 1,
    binds: 1,
  });
  const at = (server: number, word: number) => shared.serverAt(memory, server) + word;
  return {
    memory,
    get: (server: number, word: number) => Atomics.load(memory.words, at(server, word)),
    set: (server: number, word: number, value: number) => Atomics.store(memory.words, at(server, word), value),
  };
}

const AGENT = 'agent-check agent-port 9';

/** A server that its check and its agent have taken down, after a reload to `next`. */
function reloaded(next: string) {
  const before = configOf(`a 192.0.2.1:80 check ${AGENT} maxconn 9`);
  const { memory, set } = memoryOf(before);
  const table = createServerTable(before, memory);
  set(0, shared.SERVER_OPERATIONAL, shared.SERVER_DOWN);
  set(0, shared.SERVER_HEALTH, 1);
  set(0, shared.SERVER_CHANGED_MS, 4711);
  set(0, shared.SERVER_CHECK_CODE, codeNumber('L4CON'));
  set(0, shared.SERVER_AGENT_HEALTH, 0);
  set(0, shared.SERVER_AGENT_MAXCONN, 7);
  set(0, shared.SERVER_SET_MAXCONN, 8);
  table.noteCheck({ backend: 'web', server: 'a', agent: false, info: 'Connection refused' });
  const config = configOf('new 192.0.2.2:80 check', next);
  const now = memoryOf(config);
  const report = createServerTable(config, now.memory, table).report()[0]!.servers[1]!;
  return { get: (word: number) => now.get(1, word), report };
}

test('a reload keeps what the check found out, what the agent said and what people set', () => {
  const { get, report } = reloaded(`a 192.0.2.1:80 check inter 5s ${AGENT} maxconn 9`);
  assert.equal(report.up, false);
  assert.deepEqual(report.last_check, { code: 'L4CON', status: 0, duration_ms: 0, info: 'Connection refused' });
  assert.equal(get(shared.SERVER_HEALTH), 1);
  assert.equal(get(shared.SERVER_CHANGED_MS), 4711);
  assert.equal(get(shared.SERVER_AGENT_HEALTH), 0);
  assert.equal(get(shared.SERVER_AGENT_MAXCONN), 7);
  assert.equal(get(shared.SERVER_SET_MAXCONN), 8);
});

test('an agent that is asked no more limits nobody, and a maxconn that the file changes holds', () => {
  const { get } = reloaded('a 192.0.2.1:80 check maxconn 10');
  assert.equal(get(shared.SERVER_HEALTH), 1);
  assert.equal(get(shared.SERVER_AGENT_MAXCONN), 0);
  assert.equal(get(shared.SERVER_AGENT_HEALTH), 1);
  assert.equal(get(shared.SERVER_SET_MAXCONN), 0);
});

test('of a server elsewhere nothing is known', () => {
  const { get, report } = reloaded(`a 192.0.2.9:80 check ${AGENT} maxconn 9`);
  assert.equal(report.up, true);
  assert.equal(report.last_check, null);
  assert.equal(get(shared.SERVER_AGENT_MAXCONN), 0);
});

test('status says of a server in maintenance who has it there, and after `ready` what its check says', () => {
  const config = configOf('a 192.0.2.1:80 check disabled', 'b 192.0.2.2:80 check');
  const { memory, set } = memoryOf(config);
  const table = createServerTable(config, memory);
  const reasons = () => table.report()[0]!.servers.map(({ reason }) => reason);
  set(1, shared.SERVER_ADMINISTRATIVE, shared.ADMIN_MAINTENANCE);
  assert.deepEqual(reasons(), ['disabled in the configuration', 'set to maint']);
  set(0, shared.SERVER_ADMINISTRATIVE, 0);
  set(1, shared.SERVER_ADMINISTRATIVE, shared.ADMIN_DRAIN);
  assert.deepEqual(reasons(), ['no check has changed its state yet', 'set to drain']);
});

test('who tracks a server has its maintenance, across reloads, and not when it tracks it no more', () => {
  const before = configOf('a 192.0.2.1:80 check disabled', 'b 192.0.2.2:80 track a');
  const first = memoryOf(before);
  const table = createServerTable(before, first.memory);
  const word = ({ get }: typeof first) => get(1, shared.SERVER_ADMINISTRATIVE);
  assert.equal(word(first), shared.ADMIN_INHERITED_MAINTENANCE);
  assert.equal(table.report()[0]!.servers[1]!.reason, 'it tracks web/a, which is in maintenance');
  first.set(1, shared.SERVER_ADMINISTRATIVE, shared.ADMIN_INHERITED_MAINTENANCE | shared.ADMIN_DRAIN);
  for (const [line, expected] of [
    ['b 192.0.2.2:80 track a', shared.ADMIN_INHERITED_MAINTENANCE | shared.ADMIN_DRAIN],
    ['b 192.0.2.2:80', shared.ADMIN_DRAIN],
  ] as const) {
    const config = configOf('a 192.0.2.1:80 check disabled', line);
    const next = memoryOf(config);
    createServerTable(config, next.memory, table);
    assert.equal(word(next), expected, line);
  }
});
