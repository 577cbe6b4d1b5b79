/** Failures of a server after which the request goes out again, and those after which it must not. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as c from '#src/threads/counters.js';
import { KINDS, ProxyRig } from '../harness.js';
import { underWay } from '../under-way.js';
import { nobody, RawServer, response, type Wire } from '../wire.js';

const GET = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n';
const POST = 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello';

/** How a server fails, and what the client hears when every try fails so. */
const FAILURES: readonly { event: string; fail: (wire: Wire) => void; status: number }[] = [
  { event: 'empty-response', fail: (wire) => wire.end(), status: 502 },
  { event: 'empty-response', fail: (wire) => wire.reset(), status: 502 },
  { event: 'junk-response', fail: (wire) => wire.write('nonsense\r\n\r\n'), status: 502 },
  { event: 'junk-response', fail: (wire) => wire.socket.end('HTTP/1.1 200 OK\r\nA: '), status: 502 },
  { event: 'response-timeout', fail: () => {}, status: 504 },
  ...[401, 403, 404, 408, 425, 500, 501, 502, 503, 504].map((status) => ({
    event: String(status),
    fail: (wire: Wire) => wire.write(`HTTP/1.1 ${status} No\r\nContent-Length: 2\r\n\r\nno`),
    status,
  })),
];

