/** The same servers are checked by HAProxy and by us: both must say the same, and send the same. */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { httpCheck } from '#src/config/model-defaults.js';
import { startChecksThread } from '#src/threads/checks-handle.js';
import type { FromChecks } from '#src/threads/checks-messages.js';
import * as shared from '#src/threads/shared-memory.js';
import { type Behaviour, startAnsweringServers } from '../helpers/answering-servers.js';
import { checkConfig } from '../helpers/check-config.js';
import { askHaproxy } from '../helpers/haproxy-opinions.js';
import { PATIENCE_MS } from '../helpers/patience.js';
import { needs } from '../helpers/peers.js';
import { freePort } from '../helpers/ports.js';

/** Only who is silent is waited for so long: a busy machine may take its time with the others. */
const SILENT_MS = 2000;
const OTHERS_MS = 20_000;

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

function interOf_ms(index: number): number {
  const behaviour = BEHAVIOURS[index];
  const silent = behaviour === 'accept' || JSON.stringify(behaviour)?.includes('endless');
  return silent ? SILENT_MS : OTHERS_MS;
}

/** `UP`, or DOWN's code. */
type Opinion = string;

test('HAProxy and carpool agree about every server, and ask it the same', { skip: needs('haproxy') }, async (t) => {
  const answering = await startAnsweringServers(BEHAVIOURS);
  t.after(() => answering.stop());
  const ports = [...answering.ports, await freePort()];
  const servers = ports.map(
    (port, index) => `  server server${index} 127.0.0.1:${port} check inter ${interOf_ms(index)}ms`,
  );
  const opinions = await askHaproxy(t, ['backend backend0', '  option httpchk', ...servers]);
  const theirs = opinions.map(({ up, code }) => (up ? 'UP' : code));
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
  const config = checkConfig([{ servers: ports.map((port, index) => ({ port, inter_ms: interOf_ms(index) })), check }]);
  const counts = { threads: 3, servers: ports.length, backends: 1, frontends: 0, binds: 0 };
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
