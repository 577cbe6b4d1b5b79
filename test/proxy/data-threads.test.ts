/** Two data threads on one port, each with its reactor, told apart by what they share: the counts. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as rest } from 'node:timers/promises';
import { loadConfig } from '#src/config/load.js';
import * as libc from '#src/system/libc.js';
import { type DataHandle, startDataThread } from '#src/threads/data-handle.js';
import { openListeners } from '#src/threads/listeners.js';
import * as shared from '#src/threads/shared-memory.js';
import { PATIENCE_MS } from '../helpers/patience.js';
import { KINDS } from './harness.js';
import { deadPort, RawServer, response, Wire } from './wire.js';

const GET = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n';

async function until(what: string, done: () => boolean): Promise<void> {
  for (const limit_ms = performance.now() + PATIENCE_MS; !done(); await rest(5)) {
    assert.ok(performance.now() < limit_ms, `waited in vain until ${what}`);
  }
}

for (const kind of KINDS) {
  test(`${kind}: two threads share clients, servers' turns and counts, and stop when they are told`, async () => {
    const servers = [await RawServer.start(), await RawServer.start()];
    const port = await deadPort();
    const lines = [
      'defaults\n mode http\n timeout connect 5s\n timeout client 9s\n timeout server 9s',
      `listen all\n bind 127.0.0.1:${port}`,
      ...servers.map((server, number) => ` server s${number} 127.0.0.1:${server.port}`),
    ];
    const { config } = loadConfig([{ file: 'haproxy.cfg', text: `${lines.join('\n')}\n` }]);
    assert.ok(config);
    const counts = { threads: shared.THREAD_DATA + 2, servers: 2, backends: 1, frontends: 1 };
    const memory = shared.createSharedMemory(counts);
    for (let number = 0; number < 2; number++) {
      memory.words[shared.serverAt(memory, number) + shared.SERVER_OPERATIONAL] = shared.SERVER_UP;
      memory.words[shared.serverAt(memory, number) + shared.SERVER_WEIGHT] = 1;
    }
    const word = (at: number, offset: number) => Atomics.load(memory.words, at + offset);
    const threadWord = (number: number, offset: number) =>
      word(shared.threadAt(memory, shared.THREAD_DATA + number), offset);
    const listeners = openListeners(config, 2).by_thread;
    const errors: Error[] = [];
    const threads: DataHandle[] = listeners.map((its, number) =>
      startDataThread({
        number,
        first: { generation: 1, config, memory, listeners: its },
        reactor: kind,
        onRunning: () => {},
        onConfigured: () => {},
        onLines: () => {},
        onPage: () => assert.fail('no page is asked for here'),
        onDropped: () => {},
        onError: (error) => errors.push(error),
      }),
    );
    await until('both run', () => threadWord(0, shared.THREAD_STATE) === 1 && threadWord(1, shared.THREAD_STATE) === 1);
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
    Atomics.store(memory.words, shared.STOP, shared.STOP_SOFT);
    for (const thread of threads) thread.wake();
    await until(
      'both have stopped',
      () => threadWord(0, shared.THREAD_STATE) === 2 && threadWord(1, shared.THREAD_STATE) === 2,
    );
    assert.deepEqual(errors, []);
    for (const { fd } of listeners.flat()) libc.close(fd);
    for (const server of servers) await server.stop();
  });
}
