/** Two data threads on one port, each with its reactor, told apart by what they share: the counts. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as rest } from 'node:timers/promises';
import { loadConfig } from '#src/config/load.js';
import { DEFAULT_COUNTS } from '#src/reactor/options.js';
import * as libc from '#src/system/libc.js';
import { type DataHandle, startDataThread } from '#src/threads/data-handle.js';
import { openListeners } from '#src/threads/listeners.js';
import * as shared from '#src/threads/shared-memory.js';
import { PATIENCE_MS } from '../helpers/patience.js';
import { freePort } from '../helpers/ports.js';
import { KINDS } from './harness.js';
import { RawServer, response, Wire } from './wire.js';

const GET = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n';

async function until(what: string, done: () => boolean): Promise<void> {
  for (const limit_ms = performance.now() + PATIENCE_MS; !done(); await rest(5)) {
    assert.ok(performance.now() < limit_ms, `waited in vain until ${what}`);
  }
}

type Rig = Awaited<ReturnType<typeof start>>;

/** Two threads that share two servers. */
async function start(kind: 'ring' | 'epoll', bind = '') {
  const servers = [await RawServer.start(), await RawServer.start()];
  const port = await freePort();
  const lines = [
    'defaults\n mode http\n timeout connect 5s\n timeout client 9s\n timeout server 9s',
    `listen all\n bind 127.0.0.1:${port} ${bind}`,
    ...servers.map((server, number) => ` server s${number} 127.0.0.1:${server.port}`),
  ];
  const { config } = loadConfig([{ file: 'haproxy.cfg', text: `${lines.join('\n')}\n` }]);
  assert.ok(config);
  const counts = { threads: shared.THREAD_DATA + 2, servers: 2, backends: 1, frontends: 1, binds: 1 };
  const memory = shared.createSharedMemory(counts);
  for (let number = 0; number < 2; number++) {
    memory.words[shared.serverAt(memory, number) + shared.SERVER_OPERATIONAL] = shared.SERVER_UP;
    memory.words[shared.serverAt(memory, number) + shared.SERVER_WEIGHT] = 1;
  }
  const process_memory = shared.createProcessMemory();
  const stateOf = (number: number) => {
    const at = shared.threadAt(process_memory, shared.THREAD_DATA + number);
    return Atomics.load(process_memory.words, at + shared.THREAD_STATE);
  };
  const listeners = openListeners(config, 2).by_thread;
  const errors: Error[] = [];
  const threads: DataHandle[] = listeners.map((its, number) =>
    startDataThread({
      number,
      process: { memory: process_memory, place: shared.THREAD_DATA + number },
      first: { generation: 1, config, memory, listeners: its, elsewhere: [] },
      reactor: kind,
      buffers: DEFAULT_COUNTS,
      onRunning: () => {},
      onConfigured: () => {},
      onLines: () => {},
      onPage: () => assert.fail('no page is asked for here'),
      onDropped: () => {},
      onShortage: () => assert.fail('nothing is short here'),
      onExit: () => {},
      onError: (error) => errors.push(error),
    }),
  );
  const word = (at: number, offset: number) => Atomics.load(memory.words, at + offset);
  const threadWord = (number: number, offset: number) =>
    word(shared.threadAt(memory, shared.THREAD_DATA + number), offset);
  await until('both run', () => stateOf(0) === 1 && stateOf(1) === 1);
  return { servers, port, memory, process_memory, stateOf, listeners, threads, errors, word, threadWord };
}

async function stop({ process_memory, threads, stateOf, errors, listeners, servers }: Rig): Promise<void> {
  Atomics.store(process_memory.words, shared.STOP, shared.STOP_SOFT);
  for (const thread of threads) thread.wake();
  await until('both have stopped', () => stateOf(0) === 2 && stateOf(1) === 2);
  assert.deepEqual(errors, []);
  for (const { fd } of listeners.flat()) libc.close(fd);
  for (const server of servers) await server.stop();
}

for (const kind of KINDS) {
  test(`${kind}: two threads share clients, servers' turns and counts, and stop when they are told`, async () => {
    const rig = await start(kind);
    const { servers, port, memory, word, threadWord } = rig;
    const clients = await Promise.all(Array.from({ length: 40 }, () => Wire.connect(port)));
    for (const client of clients) client.write(GET);
    await until('all have asked', () => servers.reduce((sum, { wires }) => sum + wires.length, 0) === clients.length);
    assert.deepEqual(
      servers.map(({ wires }) => wires.length),
      [20, 20],
    );
    assert.equal(word(shared.frontendAt(memory, 0), shared.FRONTEND_CONNECTIONS), clients.length);
    assert.ok(threadWord(0, shared.THREAD_CONNECTIONS) > 0 && threadWord(1, shared.THREAD_CONNECTIONS) > 0);
    for (const wire of servers.flatMap(({ wires }) => wires)) {
      await wire.takes(GET);
      wire.write(response('x'));
    }
    for (const client of clients) await client.takes(response('x'));
    const finished = () => threadWord(0, shared.THREAD_REQUESTS) + threadWord(1, shared.THREAD_REQUESTS);
    await until('all are counted', () => finished() === clients.length);
    for (const client of clients) client.close();
    await until('all are gone', () => word(shared.frontendAt(memory, 0), shared.FRONTEND_CONNECTIONS) === 0);
    for (let number = 0; number < 2; number++) {
      assert.equal(word(shared.serverAt(memory, number), shared.SERVER_CONNECTIONS), 0);
    }
    await stop(rig);
  });

  test(`${kind}: a place that is free in one thread wakes the client that waits in the other, at once`, async () => {
    const rig = await start(kind, 'maxconn 1');
    const { servers, port, memory, word, threadWord } = rig;
    const at = shared.bindAt(memory, 0);
    const waitsIn = (thread: number) => {
      const row = shared.limitRow(memory, 2); // the process, the frontend, the bind
      return word(shared.queueAt(memory, shared.THREAD_DATA + thread, row), shared.QUEUE_LENGTH) > 0;
    };
    const waits_ms: number[] = [];
    for (let round = 0; round < 10; round++) {
      const first = await Wire.connect(port);
      await until('it is served', () => word(at, shared.LIMIT_CLIENTS) === 1);
      const other = threadWord(0, shared.THREAD_CONNECTIONS) === 1 ? 1 : 0;
      const waiting: Wire[] = [];
      for (let tries = 0; tries < 50 && !waitsIn(other); tries++) {
        waiting.push(await Wire.connect(port));
        await until('it waits', () => waitsIn(0) || waitsIn(1));
        await rest(2);
      }
      const last = waiting.pop()!;
      for (const each of waiting) each.close();
      last.write(GET);
      const begin_ms = performance.now();
      first.close();
      await until('it asks', () => servers.some(({ wires }) => wires.some(({ text }) => text === GET)));
      waits_ms.push(performance.now() - begin_ms);
      for (const server of servers) server.closeAll();
      for (const server of servers) server.wires.length = 0;
      last.close();
      await until('all are gone', () => word(at, shared.LIMIT_CLIENTS) === 0 && word(at, shared.LIMIT_WAITING) === 0);
    }
    // without those in which a busy machine was late; with a heartbeat each time it would be one and a half seconds
    const quick = waits_ms.sort((a, b) => a - b).slice(0, 7);
    const waited_ms = quick.reduce((sum, each) => sum + each, 0);
    assert.ok(waited_ms < 1_000, `${Math.round(waited_ms)} ms`);
    assert.equal(word(shared.bindAt(memory, 0), shared.LIMIT_CLIENTS_MAX), 1);
    await stop(rig);
  });
}
