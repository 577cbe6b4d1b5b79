/** `mode tcp`: bytes both ways, and both sides' endings. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sequence, sha256 } from '../../reactor/harness.js';
import { KINDS, ProxyRig, type RigOptions } from '../harness.js';
import { endsLongBefore, nobody, RawServer } from '../wire.js';

for (const kind of KINDS) {
  async function session(options: RigOptions = {}) {
    const server = await RawServer.start();
    const rig = new ProxyRig(kind, [server], { mode: 'tcp', ...options });
    const client = await rig.client();
    const wire = await server.wire(0);
    return { server, rig, client, wire };
  }

  test(`${kind}: bytes of any kind pass both ways at once`, async () => {
    const { rig, client, wire } = await session({ counts: { small_count: 320, large_count: 8, reserve: 32 } });
    const [up, down] = [sequence(8_000_000, 1), sequence(8_000_000, 2)];
    client.write(up);
    wire.write(down);
    assert.equal(sha256(await wire.takesBytes(up.length)), sha256(up));
    assert.equal(sha256(await client.takesBytes(down.length)), sha256(down));
    wire.close();
    await rig.everythingIsHome();
  });

  test(`${kind}: the server may speak first, and either side may end first`, async () => {
    for (const first of ['client', 'server'] as const) {
      const { rig, client, wire } = await session();
      wire.write('220 ready');
      await client.takes('220 ready');
      const [ends, goes_on] = first === 'client' ? [client, wire] : [wire, client];
      await endsLongBefore(ends, goes_on, sequence(2_000_000));
      await rig.until('both are closed', () => rig.reactor.socket_count === 0);
      await rig.everythingIsHome();
    }
  });

  test(`${kind}: a reset of one side is a reset for the other`, async () => {
    for (const dies of ['client', 'server'] as const) {
      const { rig, client, wire } = await session();
      client.write('up');
      await wire.takes('up');
      const [one, other] = dies === 'client' ? [client, wire] : [wire, client];
      one.reset();
      assert.equal(await other.over(), 'reset');
      await rig.everythingIsHome();
    }
  });

  test(`${kind}: a session in which nothing moves ends after the timeout`, async () => {
    const { rig, client, wire } = await session({ defaults: ' timeout client 400ms\n timeout server 400ms\n' });
    for (let count = 0; count < 5; count++) {
      wire.write('tick');
      await client.takes('tick');
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    await client.over();
    await wire.over();
    await rig.everythingIsHome();
  });

  test(`${kind}: a server that refuses is passed over; the client is reset when there is no other`, async () => {
    const server = await RawServer.start();
    const two = new ProxyRig(kind, [await nobody(), server], { mode: 'tcp' });
    for (let number = 0; number < 2; number++) {
      const client = await two.client();
      client.write('hello');
      const wire = await server.wire(number);
      await wire.takes('hello');
      wire.close();
    }
    await two.everythingIsHome();
    const one = new ProxyRig(kind, [await nobody()], { mode: 'tcp', backend: ' retries 0\n' });
    const client = await one.client();
    assert.equal(await client.over(), 'reset');
    await one.everythingIsHome();
  });

  test(`${kind}: a client that leaves before its server is connected leaves nothing behind`, async () => {
    const rig = new ProxyRig(kind, [await nobody()], { mode: 'tcp' });
    const client = await rig.client();
    await rig.until('it was tried', () => rig.client_count === 1 && rig.connectionsOf(0) === 0);
    client.reset();
    await rig.everythingIsHome();
  });
}
