/** The same servers are checked by HAProxy and by us: both must say the same, and send the same. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { type TestContext, test } from 'node:test';
import { httpCheck } from '#src/config/model-defaults.js';
import { startChecksThread } from '#src/threads/checks-handle.js';
import type { FromChecks } from '#src/threads/checks-messages.js';
import * as shared from '#src/threads/shared-memory.js';
import { type Behaviour, startAnsweringServers } from '../helpers/answering-servers.js';
import { checkConfig } from '../helpers/check-config.js';
import { needs, peerPath } from '../helpers/peers.js';

const INTER_MS = 1000;
const PATIENCE_MS = 15_000;

const BEHAVIOURS: readonly Behaviour[] = [
  { status: 200 },
  { status: 204 },
  { status: 302 },
  { status: 404 },
  { status: 503 },
  { bytes: 'HTTP/1.1 200\r\ncontent-length: 0\r\n\r\n' },
  { bytes: 'HTTP/1.0 204 OK\nA: b\n\n' },
  { bytes: 'HTTP/1.1 200 OK\r\nserver: endless\r\n' },
  { bytes: 'hello, no HTTP here\r\n\r\n' },
  { bytes: 'HTTP/1.1 200 OK\r\nFoo', end: true },
  { bytes: 'HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n', one_by_one: true },
  'accept',
  'close',
  'reset',
];

/** `UP`, or DOWN's code. */
type Opinion = string;

test('HAProxy and carpool agree about every server, and ask it the same', { skip: needs('haproxy') }, async (t) => {
  const answering = await startAnsweringServers(BEHAVIOURS);
  t.after(() => answering.stop());
  const ports = [...answering.ports, await closedPort()];
  const theirs = await askHaproxy(t, ports);
  const { received: they_sent } = await answering.ask();
  const ours = await askCarpool(t, ports);
  const { received: we_sent } = await answering.ask();
  for (const [index, opinion] of theirs.entries()) {
    assert.equal(ours[index], opinion, JSON.stringify(BEHAVIOURS[index] ?? 'a closed port'));
  }
  assert.ok(theirs.includes('UP') && new Set(theirs).size >= 6, `HAProxy tells them apart: ${theirs}`);
  assert.deepEqual(we_sent, they_sent);
});

async function askCarpool(t: TestContext, ports: readonly number[]): Promise<Opinion[]> {
  const check = httpCheck('OPTIONS', '/', 'HTTP/1.0');
  const config = checkConfig([{ servers: ports.map((port) => ({ port, inter_ms: INTER_MS })), check }]);
  const counts = { threads: 3, servers: ports.length, backends: 1, frontends: 0, vhids: 0 };
  const opinions = ports.map(() => 'UP');
  await new Promise<void>((resolve, reject) => {
    const timer = setTimeout(reject, PATIENCE_MS, new Error('the first checks did not end'));
    const onMessage = (message: FromChecks): void => {
      if (message.kind === 'server') opinions[Number(message.server.slice('server'.length))] = String(message.code);
      if (message.kind === 'fatal') reject(new Error(message.text));
      if (message.kind !== 'checked-once') return;
      clearTimeout(timer);
      resolve();
    };
    const memory = shared.createSharedMemory(counts);
    const handle = startChecksThread({ config, memory, reactor: process.env['CARPOOL_REACTOR'], onMessage });
    t.after(() => handle.stop(PATIENCE_MS));
  });
  return opinions;
}

async function askHaproxy(t: TestContext, ports: readonly number[]): Promise<Opinion[]> {
  const folder = mkdtempSync(join(tmpdir(), 'carpool-checks-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const socket = join(folder, 'socket');
  const servers = ports.map((port, index) => `  server server${index} 127.0.0.1:${port} check inter ${INTER_MS}ms`);
  const lines = [
    'global',
    `  stats socket ${socket}`,
    'defaults',
    '  mode http',
    '  timeout connect 5s',
    '  timeout client 5s',
    '  timeout server 5s',
    'frontend needed',
    `  bind ${join(folder, 'listener')}`,
    '  default_backend backend0',
    'backend backend0',
    '  option httpchk',
    ...servers,
    '',
  ];
  const file = join(folder, 'haproxy.cfg');
  writeFileSync(file, lines.join('\n'));
  const haproxy = spawn(peerPath('haproxy'), ['-db', '-f', file], { stdio: 'ignore' });
  try {
    return await opinionsOf(socket);
  } finally {
    const exited = once(haproxy, 'exit');
    haproxy.kill('SIGKILL');
    await exited;
  }
}

/** Asks again and again until every first check is done. */
async function opinionsOf(socket: string): Promise<Opinion[]> {
  const end = performance.now() + PATIENCE_MS;
  for (;;) {
    const opinions = readOpinions(await command(socket, 'show stat').catch(() => ''));
    if (opinions.length > 0 && opinions.every((opinion) => opinion !== '')) return opinions;
    assert.ok(performance.now() < end, `HAProxy did not check every server: ${opinions}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/** From the CSV of `show stat`: '' for a server that was not checked yet. */
function readOpinions(csv: string): Opinion[] {
  const [header, ...rows] = csv.split('\n').map((line) => line.replace(/^# /, '').split(','));
  const column = (row: readonly string[], name: string): string => row[header.indexOf(name)] ?? '';
  return rows
    .filter((row) => /^server\d+$/.test(column(row, 'svname')))
    .map((row) => {
      const code = column(row, 'check_status').replace(/^\* /, '');
      if (code === '' || code === 'INI') return '';
      return column(row, 'status').startsWith('UP') ? 'UP' : code;
    });
}

async function command(socket: string, line: string): Promise<string> {
  const client = connect(socket);
  client.end(`${line}\n`);
  return text(client);
}

async function closedPort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, 'close');
  return port;
}
