/** Every wait has its end, and the right one of the two sides is blamed. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { KINDS, ProxyRig } from '../harness.js';
import { underWay } from '../under-way.js';
import { fullListener, RawServer, response } from '../wire.js';

const GET = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n';

for (const kind of KINDS) {
  test(`${kind}: a request that does not get ready in time is 408, however busily it trickles`, async () => {
    const server = await RawServer.start();
    const rig = new ProxyRig(kind, [server], { defaults: ' timeout http-request 200ms\n' });
    const client = await rig.client();
    const trickle = setInterval(() => client.write('x'), 20);
    client.write('GET / HTTP/1.1\r\nA: ');
    assert.match(await client.takesHead(), /^HTTP\/1\.1 408 /);
    clearInterval(trickle);
    assert.equal(await client.over(), 'end');
    await rig.everythingIsHome();
  });

  test(`${kind}: a client that never says anything is told 408, an idle one is left in silence`, async () => {
    const server = await RawServer.start();
    const timeouts = ' timeout http-request 300ms\n timeout http-keep-alive 100ms\n';
    const rig = new ProxyRig(kind, [server], { defaults: timeouts });
    assert.match(await rig.exchange(''), /^HTTP\/1\.1 408 /);
    const idle = await rig.client();
    idle.write(GET);
    const wire = await server.wire(0);
    await wire.takesHead();
    wire.write(response('x'));
    await idle.takes(response('x'));
    assert.equal(await idle.over(), 'end');
    assert.equal(idle.text, '');
    await rig.everythingIsHome();
  });

  test(`${kind}: a server that is silent is 504`, async () => {
    const server = await RawServer.start();
    const rig = new ProxyRig(kind, [server], { defaults: ' timeout server 150ms\n' });
    const client = await rig.client();
    client.write(GET);
    assert.match(await client.takesHead(), /^HTTP\/1\.1 504 /);
    await (await server.wire(0)).over();
    await rig.everythingIsHome();
  });

  test(`${kind}: a server that falls silent in its body leaves a cut response`, async () => {
    const { rig, client, wire } = await underWay(kind, GET, { defaults: ' timeout server 400ms\n' });
    wire.write('HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf');
    await client.takes('half');
    await client.over();
    assert.equal(client.text, '');
    await rig.everythingIsHome();
  });

  test(`${kind}: a client that does not send its body is 408, not the server's fault`, async () => {
    const server = await RawServer.start();
    const rig = new ProxyRig(kind, [server], { defaults: ' timeout client 400ms\n timeout server 100ms\n' });
    const client = await rig.client();
    client.write('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\npart');
    assert.match(await client.takesHead(), /^HTTP\/1\.1 408 /);
    await rig.everythingIsHome();
  });

  test(`${kind}: a server that does not take the body is 504, not the client's fault`, async () => {
    const server = await RawServer.start();
    const rig = new ProxyRig(kind, [server], { defaults: ' timeout client 500ms\n timeout server 1500ms\n' });
    const client = await rig.client();
    client.write('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 50000000\r\n\r\n');
    (await server.wire(0)).socket.pause();
    client.write(new Uint8Array(50_000_000));
    assert.match(await client.takesHead(), /^HTTP\/1\.1 504 /);
    await rig.everythingIsHome();
  });

  test(`${kind}: a client that does not read its response is left after timeout client`, async () => {
    const server = await RawServer.start();
    const rig = new ProxyRig(kind, [server], { defaults: ' timeout client 600ms\n timeout server 400ms\n' });
    const client = await rig.client();
    client.socket.pause();
    client.write(GET);
    const wire = await server.wire(0);
    await wire.takesHead();
    wire.write(`HTTP/1.1 200 OK\r\nContent-Length: 50000000\r\n\r\n`);
    wire.write(new Uint8Array(50_000_000));
    await wire.over();
    await rig.until('the client is gone', () => rig.client_count === 0);
    await rig.everythingIsHome();
  });

  test(`${kind}: an endless client that was told goodbye is closed soon`, async () => {
    const server = await RawServer.start();
    const rig = new ProxyRig(kind, [server]);
    const client = await rig.client();
    client.write('nonsense\r\n\r\n');
    assert.match(await client.takesHead(), /^HTTP\/1\.1 400 /);
    const babble = setInterval(() => client.write('more'), 50);
    await rig.until('the client is gone', () => rig.client_count === 0);
    clearInterval(babble);
    await rig.everythingIsHome();
  });

  test(`${kind}: a connection that does not come about is 503 after timeout connect`, async () => {
    const { server, release } = await fullListener();
    const rig = new ProxyRig(kind, [server], { defaults: ' timeout connect 150ms\n', backend: ' retries 0\n' });
    const client = await rig.client();
    client.write(GET);
    assert.match(await client.takesHead(), /^HTTP\/1\.1 503 /);
    await rig.everythingIsHome();
    release();
  });
}
