/** Heads on their way: what is changed, what is not, and what is refused. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { KINDS, ProxyRig } from '../harness.js';
import { underWay } from '../under-way.js';
import { RawServer, response } from '../wire.js';

for (const kind of KINDS) {
  /** What the server sees of a request. */
  async function seen(rig: ProxyRig, server: RawServer, request: string): Promise<string> {
    const client = await rig.client();
    client.write(request);
    const number = server.wires.findIndex(({ ended }) => ended === 'no');
    const wire = await server.wire(Math.max(0, number));
    const head = await wire.takesHead();
    wire.write(response('x'));
    await client.takes('\r\n\r\nx');
    client.close();
    return head;
  }

  test(`${kind}: option forwardfor adds the client's address, if-none respects what is there`, async () => {
    for (const [option, field, expected] of [
      ['option forwardfor', '', 'X-Forwarded-For: 127.0.0.1\r\n'],
      [
        'option forwardfor',
        'X-Forwarded-For: 1.2.3.4\r\n',
        'X-Forwarded-For: 1.2.3.4\r\nX-Forwarded-For: 127.0.0.1\r\n',
      ],
      ['option forwardfor if-none', 'x-forwarded-for: 1.2.3.4\r\n', 'x-forwarded-for: 1.2.3.4\r\n'],
      ['option forwardfor if-none', '', 'X-Forwarded-For: 127.0.0.1\r\n'],
      ['option forwardfor except 127.0.0.0/8', '', ''],
      ['option forwardfor except 127.0.0.1 header X-Client', 'X-Client: 1.2.3.4\r\n', 'X-Client: 1.2.3.4\r\n'],
      ['option forwardfor except 128.0.0.0/8', '', 'X-Forwarded-For: 127.0.0.1\r\n'],
      ['option forwardfor except ::1', '', 'X-Forwarded-For: 127.0.0.1\r\n'],
      ['option forwardfor header X-Client', '', 'X-Client: 127.0.0.1\r\n'],
    ] as const) {
      const server = await RawServer.start();
      const rig = new ProxyRig(kind, [server], { frontend: ` ${option}\n` });
      const head = await seen(rig, server, `GET / HTTP/1.1\r\nHost: a\r\n${field}\r\n`);
      assert.equal(head, `GET / HTTP/1.1\r\nHost: a\r\n${expected}\r\n`);
      await rig.everythingIsHome();
    }
  });

  test(`${kind}: with option forwardfor on both sides the backend names the header, if-none must be on both, except on either`, async () => {
    const field = 'X-Client: 1.2.3.4\r\n';
    for (const [frontend, backend, expected] of [
      ['', ' header X-Client', `${field}X-Client: 127.0.0.1\r\n`],
      ['', ' header X-Client if-none', `${field}X-Client: 127.0.0.1\r\n`],
      [' if-none', ' header X-Client if-none', field],
      [' header X-Client', '', `${field}X-Forwarded-For: 127.0.0.1\r\n`],
      [' except 127.0.0.0/8', ' except 10.0.0.0/8', field],
      [' except 10.0.0.0/8', ' except 127.0.0.0/8', field],
    ] as const) {
      const server = await RawServer.start();
      const sides = { frontend: ` option forwardfor${frontend}\n`, backend: ` option forwardfor${backend}\n` };
      const rig = new ProxyRig(kind, [server], sides);
      const head = await seen(rig, server, `GET / HTTP/1.1\r\nHost: a\r\n${field}\r\n`);
      assert.equal(head, `GET / HTTP/1.1\r\nHost: a\r\n${expected}\r\n`);
      await rig.everythingIsHome();
    }
  });

  test(`${kind}: fields of one connection do not go on to the next`, async () => {
    const server = await RawServer.start();
    const rig = new ProxyRig(kind, [server]);
    const fields = 'Host: a\r\nKeep-Alive: 5\r\nConnection: keep-alive\r\nProxy-Connection: x\r\nA:b\r\n';
    assert.equal(
      await seen(rig, server, `GET / HTTP/1.1\r\n${fields}\r\n`),
      'GET / HTTP/1.1\r\nHost: a\r\nA: b\r\n\r\n',
    );
    await rig.everythingIsHome();
  });

  test(`${kind}: two framings of one body become one, and the connection is not kept`, async () => {
    const server = await RawServer.start();
    const rig = new ProxyRig(kind, [server]);
    const client = await rig.client();
    client.write(
      'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /smuggled',
    );
    const wire = await server.wire(0);
    assert.equal(
      await wire.takes('0\r\n\r\n'),
      'POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
    );
    wire.write(response('x'));
    await client.takes('\r\n\r\nx');
    assert.equal(await client.over(), 'end');
    assert.equal(wire.text, '');
    await rig.everythingIsHome();
  });

  test(`${kind}: the same length twice goes on once`, async () => {
    const server = await RawServer.start();
    const rig = new ProxyRig(kind, [server]);
    for (const field of ['Content-Length: 2, 2', 'Content-Length: 2\r\ncontent-length: 2']) {
      const client = await rig.client();
      client.write(`POST / HTTP/1.1\r\nHost: a\r\n${field}\r\n\r\nhi`);
      const wire = await server.asked('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nhi');
      wire.write(response('x'));
      await client.takes('\r\n\r\nx');
    }
    await rig.everythingIsHome();
  });

  test(`${kind}: a head over the limit is 400, in one piece or in many; one below it passes`, async () => {
    const server = await RawServer.start();
    const rig = new ProxyRig(kind, [server], { frontend: ' option forwardfor\n' });
    for (const length of [15_400, 16_300, 16_384, 40_000]) {
      const head = `GET / HTTP/1.1\r\nHost: a\r\nA: ${'x'.repeat(length - 36)}\r\n\r\n`;
      assert.match(await rig.exchange(head), /^HTTP\/1\.1 400 /, `${length} bytes`);
      const client = await rig.client();
      for (let at = 0; at < head.length; at += 5_000) {
        client.write(head.slice(at, at + 5_000));
        await new Promise((resolve) => setTimeout(resolve, 3));
      }
      assert.match(await client.takesHead(), /^HTTP\/1\.1 400 /, `${length} bytes in pieces`);
    }
    assert.equal(server.wires.length, 0);
    const fields = `Host: a\r\n${'A:\r\n'.repeat(98)}`; // each grows by a blank when it is written anew
    const fitting = `GET / HTTP/1.1\r\n${fields}B: ${'x'.repeat(15_360 - 16 - 5 - 2 - fields.length)}\r\n\r\n`;
    assert.match(await seen(rig, server, fitting), /X-Forwarded-For: 127\.0\.0\.1\r\n\r\n$/);
    await rig.everythingIsHome();
  });

  test(`${kind}: a head that stays behind a long body in the same buffer is read`, async () => {
    const server = await RawServer.start();
    const rig = new ProxyRig(kind, [server]);
    const client = await rig.client();
    const body = 'b'.repeat(10_000);
    const next = `GET /next HTTP/1.1\r\nHost: a\r\nA: ${'x'.repeat(9_000)}\r\n\r\n`;
    client.write(`PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: ${body.length}\r\n\r\n${body}${next}`);
    const wire = await server.wire(0);
    await wire.takes(body);
    wire.write(response('one'));
    await client.takes('one');
    const again = await server.asked(next);
    again.write(response('two'));
    await client.takes('two');
    await rig.everythingIsHome();
  });

  test(`${kind}: a response of HTTP/1.0 becomes one of HTTP/1.1`, async () => {
    const { rig, client, wire } = await underWay(kind, 'GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    wire.write('HTTP/1.0 200 OK\r\nContent-Length: 1\r\n\r\nx');
    assert.equal(await client.takes('\r\n\r\nx'), 'HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx');
    await wire.over();
    await rig.everythingIsHome();
  });
}
