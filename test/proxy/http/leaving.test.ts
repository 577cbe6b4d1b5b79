/** Clients that go away at every stage, and a thread that is told to stop. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { KINDS, ProxyRig } from '../harness.js';
import { underWay } from '../under-way.js';
import { fullListener, RawServer, response, type Wire } from '../wire.js';

const GET = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n';
const HALF_POST = 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\nhalf';
const LEAVING: readonly (readonly [string, (client: Wire) => void])[] = [
  ['resets', (client) => client.reset()],
  ['closes', (client) => client.close()],
];

for (const kind of KINDS) {
  for (const [leaves, leave] of LEAVING) {
    test(`${kind}: a client that ${leaves} in its long head leaves nothing behind`, async () => {
      const server = await RawServer.start();
      const rig = new ProxyRig(kind, [server]);
      const client = await rig.client();
      client.write(`GET /${'x'.repeat(1024)} HTTP/1.1\r\nHo`);
      await rig.until('the piece is kept', () => rig.buffersAway().small === 1);
      leave(client);
      await rig.until('it is gone', () => rig.client_count === 0);
      await rig.everythingIsHome();
    });

    test(`${kind}: a client that ${leaves} in its body takes the server's connection with it`, async () => {
      const server = await RawServer.start();
      const rig = new ProxyRig(kind, [server]);
      const client = await rig.client();
      client.write(HALF_POST);
      const wire = await server.wire(0);
      await wire.takes('half');
      leave(client);
      await wire.over();
      await rig.everythingIsHome();
    });

    test(`${kind}: a client that ${leaves} while its server is being connected leaves nothing behind`, async () => {
      const { server, release } = fullListener();
      const rig = new ProxyRig(kind, [server]);
      const client = await rig.client();
      client.write(HALF_POST);
      await rig.until('the server is asked', () => rig.connectionsOf(0) === 1);
      leave(client);
      if (leaves === 'resets')
        await rig.until('it is gone', () => rig.client_count === 0 || rig.reactor.socket_count > 0);
      else await rig.until('it is still there', () => rig.client_count <= 1);
      release();
      await rig.everythingIsHome();
    });

    test(`${kind}: a client that ${leaves} in the middle of its response takes the server's connection with it`, async () => {
      const { rig, client, wire } = await underWay(kind, GET);
      wire.write('HTTP/1.1 200 OK\r\nContent-Length: 100000000\r\n\r\nbegin');
      await client.takes('begin');
      leave(client);
      const more = setInterval(() => wire.write('x'.repeat(10_000)), 5);
      await wire.over();
      clearInterval(more);
      await rig.everythingIsHome();
    });
  }

  test(`${kind}: a client that resets while it waits takes the server's connection with it; the next one is not given its answer`, async () => {
    const { server, rig, client, wire } = await underWay(kind, GET);
    client.reset();
    await wire.over();
    wire.write(response('of the first'));
    const other = await rig.client();
    other.write(GET);
    const second = await server.wire(1);
    await second.takesHead();
    second.write(response('of the second'));
    assert.equal(await other.takes('second'), response('of the second'));
    await rig.everythingIsHome();
  });

  test(`${kind}: a client that says FIN after its request is still answered`, async () => {
    const server = await RawServer.start();
    const rig = new ProxyRig(kind, [server]);
    const client = await rig.client();
    client.write(GET + GET);
    client.end();
    const wire = await server.wire(0);
    for (const body of ['one', 'two']) {
      await wire.takesHead();
      wire.write(response(body));
      assert.equal(await client.takes(body), response(body));
    }
    assert.equal(await client.over(), 'end');
    await rig.everythingIsHome();
  });

  test(`${kind}: a client that says FIN in its head is told 400`, async () => {
    const server = await RawServer.start();
    const rig = new ProxyRig(kind, [server]);
    const client = await rig.client();
    client.write('GET / HTTP/1.1\r\nHost');
    client.end();
    assert.match(await client.takesHead(), /^HTTP\/1\.1 400 /);
    assert.equal(await client.over(), 'end');
    await rig.everythingIsHome();
  });

  test(`${kind}: a thread that stops finishes what it began, tells clients to close, and closes idle ones`, async () => {
    const server = await RawServer.start();
    const rig = new ProxyRig(kind, [server]);
    const [idle, busy] = [await rig.client(), await rig.client()];
    idle.write(GET);
    const wire = await server.wire(0);
    await wire.takesHead();
    wire.write(response('x'));
    await idle.takes(response('x'));
    busy.write(GET);
    const other = await server.asked(GET);
    rig.proxy.drain();
    assert.equal(await idle.over(), 'end');
    other.write(response('last'));
    assert.match(await busy.takes('last'), /^Connection: close\r$/m);
    assert.equal(await busy.over(), 'end');
    await rig.everythingIsHome();
  });
}

for (const kind of KINDS)
  test(`${kind}: half a request behind a whole one, and then the end, is told 400 when its turn comes`, async () => {
    const { rig, client, wire } = await underWay(kind, `${GET}GET / HT`);
    client.end();
    await rig.settle();
    wire.write(response('first'));
    assert.match(await client.takes('first'), /^HTTP\/1\.1 200 OK/);
    assert.match(await client.takesHead(), /^HTTP\/1\.1 400 /);
    assert.equal(await client.over(), 'end');
    await rig.everythingIsHome();
  });
