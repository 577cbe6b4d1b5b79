/** Clients that have a connection and little to say cost little, and are served like others when they speak. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ClientConnection, HEAD } from '#src/proxy/http/client-connection.js';
import { ParkedConnection } from '#src/proxy/http/parked-connection.js';
import { KINDS, ProxyRig } from '../harness.js';
import { RawServer, response } from '../wire.js';

const GET = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n';

for (const kind of KINDS) {
  /** A client that was served once and has been quiet since. */
  async function parkedClient(defaults?: string) {
    const server = await RawServer.start();
    const rig = new ProxyRig(kind, [server], defaults === undefined ? {} : { defaults });
    const client = await rig.client();
    client.write(GET);
    const wire = await server.asked(GET);
    wire.write(response('1'));
    await client.takes(response('1'));
    await rig.until('it is parked', () => countParked(rig) === 1);
    return { rig, server, client };
  }

  test(`${kind}: a client that was quiet for a while is served on its connection, again and again`, async () => {
    const { rig, server, client } = await parkedClient();
    for (const answer of ['2', '3']) {
      client.write(GET);
      const wire = await server.asked(GET);
      wire.write(response(answer));
      await client.takes(response(answer));
      assert.equal(rig.client_count, 1);
      if (answer === '2') await rig.until('it is parked again', () => countParked(rig) === 1);
    }
    await rig.everythingIsHome();
  });

  test(`${kind}: a parked client that leaves, or is quiet for too long, leaves nothing behind`, async () => {
    const leaving = await parkedClient();
    leaving.client.close();
    await leaving.rig.until('it is gone', () => leaving.rig.client_count === 0);
    await leaving.rig.everythingIsHome();
    const quiet = await parkedClient(' timeout http-keep-alive 1200ms\n');
    assert.equal(await quiet.client.over(), 'end');
    await quiet.rig.until('it is gone', () => quiet.rig.client_count === 0);
    await quiet.rig.everythingIsHome();
  });

  test(`${kind}: a thread that is told to stop closes parked clients`, async () => {
    const { rig, client } = await parkedClient();
    rig.proxy.drain();
    assert.equal(await client.over(), 'end');
    await rig.everythingIsHome();
  });

  test(`${kind}: heads that come byte by byte hold no buffer between two bytes`, async () => {
    const server = await RawServer.start();
    const rig = new ProxyRig(kind, [server]);
    const clients = await Promise.all(Array.from({ length: 20 }, () => rig.client()));
    for (let at = 0; at < GET.length; at++) {
      for (const client of clients) client.write(GET[at] as string);
      if (at === 0) await rig.until('all have begun', () => countHeads(rig) === clients.length);
      else if (at < GET.length - 1) await rig.until('no buffer is held', () => rig.buffersAway().small === 0);
    }
    for (const [number] of clients.entries()) {
      const wire = await server.asked(GET);
      wire.write(response(`${number}`));
    }
    const answers = await Promise.all(clients.map((client) => client.takesHead()));
    assert.ok(answers.every((answer) => answer.startsWith('HTTP/1.1 200')));
    await rig.everythingIsHome();
  });
}

function countParked(rig: ProxyRig): number {
  let count = 0;
  rig.reactor.forEachSocket(({ owner }) => {
    if (owner instanceof ParkedConnection) count++;
  });
  return count;
}

function countHeads(rig: ProxyRig): number {
  let count = 0;
  rig.reactor.forEachSocket(({ owner }) => {
    if (owner instanceof ClientConnection && owner.state === HEAD) count++;
  });
  return count;
}
