/** Servers that refuse, hang, lie or die: what the client is told, and that nobody else notices. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { KINDS, ProxyRig } from '../harness.js';
import { underWay } from '../under-way.js';
import { nobody, RawServer, response } from '../wire.js';

const GET = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n';
const POST = 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nhi';

for (const kind of KINDS) {
  /** A client whose first request left an idle connection to the server. */
  async function withIdleConnection(server: RawServer, rig: ProxyRig) {
    const client = await rig.client();
    client.write(GET);
    const wire = await server.wire(0);
    await wire.takesHead();
    wire.write(response('first'));
    await client.takes('first');
    return { client, wire };
  }

  test(`${kind}: a GET that meets a dying idle connection is sent again, unseen by the client`, async () => {
    for (const dies of ['end', 'reset'] as const) {
      const server = await RawServer.start();
      const rig = new ProxyRig(kind, [server]);
      const { client, wire } = await withIdleConnection(server, rig);
      client.write(GET);
      await wire.takesHead();
      if (dies === 'end') wire.end();
      else wire.reset();
      const second = await server.wire(1);
      assert.equal(await second.takesHead(), GET);
      second.write(response('second'));
      assert.equal(await client.takes('second'), response('second'));
      await rig.everythingIsHome();
    }
  });

  test(`${kind}: a GET is not sent again once its answer has begun`, async () => {
    const server = await RawServer.start();
    const rig = new ProxyRig(kind, [server]);
    const { client, wire } = await withIdleConnection(server, rig);
    client.write(GET);
    await wire.takesHead();
    wire.write('HTTP/1.1 200 OK\r\n');
    await rig.until('the piece is kept', () => rig.buffersAway().small > 0);
    wire.end();
    assert.match(await client.takesHead(), /^HTTP\/1\.1 502 /);
    assert.equal(server.wires.length, 1);
    await rig.everythingIsHome();
  });

  test(`${kind}: a GET that found no luck twice is answered 502`, async () => {
    const server = await RawServer.start();
    const rig = new ProxyRig(kind, [server]);
    const { client, wire } = await withIdleConnection(server, rig);
    client.write(GET);
    await wire.takesHead();
    wire.end();
    const second = await server.wire(1);
    await second.takesHead();
    second.end();
    assert.match(await client.takesHead(), /^HTTP\/1\.1 502 /);
    await rig.everythingIsHome();
  });

  test(`${kind}: a POST goes on a connection of its own and is not sent twice`, async () => {
    const server = await RawServer.start();
    const rig = new ProxyRig(kind, [server]);
    const { client } = await withIdleConnection(server, rig);
    client.write(POST);
    const second = await server.wire(1);
    await second.takes(POST);
    second.end();
    assert.match(await client.takesHead(), /^HTTP\/1\.1 502 /);
    assert.equal(server.wires.length, 2);
    await rig.everythingIsHome();
  });

  test(`${kind}: a server that refuses is passed over; the body goes to the other one`, async () => {
    const server = await RawServer.start();
    const rig = new ProxyRig(kind, [await nobody(), server]);
    for (let number = 0; number < 2; number++) {
      const client = await rig.client();
      client.write(POST);
      const wire = await server.wire(number);
      await wire.takes(POST);
      wire.write(response('here'));
      await client.takes('here');
    }
    await rig.everythingIsHome();
  });

  test(`${kind}: 503 when every server refuses, and the connection is kept`, async () => {
    const rig = new ProxyRig(kind, [await nobody(), await nobody()], { backend: ' retries 1\n' });
    const client = await rig.client();
    for (let count = 0; count < 2; count++) {
      client.write(GET);
      assert.match(await client.takesHead(), /^HTTP\/1\.1 503 /);
      await client.takes('</html>\n');
    }
    await rig.everythingIsHome();
  });

  test(`${kind}: a failed HEAD is answered without a body, so that the next answer is not taken for it`, async () => {
    const rig = new ProxyRig(kind, [await nobody()], { backend: ' retries 0\n' });
    const client = await rig.client();
    client.write('HEAD / HTTP/1.1\r\nHost: a\r\n\r\n'.repeat(2));
    for (let count = 0; count < 2; count++) assert.match(await client.takesHead(), /^HTTP\/1\.1 503 /);
    client.write(GET);
    assert.match(await client.takesHead(), /^HTTP\/1\.1 503 /);
    await client.takes('</html>\n');
    await rig.everythingIsHome();
  });

  test(`${kind}: a lonely server that refuses is tried again after a while`, async () => {
    const server = await RawServer.start();
    const rig = new ProxyRig(kind, [await nobody()], { defaults: ' timeout connect 100ms\n', backend: ' retries 2\n' });
    const client = await rig.client();
    const began_ms = performance.now();
    client.write(GET);
    assert.match(await client.takesHead(), /^HTTP\/1\.1 503 /);
    assert.ok(performance.now() - began_ms >= 190, 'two turn-arounds of 100 ms');
    await rig.everythingIsHome();
    await server.stop();
  });

  test(`${kind}: 503 at once when no server is up`, async () => {
    const server = await RawServer.start();
    const rig = new ProxyRig(kind, [server]);
    rig.setServer(0, false);
    assert.match(await rig.exchange(`GET / HTTP/1.0\r\n\r\n`), /^HTTP\/1\.1 503 /);
    assert.equal(server.wires.length, 0);
    await rig.everythingIsHome();
  });

  test(`${kind}: a client that leaves during the turn-around leaves nothing behind`, async () => {
    const rig = new ProxyRig(kind, [await nobody()]);
    const client = await rig.client();
    client.write(GET);
    await rig.until('it was tried', () => rig.proxy.backends[0]?.connections === 1 && rig.reactor.socket_count === 1);
    client.reset();
    await rig.until('it is gone', () => rig.client_count === 0);
    await rig.everythingIsHome();
  });

  test(`${kind}: what is no response is 502, and the connection is not used again`, async () => {
    const lies = [
      'nonsense\r\n\r\n',
      'HTTP/1.1 20 OK\r\n\r\n',
      'HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nxx',
      'HTTP/1.1 200 OK\r\nA: b\nC: d\r\n\r\n',
      'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nnot a size\r\n',
      `HTTP/1.1 200 OK\r\nA: ${'x'.repeat(15_500)}\r\n\r\n`,
      `HTTP/1.1 200 OK\r\n${'A: b\r\n'.repeat(200)}\r\n`,
    ];
    for (const lie of lies) {
      const { rig, client, wire } = await underWay(kind, GET);
      wire.write(lie);
      assert.match(await client.takesHead(), /^HTTP\/1\.1 502 /, lie.slice(0, 60));
      await client.takes('</html>\n');
      await wire.over();
      await rig.everythingIsHome();
    }
  });

  test(`${kind}: a server that closes without a word is 502`, async () => {
    for (const dies of ['end', 'reset'] as const) {
      const { rig, client, wire } = await underWay(kind, GET);
      if (dies === 'end') wire.end();
      else wire.reset();
      assert.match(await client.takesHead(), /^HTTP\/1\.1 502 /);
      await rig.everythingIsHome();
    }
  });

  test(`${kind}: a body that breaks off is seen to be cut, in every framing`, async () => {
    const heads: readonly [request: string, head: string, dies: 'end' | 'reset', seen: 'end' | 'reset'][] = [
      [GET, 'HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\npart', 'end', 'end'],
      [GET, 'HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\npart', 'reset', 'end'],
      [GET, 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n100\r\npart', 'end', 'end'],
      [GET, 'HTTP/1.1 200 OK\r\n\r\npart', 'reset', 'reset'],
      ['GET / HTTP/1.0\r\n\r\n', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n100\r\npart', 'end', 'reset'],
    ];
    for (const [request, answer, dies, seen] of heads) {
      const { rig, client, wire } = await underWay(kind, request);
      wire.write(answer);
      await client.takes('part');
      if (dies === 'end') wire.end();
      else wire.reset();
      assert.equal(await client.over(), seen, answer);
      assert.equal(client.text, '');
      await rig.everythingIsHome();
    }
  });

  test(`${kind}: chunks that stop making sense end the response in the middle`, async () => {
    const { rig, client, wire } = await underWay(kind, GET);
    wire.write('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\ngood\r\n');
    await client.takes('good\r\n');
    wire.write('zz\r\n');
    await client.over();
    assert.doesNotMatch(client.text, /0\r\n\r\n$/);
    await rig.everythingIsHome();
  });

  test(`${kind}: a server's answer arrives even when it resets the connection on which the body is still coming`, async () => {
    const server = await RawServer.start();
    const rig = new ProxyRig(kind, [server]);
    for (let round = 0; round < 10; round++) {
      const client = await rig.client();
      client.write('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10000000\r\n\r\n');
      const wire = await server.wire(round);
      await wire.takesHead();
      wire.socket.pause(); // what it has not read makes its close a reset
      for (let piece = 0; piece < 64; piece++) client.write(new Uint8Array(16_384));
      wire.socket.write(response('too much', 'Connection: close\r\n'), () => wire.reset());
      assert.match(await client.takes('too much'), /^HTTP\/1\.1 200 OK/);
      client.close();
    }
    await rig.everythingIsHome();
  });
}