for (const kind of KINDS) {
  const read = (rig: ProxyRig, server: number, word: number) => rig.proxy.backends[0]?.servers[server]?.counters[word];

  test(`${kind}: each kind of failure is tried again where retry-on names it`, async () => {
    for (const { event, fail } of FAILURES) {
      const server = await RawServer.start();
      const rig = new ProxyRig(kind, [server], {
        defaults: event === 'response-timeout' ? ' timeout server 400ms\n' : '',
        backend: ` retry-on ${event}\n`,
      });
      const client = await rig.client();
      client.write(POST);
      const first = await server.wire(0);
      await first.takes(POST);
      fail(first);
      const second = await server.wire(1);
      assert.equal(await second.takes(POST), POST, event);
      second.write(response('fine'));
      assert.equal(await client.takes('fine'), response('fine'), event);
      assert.equal(read(rig, 0, c.RETRIES), 1);
      assert.equal(read(rig, 0, c.RESPONSE_ERRORS), 0, 'the client had its answer');
      await rig.everythingIsHome();
    }
  });

  test(`${kind}: each kind of failure reaches the client where retry-on names others`, async () => {
    for (const { event, fail, status } of FAILURES) {
      const server = await RawServer.start();
      const others = new Set(FAILURES.map((failure) => failure.event).filter((other) => other !== event));
      const backend = ` retry-on conn-failure ${[...others].join(' ')}\n`;
      const rig = new ProxyRig(kind, [server], {
        defaults: event === 'response-timeout' ? ' timeout server 400ms\n' : '',
        backend,
      });
      const client = await rig.client();
      client.write(GET);
      const wire = await server.wire(0);
      await wire.takesHead();
      fail(wire);
      assert.match(await client.takesHead(), new RegExp(`^HTTP/1\\.1 ${status} `), event);
      assert.equal(server.wires.length, 1);
      await rig.everythingIsHome();
    }
  });

  test(`${kind}: the last try's failure is the client's, after as many as retries says`, async () => {
    const server = await RawServer.start();
    const rig = new ProxyRig(kind, [server], { backend: ' retries 2\n retry-on all-retryable-errors\n' });
    const client = await rig.client();
    client.write(GET);
    for (let number = 0; number < 3; number++) {
      const wire = await server.wire(number);
      await wire.takesHead();
      wire.write(`HTTP/1.1 503 No ${number}\r\nContent-Length: 0\r\n\r\n`);
    }
    assert.match(await client.takesHead(), /^HTTP\/1\.1 503 No 2\r\n/);
    assert.equal(server.wires.length, 3);
    assert.equal(read(rig, 0, c.RETRIES), 2);
    await rig.everythingIsHome();
  });

  test(`${kind}: without option redispatch the same server is asked again, with it another one`, async () => {
    for (const redispatch of [false, true]) {
      const servers = [await RawServer.start(), await RawServer.start()] as const;
      const backend = ` balance first\n retry-on 500\n${redispatch ? ' option redispatch\n' : ''}`;
      const rig = new ProxyRig(kind, servers, { backend });
      const client = await rig.client();
      client.write(GET);
      const first = await servers[0].wire(0);
      await first.takesHead();
      first.write('HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n');
      const second = redispatch ? await servers[1].wire(0) : await servers[0].wire(1);
      await second.takesHead();
      second.write(response('here'));
      await client.takes('here');
      assert.equal(read(rig, 0, c.REDISPATCHES), redispatch ? 1 : 0);
      await rig.everythingIsHome();
    }
  });

  test(`${kind}: with retry-on none, a server that refuses ends it`, async () => {
    const server = await RawServer.start();
    const rig = new ProxyRig(kind, [await nobody(), server], { backend: ' balance first\n retry-on none\n' });
    const client = await rig.client();
    client.write(GET);
    assert.match(await client.takesHead(), /^HTTP\/1\.1 503 /);
    assert.equal(server.wires.length, 0);
    await rig.everythingIsHome();
  });

  test(`${kind}: a body that came piece by piece is sent again in one piece, and what is missing follows`, async () => {
    const server = await RawServer.start();
    const rig = new ProxyRig(kind, [server], { backend: ' retry-on empty-response\n' });
    const client = await rig.client();
    client.write('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 60\r\n\r\n');
    const first = await server.wire(0);
    await first.takesHead();
    for (let count = 0; count < 40; count++) {
      client.write('x');
      await first.takes('x');
    }
    first.end();
    const second = await server.wire(1);
    await second.takes('x'.repeat(40));
    client.write('y'.repeat(20));
    await second.takes('y'.repeat(20));
    second.write(response('all'));
    await client.takes('all');
    await rig.everythingIsHome();
  });

  test(`${kind}: a body that no buffer holds is sent once`, async () => {
    for (const length of [20_000, 300_000]) {
      const { server, rig, client, wire } = await underWay(
        kind,
        `POST / HTTP/1.1\r\nHost: a\r\nContent-Length: ${length}\r\n\r\n`,
        { backend: ' retry-on all-retryable-errors\n' },
      );
      client.write('x'.repeat(length));
      await wire.takesBytes(length);
      wire.end();
      assert.match(await client.takesHead(), /^HTTP\/1\.1 502 /);
      assert.equal(server.wires.length, 1);
      await rig.everythingIsHome();
    }
  });

  test(`${kind}: a stored body is sent again as well, and 100 is said once`, async () => {
    for (const buffers of [true, false]) {
      const server = await RawServer.start();
      const backend = buffers ? ' option http-buffer-request\n retry-on 503\n' : ' retry-on 503\n';
      const rig = new ProxyRig(kind, [server], { backend });
      const client = await rig.client();
      client.write('PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nExpect: 100-continue\r\n\r\n');
      if (!buffers) (await server.wire(0)).write('HTTP/1.1 100 Continue\r\n\r\n');
      assert.match(await client.takesHead(), /^HTTP\/1\.1 100 /);
      client.write('body');
      for (const [number, answer] of ['HTTP/1.1 503 No\r\nContent-Length: 0\r\n\r\n', response('done')].entries()) {
        const wire = await server.wire(number);
        await wire.takes('body');
        wire.write('HTTP/1.1 100 Continue\r\n\r\n');
        wire.write(answer);
      }
      assert.match(await client.takesHead(), /^HTTP\/1\.1 200 /);
      await rig.everythingIsHome();
    }
  });

  test(`${kind}: after an early hint the client gets what follows`, async () => {
    const { server, rig, client, wire } = await underWay(kind, GET, { backend: ' retry-on 503 empty-response\n' });
    wire.write('HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 503 No\r\nContent-Length: 0\r\n\r\n');
    assert.match(await client.takesHead(), /^HTTP\/1\.1 103 /);
    assert.match(await client.takesHead(), /^HTTP\/1\.1 503 /);
    assert.equal(server.wires.length, 1);
    await rig.everythingIsHome();
  });

  test(`${kind}: a client that leaves between two tries leaves nothing behind`, async () => {
    const server = await RawServer.start();
    const rig = new ProxyRig(kind, [server, await nobody()], {
      backend: ' balance first\n retry-on 503\n option redispatch\n',
    });
    const client = await rig.client();
    client.write(POST);
    const wire = await server.wire(0);
    await wire.takes(POST);
    wire.write('HTTP/1.1 503 No\r\nContent-Length: 0\r\n\r\n');
    await rig.until('it was tried again', () => (read(rig, 0, c.REDISPATCHES) ?? 0) > 0);
    client.reset();
    await rig.everythingIsHome();
  });
}
