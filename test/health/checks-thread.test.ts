/** The checks thread as the daemon runs it: started, told to stop, its words in shared memory. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { createServer, type Server } from 'node:http';
import { type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { Config } from '#src/config/model.js';
import { httpCheck } from '#src/config/model-defaults.js';
import { type ChecksHandle, startChecksThread } from '#src/threads/checks-handle.js';
import type { FromChecks } from '#src/threads/checks-messages.js';
import * as shared from '#src/threads/shared-memory.js';
import { startAnsweringServers } from '../helpers/answering-servers.js';
import { checkConfig } from '../helpers/check-config.js';
import { PATIENCE_MS } from '../helpers/patience.js';

const HTTP = httpCheck('GET', '/health', 'HTTP/1.1');

type Running = {
  readonly handle: ChecksHandle;
  readonly memory: shared.SharedMemory;
  /** The first message of the kind, when it has come. */
  message<K extends FromChecks['kind']>(kind: K): Promise<Extract<FromChecks, { kind: K }>>;
};

function start(t: TestContext, config: Config): Running {
  const servers = config.backends.flatMap((backend) => backend.servers).length;
  const counts = { threads: 3, servers, backends: config.backends.length, frontends: 0, binds: 0 };
  const memory = shared.createSharedMemory(counts);
  const messages: FromChecks[] = [];
  let look = (): void => {};
  const handle = startChecksThread({
    config,
    memory,
    reactor: process.env['CARPOOL_REACTOR'],
    onMessage: (message) => {
      messages.push(message);
      look();
    },
  });
  t.after(() => handle.stop(PATIENCE_MS));
  const message = <K extends FromChecks['kind']>(kind: K) =>
    new Promise<Extract<FromChecks, { kind: K }>>((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`no message ${kind}: ${JSON.stringify(messages)}`)), PATIENCE_MS);
      look = () => {
        const found = messages.find((each) => each.kind === kind);
        if (!found) return;
        clearTimeout(timer);
        resolve(found as Extract<FromChecks, { kind: K }>);
      };
      look();
    });
  return { handle, memory, message };
}

async function listen(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return (server.address() as { port: number }).port;
}

test('a real HTTP server that begins to fail goes DOWN, and the message says why', async (t) => {
  let status = 200;
  const seen: string[] = [];
  const server = createServer((request, response) => {
    seen.push(`${request.method} ${request.url} HTTP/${request.httpVersion}`);
    response.writeHead(status).end('ok');
  });
  t.after(() => server.close());
  const port = await listen(server);
  const running = start(
    t,
    checkConfig([
      { servers: [{ port, inter_ms: 2000, fastinter_ms: 30 }], check: httpCheck('GET', '/health', 'HTTP/1.0') },
    ]),
  );
  await running.message('checked-once');
  assert.equal(seen[0], 'GET /health HTTP/1.0');
  status = 503;
  const { backend, server: name, up, reason, code } = await running.message('server');
  assert.deepEqual(
    { backend, name, up, reason, code },
    { backend: 'backend0', name: 'server0', up: false, reason: 'HTTP status 503', code: 'L7STS' },
  );
  const { words } = running.memory;
  assert.equal(Atomics.load(words, shared.serverAt(running.memory, 0) + shared.SERVER_OPERATIONAL), shared.SERVER_DOWN);
  assert.equal(Atomics.load(words, shared.backendAt(running.memory, 0) + shared.BACKEND_VERSION), 1);
});

test('HTTP/1.1 without Host, as HAProxy sends it, is refused by a strict server', async (t) => {
  const server = createServer((_, response) => response.end('ok'));
  t.after(() => server.close());
  const running = start(t, checkConfig([{ servers: [{ port: await listen(server), inter_ms: 20_000 }], check: HTTP }]));
  assert.equal((await running.message('server')).reason, 'HTTP status 400');
});

test('the thread beats while nothing happens, and says which back end it runs on', async (t) => {
  const { memory, message } = start(t, checkConfig([{ servers: [{ port: 1, unchecked: true }] }]));
  const { reactor, reason, checked } = await message('started');
  assert.match(reactor, /^(ring|epoll)$/);
  assert.notEqual(reason, '');
  assert.equal(checked, 0);
  await message('checked-once');
  const at = shared.threadAt(memory, shared.THREAD_CHECKS) + shared.THREAD_BEAT_MS;
  const first = Atomics.load(memory.words, at);
  const end = performance.now() + PATIENCE_MS;
  while (Atomics.load(memory.words, at) === first) {
    assert.ok(performance.now() < end, 'no further beat');
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  assert.ok(Atomics.load(memory.words, at) - first <= 2000);
});

test('the stop word and a wake-up end the thread at once, and stopping again is harmless', async (t) => {
  let fastest_ms = Number.POSITIVE_INFINITY;
  for (let attempt = 0; attempt < 6 && fastest_ms >= 100; attempt++) {
    fastest_ms = Math.min(fastest_ms, await timeToStop_ms(t));
  }
  assert.ok(fastest_ms < 100, `${fastest_ms} ms: woken, not found out by a pass that ended anyway`);
});

async function timeToStop_ms(t: TestContext): Promise<number> {
  const { handle, memory, message } = start(t, checkConfig([{ servers: [] }]));
  await message('started');
  Atomics.store(memory.words, shared.STOP, shared.STOP_SOFT);
  const began = performance.now();
  handle.wake();
  await message('stopped');
  const took_ms = performance.now() - began;
  assert.equal(Atomics.load(memory.words, shared.threadAt(memory, shared.THREAD_CHECKS) + shared.THREAD_STATE), 2);
  assert.equal(await handle.stop(1000), true);
  handle.wake();
  return took_ms;
}

test('out of descriptors, no server is called DOWN for it; the checks are made as descriptors come back', async (t) => {
  const answering = await startAnsweringServers(['accept']);
  t.after(() => answering.stop());
  const program = fileURLToPath(new URL('./few-descriptors.js', import.meta.url));
  const words = [program, String(answering.ports[0])];
  const { stdout } = await promisify(execFile)(process.execPath, words, { timeout: PATIENCE_MS });
  const messages = stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as FromChecks);
  const warnings = messages.filter((message) => message.kind === 'log');
  assert.ok(warnings.length > 0 && warnings.length < 10, 'said now and then, not for each of a hundred checks');
  assert.match(warnings[0].text, /no descriptor or memory left to check backend0\/server\d+ with: EMFILE/);
  const changes = messages.filter((message) => message.kind === 'server');
  assert.equal(changes.length, 100);
  assert.deepEqual([...new Set(changes.map(({ reason }) => reason))], ['no answer within 200 ms']);
  assert.equal(messages.at(-1)!.kind, 'stopped');
});
