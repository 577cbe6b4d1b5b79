/** `maxconn` of binds, frontends and the process, and rates of new clients: exact over threads, and nobody waits longer than need be. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ClientRate } from '#src/proxy/client-rate.js';
import * as shared from '#src/threads/shared-memory.js';
import { KINDS, memoryOf, ProxyRig, type RigOptions } from './harness.js';
import { type Backend, RawServer, response, type Wire } from './wire.js';

const GET = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n';
const LIMITS: readonly (RigOptions & { readonly at: (memory: shared.SharedMemory) => number })[] = [
  { bind: 'maxconn 2', at: (memory) => shared.bindAt(memory, 0) },
  { frontend: ' maxconn 2\n', at: (memory) => shared.frontendAt(memory, 0) },
  { global: ' maxconn 2\n', at: () => shared.PROCESS_CLIENTS },
];

/** Two threads of one process. */
function twoThreads(kind: 'ring' | 'epoll', server: RawServer, options: RigOptions): [ProxyRig, ProxyRig] {
  const lent: Backend = { port: server.port, closeAll: () => {}, stop: async () => {} };
  const all = { ...options, memory: memoryOf([1], 2) };
  return [new ProxyRig(kind, [server], all), new ProxyRig(kind, [lent], { ...all, thread: 1 })];
}

async function goHome(server: RawServer, clients: readonly Wire[], [here, there]: [ProxyRig, ProxyRig]): Promise<void> {
  server.closeAll();
  for (const client of clients) client.close();
  await here.until('all clients are gone', () => here.proxy.all_clients === 0);
  await there.everythingIsHome();
  await here.everythingIsHome();
}

for (const kind of KINDS) {
  for (const { at, ...options } of LIMITS) {
    const limit = JSON.stringify(options);
    test(`${kind}: with ${limit} two threads serve two clients together, and then who has waited longest`, async () => {
      const server = await RawServer.start();
      const rigs = twoThreads(kind, server, options);
      const [here, there] = rigs;
      const { memory } = here;
      const word = (offset: number) => Atomics.load(memory.words, at(memory) + offset);
      const clients: Wire[] = [];
      for (const rig of [here, there, there, here, there, there, here]) {
        clients.push(await rig.client());
        const waiting = () => rigs.filter(({ proxy }) => waits(proxy)).length;
        const expected = Math.min(2, Math.max(0, clients.length - 2));
        await rig.until(
          'it is served, or its listener waits',
          () => word(0) + waiting() >= Math.min(2, clients.length) + expected,
        );
        await rig.until('a millisecond has passed', later(rig));
      }
      assert.equal(word(shared.LIMIT_CLIENTS), 2);
      assert.equal(word(shared.LIMIT_WAITING), 2, 'both listeners wait');
      for (const index of [2, 3]) {
        const client = clients[index]!;
        client.write(GET);
        clients[index - 2]!.close();
        (await server.asked(GET)).write(response('x'));
        await client.takes(response('x'));
        client.close();
      }
      for (const client of clients.slice(4)) {
        client.write(GET);
        (await server.asked(GET)).write(response('x'));
        await client.takes(response('x'));
        client.close();
      }
      assert.equal(word(shared.LIMIT_CLIENTS_MAX), 2, 'never more');
      await goHome(server, clients, rigs);
      assert.equal(word(shared.LIMIT_WAITING), 0);
    });
  }

  test(`${kind}: who is too much stays in the kernel's queue, but for one`, async () => {
    const server = await RawServer.start();
    const rig = new ProxyRig(kind, [server], { bind: 'maxconn 1' });
    const clients = await Promise.all(Array.from({ length: 12 }, () => rig.client()));
    const entrance = rig.proxy.frontends[0]!.entrances[0]!;
    await rig.until('one waits', () => waits(rig.proxy));
    await rig.until('a millisecond has passed', later(rig));
    const [listener] = Reflect.get(entrance, 'listeners') as { parked: number }[];
    assert.equal(listener?.parked, 1);
    for (const client of clients) client.close();
    await rig.until(
      'all have been and gone',
      () => rig.memory.words[shared.bindAt(rig.memory, 0)] === 0 && !waits(rig.proxy),
    );
    await rig.everythingIsHome();
  });

  test(`${kind}: a frontend takes as many new clients in a second as rate-limit says, the others later`, async () => {
    const server = await RawServer.start();
    const rig = new ProxyRig(kind, [server], { frontend: ' rate-limit sessions 5\n' });
    const begin_ms = rig.reactor.now_ms;
    const clients = await Promise.all(Array.from({ length: 9 }, () => rig.client()));
    await rig.until('all are here', () => rig.client_count === clients.length);
    const elapsed_ms = rig.reactor.now_ms - begin_ms;
    assert.ok(elapsed_ms >= 500, `${elapsed_ms} ms`);
    for (const client of clients) client.close();
    await rig.everythingIsHome();
  });
}

test('as many come as the rate says, however many threads ask', () => {
  const memory = memoryOf([1]);
  const threads = [0, 1].map(() => new ClientRate(memory, shared.PROCESS_SESSION_RATE, 10));
  const taken: number[] = [];
  for (let now_ms = 5_000_500; now_ms < 5_006_000; now_ms += 7) {
    for (const thread of threads) if (thread.tryTake(now_ms)) taken.push(now_ms);
  }
  assert.ok(taken.length >= 45 && taken.length <= 60, `${taken.length} in 5.5 s`);
  for (let second_ms = 5_000_000; second_ms < 5_006_000; second_ms += 1000) {
    const within = taken.filter((time_ms) => time_ms >= second_ms && time_ms < second_ms + 1000).length;
    assert.ok(within <= 10, `${within} from ${second_ms} on`);
  }
});

function waits(proxy: ProxyRig['proxy']): boolean {
  return proxy.frontends.some(({ entrances }) => entrances.some((entrance) => entrance.waits_since_ms > 0));
}

function later(rig: ProxyRig): () => boolean {
  const { now_ms } = rig.reactor;
  return () => rig.reactor.now_ms > now_ms + 1;
}
