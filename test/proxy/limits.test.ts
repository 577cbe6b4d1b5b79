/** `maxconn` and memory: who is too much waits, and is served when there is room. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { KINDS, ProxyRig } from './harness.js';
import { RawServer, response } from './wire.js';

const GET = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n';

for (const kind of KINDS) {
  for (const limit of [{ frontend: ' maxconn 2\n' }, { global: ' maxconn 2\n' }]) {
    test(`${kind}: with ${JSON.stringify(limit)} never more than two clients are served, and all are in the end`, async () => {
      const server = await RawServer.start();
      const rig = new ProxyRig(kind, [server], limit);
      const clients = await Promise.all(Array.from({ length: 8 }, () => rig.client()));
      for (const client of clients) client.write(GET);
      let served = 0;
      let most = 0;
      let answered = 0;
      while (answered < clients.length) {
        await rig.until('a request is there', () => server.wires.some(({ text }) => text === GET));
        most = Math.max(most, rig.client_count);
        const wire = await server.asked(GET);
        wire.write(response('x'));
        await rig.until('somebody is answered', () => clients.some(({ text }) => text !== ''));
        for (const client of clients.filter(({ text }) => text !== '')) {
          client.received = Buffer.alloc(0);
          client.close();
          answered++;
        }
        served++;
      }
      assert.equal(served, clients.length);
      assert.ok(most <= 2, `${most} clients at once`);
      await rig.everythingIsHome();
    });
  }

  test(`${kind}: when memory is short a request too many gets 503 at once, and the others get their answers`, async () => {
    const server = await RawServer.start();
    const rig = new ProxyRig(kind, [server], { counts: { small_count: 40, large_count: 4, reserve: 16 } });
    const clients = await Promise.all(Array.from({ length: 60 }, () => rig.client()));
    for (const client of clients) client.write(GET);
    const waiting = () => server.wires.filter(({ text }) => text === GET).length;
    const refused = () => clients.filter(({ text }) => text.startsWith('HTTP/1.1 503')).length;
    await rig.until('each waits or is refused', () => waiting() + refused() === clients.length);
    assert.ok(waiting() >= 20, `only ${waiting()} wait`);
    assert.ok(refused() >= 20, `only ${refused()} are refused`);
    for (const wire of server.wires.filter(({ text }) => text === GET)) wire.write(response('served'));
    for (const client of clients.filter(({ text }) => text === '')) await client.takes('served');
    await rig.everythingIsHome();
  });

  test(`${kind}: clients in a crowd share few buffers, and all are served`, async () => {
    const server = await RawServer.start();
    const rig = new ProxyRig(kind, [server], { counts: { small_count: 80, large_count: 4, reserve: 8 } });
    const clients = await Promise.all(Array.from({ length: 60 }, () => rig.client()));
    const answering = setInterval(() => {
      for (const wire of server.wires.filter(({ text }) => text === GET)) {
        wire.received = Buffer.alloc(0);
        wire.write(response('x'.repeat(5000)));
      }
    }, 1);
    for (const client of clients) client.write(GET);
    for (const client of clients) assert.match(await client.takes('xxx'), /^HTTP\/1\.1 200 OK/);
    clearInterval(answering);
    await rig.everythingIsHome();
  });
}
