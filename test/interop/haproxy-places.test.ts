/** Servers whose place depends on the client, `dispatch`, `option transparent` and `redir`: HAProxy and carpool go to the same place. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startHaproxy } from '../helpers/haproxy.js';
import { needs } from '../helpers/peers.js';
import { freePort } from '../helpers/ports.js';
import { KINDS, ProxyRig } from '../proxy/harness.js';
import { nobody, RawServer, response, Wire } from '../proxy/wire.js';

const get = (path: string, fields = '') => `GET ${path} HTTP/1.1\r\nHost: a\r\n${fields}\r\n`;

/** A backend's lines, where a server listens on `port`, and the port that the client says it went to. */
type Case = readonly [lines: (port: number, closed: number) => string, destination: (port: number) => number];

const CASES: readonly Case[] = [
  [(port) => `server a *:${port}`, () => 1],
  [(port) => `server a 0.0.0.0:${port}`, () => 1],
  [(port) => `server a :${port}`, () => 1],
  [() => 'server a ipv4@', (port) => port],
  [() => 'server a 127.0.0.1', (port) => port],
  [() => 'server a 127.0.0.1:+7', (port) => port - 7],
  [() => 'server a 127.0.0.1:-7', (port) => port + 7],
  [() => 'server a *:+7', (port) => port - 7],
  [() => 'option transparent', (port) => port],
  [() => 'transparent', (port) => port],
  [(port) => `dispatch 127.0.0.1:${port}`, () => 1],
  [(port, closed) => `cookie C\n server a 127.0.0.1:${closed} cookie a\n dispatch 127.0.0.1:${port}`, () => 1],
  [(port, closed) => `cookie C\n server a 127.0.0.1:${port} cookie me\n dispatch 127.0.0.1:${closed}`, () => 1],
];

async function answers(server: RawServer, port: number, destination: number): Promise<string> {
  const client = await Wire.connect(port);
  const request = get('/', 'Cookie: C=me\r\n');
  client.write(`PROXY TCP4 127.0.0.9 127.0.0.1 4711 ${destination}\r\n${request}`);
  const wire = await server.wire(server.wires.length);
  await wire.takesHead();
  wire.write(response('ok'));
  await client.takes('ok');
  client.close();
  wire.close();
  return 'ok';
}

test('HAProxy and carpool find servers whose place the client says', { skip: needs('haproxy') }, async (t) => {
  const theirs = await RawServer.start();
  const { port: closed } = await nobody();
  const binds = await Promise.all(CASES.map(() => freePort()));
  await startHaproxy(
    t,
    CASES.map(([lines], index) => [`bind 127.0.0.1:${binds[index]} accept-proxy`, lines(theirs.port, closed)]),
  );
  for (const [index, [lines, destination]] of CASES.entries()) {
    await answers(theirs, binds[index]!, destination(theirs.port));
    for (const mode of ['http', 'tcp'] as const) {
      const server = await RawServer.start();
      const backend = lines(server.port, closed);
      if (mode === 'tcp' && backend.includes('cookie')) continue;
      const rig = new ProxyRig('ring', [], { mode, bind: 'accept-proxy', backend: ` ${backend}\n` });
      assert.equal(await answers(server, rig.port, destination(server.port)), 'ok', backend);
      server.closeAll();
      await rig.everythingIsHome();
      await server.stop();
    }
  }
  theirs.closeAll();
});

for (const kind of KINDS) {
  test(`${kind}: a kept connection of a server that follows clients serves its own client only`, async () => {
    const server = await RawServer.start();
    const rig = new ProxyRig(kind, [], { bind: 'accept-proxy', backend: ' http-reuse always\n server a 127.0.0.1\n' });
    for (let client_number = 1; client_number <= 2; client_number++) {
      const client = await rig.client();
      client.write(`PROXY TCP4 127.0.0.9 127.0.0.1 4711 ${server.port}\r\n`);
      for (let count = 0; count < 2; count++) {
        client.write(get('/'));
        const wire = await server.asked(get('/'));
        wire.write(response('ok'));
        await client.takes(response('ok'));
      }
      assert.equal(server.wires.length, client_number);
    }
    server.closeAll();
    await rig.everythingIsHome();
    await server.stop();
  });
}

test('HAProxy and carpool send clients to a server with redir', { skip: needs('haproxy') }, async (t) => {
  const server = await RawServer.start();
  const words = 'redir http://images.example.org/p';
  const [port] = await startHaproxy(t, [[`server s 127.0.0.1:${server.port} ${words}`]]);
  const rig = new ProxyRig('epoll', [server], { server: words });
  for (const request of [get('/a?b'), get('/').replace('GET', 'HEAD'), get('http://a/c?d')]) {
    const told: string[][] = [];
    for (const to of [port!, rig.port]) {
      const client = await Wire.connect(to);
      client.write(request);
      await client.over();
      const [line, ...fields] = client.text.split('\r\n');
      told.push([line!, ...fields.map((field) => field.replace(/^[^:]*/, (name) => name.toLowerCase())).sort()]);
      client.close();
    }
    assert.deepEqual(told[1], told[0], request);
    assert.match(told[1]!.join('\n'), /^HTTP\/1.1 302 Found\n/);
  }
  const client = await rig.client();
  client.write('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n');
  const wire = await server.wire(0);
  await wire.takesHead();
  wire.write(response('ok'));
  await client.takes('ok');
  await rig.everythingIsHome();
});
