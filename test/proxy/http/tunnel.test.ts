/** After 101, and after a CONNECT that was granted, bytes pass both ways as they come. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sequence, sha256 } from '../../reactor/harness.js';
import { KINDS, type Kind, ProxyRig, type RigOptions } from '../harness.js';
import { underWay } from '../under-way.js';
import { endsLongBefore, RawServer, response } from '../wire.js';

const UPGRADE = 'GET /chat HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n';
const SWITCH = 'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n';

for (const kind of KINDS) {
  async function tunnel(early = '', options: RigOptions = {}, its_kind: Kind = kind) {
    const server = await RawServer.start();
    const rig = new ProxyRig(its_kind, [server], options);
    const client = await rig.client();
    client.write(UPGRADE + early);
    const wire = await server.wire(0);
    const head = await wire.takesHead();
    assert.match(head, /^Connection: upgrade\r$/im);
    assert.match(head, /^Upgrade: websocket\r$/m);
    wire.write(`${SWITCH}hello`);
    assert.equal(await client.takes('hello'), `${SWITCH}hello`);
    return { rig, server, client, wire };
  }

  test(`${kind}: bytes pass both ways after 101, also those that came before it`, async () => {
    const { rig, client, wire } = await tunnel('early');
    await wire.takes('early');
    const bytes = sequence(2_000_000);
    client.write(bytes);
    wire.write(bytes);
    assert.equal(sha256(await wire.takesBytes(bytes.length)), sha256(bytes));
    assert.equal(sha256(await client.takesBytes(bytes.length)), sha256(bytes));
    wire.close();
    await rig.everythingIsHome();
  });

  test(`${kind}: a 101 that nobody asked for is 502, and no tunnel`, async () => {
    const { rig, client, wire } = await underWay(kind, 'GET /chat HTTP/1.1\r\nHost: a\r\n\r\n');
    wire.write(SWITCH);
    assert.match(await client.takesHead(), /^HTTP\/1\.1 502 /);
    await rig.everythingIsHome();
  });

  test(`${kind}: one side of a tunnel may end long before the other`, async () => {
    for (const first of ['client', 'server'] as const) {
      const { rig, client, wire } = await tunnel();
      const [ends, goes_on] = first === 'client' ? [client, wire] : [wire, client];
      await endsLongBefore(ends, goes_on, sequence(3_000_000));
      await rig.until('both are closed', () => rig.reactor.socket_count === 0);
      await rig.everythingIsHome();
    }
  });

  test(`${kind}: a tunnel in which only the server speaks is not idle; a silent one is closed`, async () => {
    const { rig, client, wire } = await tunnel('', { defaults: ' timeout server 400ms\n' });
    for (let count = 0; count < 6; count++) {
      await new Promise((resolve) => setTimeout(resolve, 80));
      wire.write('tick');
      await client.takes('tick');
    }
    await client.over();
    await wire.over();
    await rig.everythingIsHome();
  });

  test(`${kind}: a tunnel ends for both when one side resets`, async () => {
    for (const dies of ['client', 'server'] as const) {
      const { rig, client, wire } = await tunnel();
      const [one, other] = dies === 'client' ? [client, wire] : [wire, client];
      one.reset();
      await other.over();
      await rig.everythingIsHome();
    }
  });

  test(`${kind}: a CONNECT that is granted is a tunnel, after a refused one the connection ends`, async () => {
    const server = await RawServer.start();
    const rig = new ProxyRig(kind, [server]);
    const request = 'CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\n\r\n';
    const refused = await rig.client();
    refused.write(`${request}GET /meant-for-the-tunnel HTTP/1.1\r\nHost: a\r\n\r\n`);
    const first = await server.wire(0);
    await first.takesHead();
    first.write(response('no').replace('200 OK', '403 Forbidden'));
    assert.match(await refused.takes('no'), /^HTTP\/1\.1 403 .*Connection: close/s);
    assert.equal(await refused.over(), 'end');
    assert.equal(first.text, '');
    const granted = await rig.client();
    granted.write(request);
    const second = await server.wire(1);
    await second.takesHead();
    second.write('HTTP/1.1 200 OK\r\n\r\nin');
    await granted.takes('in');
    granted.write('out');
    await second.takes('out');
    second.close();
    await rig.everythingIsHome();
  });

  test(`${kind}: a refused upgrade is an ordinary answer, and the connection is kept`, async () => {
    const server = await RawServer.start();
    const rig = new ProxyRig(kind, [server]);
    const client = await rig.client();
    for (let count = 0; count < 2; count++) {
      client.write(UPGRADE);
      const wire = await server.wire(0);
      await wire.takesHead();
      wire.write(response('no'));
      await client.takes(response('no'));
    }
    await rig.everythingIsHome();
  });
}
