/** What becomes of requests that are bound to a server, and of sessions whose server goes. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { REDISPATCHES, RETRIES, serverRow } from '#src/threads/counters.js';
import * as shared from '#src/threads/shared-memory.js';
import { KINDS, ProxyRig } from './harness.js';
import { nobody, RawServer, response } from './wire.js';

const get = (fields: string) => `GET / HTTP/1.1\r\nHost: a\r\n${fields}\r\n`;
const cookieOf = (number: number) => `cookie c${number}`;

for (const kind of KINDS) {
  test(`${kind}: a cookie brings a client back to its server, also while that is drained`, async () => {
    const servers = [await RawServer.start(), await RawServer.start()];
    const rig = new ProxyRig(kind, servers, { backend: ' cookie SRV insert indirect', server: cookieOf });
    const at = shared.serverAt(rig.memory, 1);
    rig.memory.words[at + shared.SERVER_ADMINISTRATIVE] = shared.ADMIN_DRAIN;
    rig.setServer(0, true);
    for (let turn = 0; turn < 3; turn++) {
      const client = await rig.client();
      client.write(get('Cookie: x=y; SRV=c1\r\n'));
      const wire = await (servers[1] as RawServer).wire(turn);
      assert.match(await wire.takesHead(), /\r\nCookie: x=y\r\n/i);
      wire.write(response('ok'));
      assert.doesNotMatch(await client.takes('\r\n\r\nok'), /set-cookie/i);
    }
    await rig.everythingIsHome();
  });

  test(`${kind}: a cookie of a server that is down leads to another one, with a new cookie`, async () => {
    const servers = [await RawServer.start(), await RawServer.start()];
    const rig = new ProxyRig(kind, servers, { backend: ' cookie SRV insert', server: cookieOf });
    rig.setServer(1, false);
    const client = await rig.client();
    client.write(get('Cookie: SRV=c1\r\n'));
    const wire = await (servers[0] as RawServer).wire(0);
    await wire.takesHead();
    wire.write(response('ok'));
    assert.match(await client.takes('\r\n\r\nok'), /\r\nSet-Cookie: SRV=c0; path=\/\r\n/);
    await rig.everythingIsHome();
  });

  test(`${kind}: option persist asks the cookie's server even when it is down`, async () => {
    const servers = [await RawServer.start(), await RawServer.start()];
    const backend = ' cookie SRV insert\n option persist';
    const rig = new ProxyRig(kind, servers, { backend, server: cookieOf });
    rig.setServer(1, false);
    const client = await rig.client();
    client.write(get('Cookie: SRV=c1\r\n'));
    const wire = await (servers[1] as RawServer).wire(0);
    await wire.takesHead();
    wire.write(response('ok'));
    await client.takes('\r\n\r\nok');
    await rig.everythingIsHome();
  });

  test(`${kind}: a bound request leaves a server that refuses only as option redispatch says`, async () => {
    const servers = [await RawServer.start(), await nobody()];
    const common = { server: cookieOf, defaults: ' timeout connect 50ms\n retries 2' };
    const bound = new ProxyRig(kind, servers, { ...common, backend: ' cookie SRV insert' });
    assert.match(await bound.exchange(get('Cookie: SRV=c1\r\nConnection: close\r\n')), /^HTTP\/1\.1 503 /);
    const retries = serverRow(bound.memory, shared.THREAD_DATA, 1)[RETRIES];
    assert.equal(retries, 2, 'it was asked again');
    assert.equal(bound.connectionsOf(0), 0);
    const free = new ProxyRig(kind, servers, { ...common, backend: ' cookie SRV insert\n option redispatch' });
    const client = await free.client();
    client.write(get('Cookie: SRV=c1\r\n'));
    const wire = await (servers[0] as RawServer).wire(0);
    await wire.takesHead();
    wire.write(response('ok'));
    assert.match(await client.takes('\r\n\r\nok'), /Set-Cookie: SRV=c0;/);
    assert.equal(serverRow(free.memory, shared.THREAD_DATA, 1)[REDISPATCHES], 1);
    await bound.everythingIsHome();
    await free.everythingIsHome();
  });

  test(`${kind}: on-marked-down shutdown-sessions ends what the server is serving`, async () => {
    const server = await RawServer.start();
    const rig = new ProxyRig(kind, [server], { server: 'on-marked-down shutdown-sessions' });
    const waiting = await rig.client();
    waiting.write(get(''));
    await (await server.wire(0)).takesHead();
    const reading = await rig.client();
    reading.write(get(''));
    const wire = await server.wire(1);
    await wire.takesHead();
    wire.write('HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nsome');
    await reading.takes('some');
    rig.setServer(0, false);
    assert.match(await waiting.takesHead(), /^HTTP\/1\.1 502 /);
    await reading.over();
    assert.equal(rig.connectionsOf(0), 0);
    await rig.everythingIsHome();
  });

  test(`${kind}: on-marked-up shutdown-backup-sessions brings TCP clients back from a backup server`, async () => {
    const servers = [await RawServer.start(), await RawServer.start()];
    const words = (number: number) => (number === 0 ? 'on-marked-up shutdown-backup-sessions' : 'backup');
    const rig = new ProxyRig(kind, servers, { mode: 'tcp', server: words });
    rig.setServer(0, false);
    const client = await rig.client();
    client.write('hello');
    await (servers[1] as RawServer).asked('hello');
    rig.setServer(0, true);
    await client.over();
    await rig.everythingIsHome();
  });

  test(`${kind}: observe counts errors in a row, and rings at error-limit`, async () => {
    const server = await RawServer.start();
    const words = 'check observe layer7 error-limit 2 on-error mark-down';
    const rig = new ProxyRig(kind, [server], { server: words });
    const at = shared.serverAt(rig.memory, 0);
    const answerWith = async (status: number, number: number) => {
      const client = await rig.client();
      client.write(get('Connection: close\r\n'));
      const wire = await server.wire(number);
      await wire.takesHead();
      wire.write(`HTTP/1.1 ${status} X\r\nContent-Length: 0\r\nConnection: close\r\n\r\n`);
      await client.over();
    };
    for (const [number, status] of [500, 404, 503].entries()) await answerWith(status, number);
    assert.equal(rig.memory.words[at + shared.SERVER_ALARMS], 0, 'an answer that is in order starts the count anew');
    await answerWith(502, 3);
    assert.equal(rig.memory.words[at + shared.SERVER_ALARMS], 1);
    await rig.everythingIsHome();
  });

  test(`${kind}: an RDP client goes to the server of its cookie's hash, and what it said reaches it`, async () => {
    const servers = [await RawServer.start(), await RawServer.start(), await RawServer.start()];
    const rig = new ProxyRig(kind, servers, { mode: 'tcp', backend: ' balance rdp-cookie' });
    const chosen = new Set<number>();
    for (let turn = 0; turn < 3; turn++) {
      const hello = `\x03\0\0\x2a\x25\xe0\0\0\0\0\0Cookie: mstshash=anna\r\n${turn}`;
      const client = await rig.client();
      client.write(hello);
      const found = () => servers.findIndex(({ wires }) => wires.some(({ text }) => text === hello));
      await rig.until('a server has it', () => found() >= 0);
      chosen.add(found());
      for (const { wires } of servers) for (const wire of wires) wire.close();
    }
    assert.equal(chosen.size, 1);
    await rig.everythingIsHome();
  });
}
