/** Connections that serve one request after the other, on both sides. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { KINDS, ProxyRig } from '../harness.js';
import { underWay } from '../under-way.js';
import { RawServer, response } from '../wire.js';

const GET = (path: string) => `GET ${path} HTTP/1.1\r\nHost: a\r\n\r\n`;

for (const kind of KINDS) {
  test(`${kind}: requests of one client use one server connection, and go through as they came`, async () => {
    const server = await RawServer.start();
    const rig = new ProxyRig(kind, [server]);
    const client = await rig.client();
    for (const path of ['/1', '/2', '/3']) {
      client.write(GET(path));
      const wire = await server.wire(0);
      assert.equal(await wire.takesHead(), GET(path));
      wire.write(response(path));
      assert.equal(await client.takes(response(path)), response(path));
    }
    assert.equal(server.wires.length, 1);
    await rig.everythingIsHome();
  });

  test(`${kind}: another client's request takes the idle connection`, async () => {
    const server = await RawServer.start();
    const rig = new ProxyRig(kind, [server], { defaults: ' http-reuse always\n' });
    for (const path of ['/1', '/2']) {
      const client = await rig.client();
      client.write(GET(path));
      const wire = await server.wire(0);
      await wire.takesHead();
      wire.write(response(path));
      await client.takes(response(path));
      client.close();
    }
    assert.equal(server.wires.length, 1);
    await rig.everythingIsHome();
  });

  test(`${kind}: pipelined requests, one with a body, are answered in order`, async () => {
    const server = await RawServer.start();
    const rig = new ProxyRig(kind, [server]);
    const client = await rig.client();
    const post = 'POST /2 HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello';
    const chunked = 'POST /3 HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n';
    client.write(GET('/1') + post + chunked + GET('/4'));
    for (const [number, request] of [GET('/1'), post, chunked, GET('/4')].entries()) {
      const wire = await server.asked(request);
      wire.write(response(`answer ${number}`));
      await client.takes(response(`answer ${number}`));
    }
    assert.equal(client.text, '');
    await rig.everythingIsHome();
  });

  test(`${kind}: pipelined requests cut into single bytes are the same requests`, async () => {
    const server = await RawServer.start();
    const rig = new ProxyRig(kind, [server]);
    const client = await rig.client();
    for (const byte of GET('/1') + GET('/2')) {
      client.write(byte);
      await new Promise((resolve) => setImmediate(resolve));
    }
    for (const path of ['/1', '/2']) {
      const wire = await server.wire(0);
      assert.equal(await wire.takesHead(), GET(path));
      wire.write(response(path));
      await client.takes(response(path));
    }
    await rig.everythingIsHome();
  });

  test(`${kind}: HEAD, 204 and 304 have no body, whatever their fields say`, async () => {
    const server = await RawServer.start();
    const rig = new ProxyRig(kind, [server]);
    const client = await rig.client();
    const answers = [
      ['HEAD', 'HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n'],
      ['HEAD', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n'],
      ['GET', 'HTTP/1.1 204 No Content\r\n\r\n'],
      [
        'GET',
        'HTTP/1.1 204 No Content\r\nContent-Length: 7\r\nX: y\r\n\r\n',
        'HTTP/1.1 204 No Content\r\nX: y\r\n\r\n',
      ],
      ['GET', 'HTTP/1.1 204 No Content\r\nTransfer-Encoding: chunked\r\n\r\n', 'HTTP/1.1 204 No Content\r\n\r\n'],
      ['GET', 'HTTP/1.1 304 Not Modified\r\nContent-Length: 1000\r\n\r\n'],
      ['GET', response('the end')],
    ] as const;
    for (const [method, answer, passed = answer] of answers) {
      client.write(`${method} / HTTP/1.1\r\nHost: a\r\n\r\n`);
      const wire = await server.wire(0);
      await wire.takesHead();
      wire.write(answer);
      assert.equal(await client.takes(passed), passed);
    }
    assert.equal(server.wires.length, 1);
    await rig.everythingIsHome();
  });

  test(`${kind}: a client that says close is answered so and closed; the server's connection stays`, async () => {
    const server = await RawServer.start();
    const rig = new ProxyRig(kind, [server], { defaults: ' http-reuse always\n' });
    for (let count = 0; count < 2; count++) {
      const answer = rig.exchange('GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n');
      const wire = await server.wire(0);
      assert.doesNotMatch(await wire.takesHead(), /close/i);
      wire.write(response('bye'));
      assert.match(await answer, /^HTTP\/1\.1 200 OK\r\n(.*\r\n)*Connection: close\r\n\r\nbye$/);
    }
    assert.equal(server.wires.length, 1);
    await rig.everythingIsHome();
  });

  test(`${kind}: a server that says close is not asked again on that connection`, async () => {
    const server = await RawServer.start();
    const rig = new ProxyRig(kind, [server]);
    const client = await rig.client();
    for (let number = 0; number < 2; number++) {
      client.write(GET('/'));
      const wire = await server.wire(number);
      await wire.takesHead();
      wire.write(response('x', 'Connection: close\r\n'));
      assert.doesNotMatch(await client.takes('\r\n\r\nx'), /close/i);
      assert.equal(await wire.over(), 'end');
      wire.close();
    }
    await rig.everythingIsHome();
  });

  test(`${kind}: a connection on which the server said more than its response is not used again`, async () => {
    const server = await RawServer.start();
    const rig = new ProxyRig(kind, [server]);
    const client = await rig.client();
    client.write(GET('/1'));
    const first = await server.wire(0);
    await first.takesHead();
    first.write(response('one') + response('poison'));
    assert.equal(await client.takes('one'), response('one'));
    client.write(GET('/2'));
    const second = await server.wire(1);
    assert.equal(await second.takesHead(), GET('/2'));
    second.write(response('two'));
    assert.equal(await client.takes('two'), response('two'));
    await rig.everythingIsHome();
  });

  test(`${kind}: a client of HTTP/1.0 is kept when it asks for it`, async () => {
    const server = await RawServer.start();
    const rig = new ProxyRig(kind, [server]);
    const client = await rig.client();
    for (let count = 0; count < 2; count++) {
      client.write('GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n');
      const wire = await server.wire(0);
      await wire.takesHead();
      wire.write(response('x'));
      assert.match(await client.takes('\r\n\r\nx'), /^Connection: keep-alive\r$/m);
    }
    await rig.everythingIsHome();
  });

  test(`${kind}: a client of HTTP/1.0 gets chunks without their framing, and the connection closed`, async () => {
    const { rig, client, wire } = await underWay(kind, 'GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n');
    for (const byte of 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n6;a=b\r\n world\r\n0\r\nT: 1\r\n\r\n') {
      wire.write(byte);
      await new Promise((resolve) => setImmediate(resolve));
    }
    assert.equal(await client.over(), 'end');
    const [head, body] = client.text.split('\r\n\r\n');
    assert.doesNotMatch(head as string, /transfer-encoding|keep-alive/i);
    assert.equal(body, 'hello world');
    await rig.everythingIsHome();
  });

  test(`${kind}: a response without a length ends with its connection, byte by byte the same`, async () => {
    const { rig, client, wire } = await underWay(kind, GET('/'));
    wire.write('HTTP/1.1 200 OK\r\n\r\nuntil ');
    wire.write('the end');
    wire.end();
    assert.equal(await client.over(), 'end');
    assert.equal(client.text.split('\r\n\r\n')[1], 'until the end');
    await rig.everythingIsHome();
  });
}
