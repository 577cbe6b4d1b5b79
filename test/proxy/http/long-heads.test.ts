/** Heads that were just short enough, and grow when they are written anew: nothing is written where there is no room. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { KINDS, ProxyRig } from '../harness.js';
import { RawServer, response } from '../wire.js';

const GET = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n';
/** Cookies without a blank between them, which get one: each is a byte more. */
const CROWDED = `GET / HTTP/1.1\r\nHost: a\r\nCookie: SRV=s0;${'a;'.repeat(7_000)}b=c\r\n\r\n`;
/** With a key before each of their values. */
const FULL = `HTTP/1.1 200 OK\r\nContent-Length: 0\r\n${`Set-Cookie: SRV=${'x'.repeat(120)}\r\n`.repeat(98)}\r\n`;

for (const kind of KINDS) {
  test(`${kind}: a request whose cookies grow beyond a buffer is 400, and nobody else's bytes are touched`, async () => {
    const server = await RawServer.start();
    const backend = ' cookie SRV insert indirect\n';
    const rig = new ProxyRig(kind, [server], { backend, server: 'cookie s0' });
    const waiting = await Promise.all(Array.from({ length: 40 }, () => rig.client()));
    for (const client of waiting) client.write(GET);
    await rig.until('all have asked', () => server.wires.filter(({ text }) => text === GET).length === waiting.length);
    const client = await rig.client();
    client.write(CROWDED);
    assert.match(await client.takesHead(), /^HTTP\/1\.1 400 /);
    for (const wire of server.wires) wire.write(response('answer', 'X-Long: yes\r\n'));
    for (const other of waiting) assert.match(await other.takes('answer'), /^HTTP\/1\.1 200 OK\r\n.*X-Long: yes\r\n/s);
    assert.equal(server.wires.length, waiting.length, 'no server is asked');
    await rig.everythingIsHome();
  });

  test(`${kind}: a response whose cookies grow beyond a buffer is 502`, async () => {
    const server = await RawServer.start();
    const rig = new ProxyRig(kind, [server], { backend: ' cookie SRV prefix\n', server: `cookie ${'k'.repeat(80)}` });
    const client = await rig.client();
    client.write(GET);
    (await server.asked(GET)).write(FULL);
    assert.match(await client.takesHead(), /^HTTP\/1\.1 502 /);
    await rig.everythingIsHome();
  });
}
