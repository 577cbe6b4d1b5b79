/** A server with `maxconn` serves no more than that; the others wait, in the order they came, in whatever thread. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CLIENT_ABORTS } from '#src/threads/counters.js';
import * as shared from '#src/threads/shared-memory.js';
import { KINDS, memoryOf, ProxyRig } from './harness.js';
import { type Backend, RawServer, response, type Wire } from './wire.js';

const get = (path: string) => `GET ${path} HTTP/1.1\r\nHost: a\r\n\r\n`;

for (const kind of KINDS) {
  test(`${kind}: requests beyond maxconn are served one after the other, in the order they came`, async () => {
    const server = await RawServer.start();
    const rig = new ProxyRig(kind, [server], { server: 'maxconn 1' });
    const first = await ask(rig, '/0');
    const wire = await server.asked(get('/0'));
    const waiting: Wire[] = [];
    for (let number = 1; number <= 4; number++) {
      waiting.push(await ask(rig, `/${number}`));
      await rig.until('it waits', () => queuedIn(rig) === number);
    }
    assert.equal(rig.connectionsOf(0), 1);
    wire.write(response('0'));
    await first.takes('0');
    for (const [index, client] of waiting.entries()) {
      const path = `/${index + 1}`;
      (await server.asked(get(path))).write(response(path));
      await client.takes(`\r\n\r\n${path}`);
      assert.equal(server.wires.filter(({ text }) => text !== '').length, 0, 'nobody else is served meanwhile');
    }
    assert.equal(rig.memory.words[rig.memory.backends + shared.BACKEND_QUEUED_MAX], 4);
    await rig.everythingIsHome();
  });

  test(`${kind}: who waits too long gets 503, and its place is the next one's`, async () => {
    const server = await RawServer.start();
    const rig = new ProxyRig(kind, [server], { server: 'maxconn 1', backend: ' timeout queue 200ms' });
    const first = await ask(rig, '/served');
    const wire = await server.asked(get('/served'));
    const late = await ask(rig, '/late');
    assert.match(await late.takesHead(), /^HTTP\/1\.1 503 /);
    assert.equal(queuedIn(rig), 0);
    wire.write(response('x'));
    await first.takesHead();
    await rig.everythingIsHome();
  });

  test(`${kind}: of those who wait the lowest class goes first, and of its members the lowest arrival with its offset`, async () => {
    const server = await RawServer.start();
    const rules = [
      ' http-request set-priority-class path,field(2,/)',
      ' http-request set-priority-offset int(-500000) if { path_end /early }',
      ' http-request set-priority-offset req.hdr(none)',
    ];
    const rig = new ProxyRig(kind, [server], { server: 'maxconn 1', backend: rules.join('\n') });
    const clients = [await ask(rig, '/0')];
    let wire = await server.asked(get('/0'));
    for (const [waiting, path] of ['/2', '/1', '/2/early', '/-9/late', '/nothing', '/1/early'].entries()) {
      clients.push(await ask(rig, path));
      await rig.until('it waits', () => queuedIn(rig) === waiting + 1);
    }
    for (const path of ['/-9/late', '/nothing', '/1/early', '/1', '/2/early', '/2']) {
      wire.write(response(''));
      wire = await server.asked(get(path));
    }
    wire.write(response(''));
    for (const client of clients) await client.takesHead();
    await rig.everythingIsHome();
  });

  test(`${kind}: a client that leaves the queue leaves nothing behind`, async () => {
    const server = await RawServer.start();
    const rig = new ProxyRig(kind, [server], { server: 'maxconn 1' });
    const first = await ask(rig, '/first');
    const wire = await server.asked(get('/first'));
    const leaver = await ask(rig, '/leaver');
    await rig.until('it waits', () => queuedIn(rig) === 1);
    const patient = await ask(rig, '/patient');
    await rig.until('both wait', () => queuedIn(rig) === 2);
    leaver.reset();
    await rig.until('it is gone', () => queuedIn(rig) === 1);
    wire.write(response('1'));
    await first.takes('\r\n\r\n1');
    (await server.asked(get('/patient'))).write(response('2'));
    await patient.takes('\r\n\r\n2');
    await rig.everythingIsHome();
  });

  test(`${kind}: a request that a hash binds waits for its server while another one is idle`, async () => {
    const servers = [await RawServer.start(), await RawServer.start()];
    const rig = new ProxyRig(kind, servers, { server: 'maxconn 1', backend: ' balance uri' });
    const first = await ask(rig, '/same');
    await rig.until('one serves', () => rig.connectionsOf(0) + rig.connectionsOf(1) === 1);
    const busy = rig.connectionsOf(0) === 1 ? 0 : 1;
    const wire = await (servers[busy] as RawServer).asked(get('/same'));
    const second = await ask(rig, '/same');
    await rig.until('it waits for that server', () => queuedAt(rig, busy) === 1);
    assert.equal(rig.connectionsOf(1 - busy), 0);
    wire.write(response('1'));
    await first.takes('\r\n\r\n1');
    (await (servers[busy] as RawServer).asked(get('/same'))).write(response('2'));
    await second.takes('\r\n\r\n2');
    await rig.everythingIsHome();
  });

  test(`${kind}: maxqueue refuses at once what would wait too long`, async () => {
    const server = await RawServer.start();
    const rig = new ProxyRig(kind, [server], { server: 'maxconn 1 maxqueue 1', backend: ' balance source' });
    const first = await ask(rig, '/');
    const wire = await server.asked(get('/'));
    const second = await ask(rig, '/2');
    await rig.until('it waits', () => queuedAt(rig, 0) === 1);
    const third = await ask(rig, '/3');
    assert.match(await third.takesHead(), /^HTTP\/1\.1 503 /);
    wire.write(response('1'));
    await first.takes('\r\n\r\n1');
    (await server.asked(get('/2'))).write(response('2'));
    await second.takes('\r\n\r\n2');
    await rig.everythingIsHome();
  });

  test(`${kind}: who waits for a server that goes down gets another one`, async () => {
    const servers = [await RawServer.start(), await RawServer.start()];
    const rig = new ProxyRig(kind, servers, { server: 'maxconn 1', backend: ' balance uri' });
    const first = await ask(rig, '/same');
    await rig.until('one serves', () => rig.connectionsOf(0) + rig.connectionsOf(1) === 1);
    const busy = rig.connectionsOf(0) === 1 ? 0 : 1;
    const second = await ask(rig, '/same');
    await rig.until('it waits for that server', () => queuedAt(rig, busy) === 1);
    rig.setServer(busy, false);
    (await (servers[1 - busy] as RawServer).asked(get('/same'))).write(response('2'));
    await second.takes('\r\n\r\n2');
    (await (servers[busy] as RawServer).asked(get('/same'))).write(response('1'));
    await first.takes('\r\n\r\n1');
    await rig.everythingIsHome();
  });

  test(`${kind}: who waits for any server gets the one that comes up`, async () => {
    const servers = [await RawServer.start(), await RawServer.start()];
    const rig = new ProxyRig(kind, servers, { server: 'maxconn 1' });
    rig.setServer(1, false);
    const first = await ask(rig, '/1');
    const wire = await (servers[0] as RawServer).asked(get('/1'));
    const second = await ask(rig, '/2');
    await rig.until('it waits', () => queuedIn(rig) === 1);
    rig.setServer(1, true);
    (await (servers[1] as RawServer).asked(get('/2'))).write(response('2'));
    await second.takes('\r\n\r\n2');
    wire.write(response('1'));
    await first.takes('\r\n\r\n1');
    await rig.everythingIsHome();
  });

  test(`${kind}: threads share a server's places, and who came first is first in whatever thread`, async () => {
    const server = await RawServer.start();
    const lent: Backend = { port: server.port, closeAll: () => {}, stop: async () => {} };
    const memory = memoryOf([1], 2);
    const options = { server: 'maxconn 1', memory };
    const rigs = [new ProxyRig(kind, [server], options), new ProxyRig(kind, [lent], { ...options, thread: 1 })];
    const [here, there] = rigs as [ProxyRig, ProxyRig];
    const first = await ask(here, '/0');
    const wire = await server.asked(get('/0'));
    const waiting: Wire[] = [];
    for (const [index, rig] of [there, here, there, there, here].entries()) {
      waiting.push(await ask(rig, `/${index + 1}`));
      await rig.until('it waits', () => queuedIn(rig) === index + 1);
      await rig.until('a millisecond has passed', later(rig));
    }
    wire.write(response('0'));
    await first.takes('\r\n\r\n0');
    for (const [index, client] of waiting.entries()) {
      const path = `/${index + 1}`;
      (await server.asked(get(path))).write(response(path));
      await client.takes(`\r\n\r\n${path}`);
    }
    server.closeAll();
    for (const client of [first, ...waiting]) client.close();
    await here.until('all clients are gone', () => here.proxy.all_clients === 0);
    await there.everythingIsHome();
    await here.everythingIsHome();
  });

  test(`${kind}: TCP sessions wait as well, and those whose client has gone do not`, async () => {
    const server = await RawServer.start();
    const rig = new ProxyRig(kind, [server], { server: 'maxconn 1', mode: 'tcp' });
    const first = await rig.client();
    first.write('first');
    const wire = await server.asked('first');
    const leaver = await rig.client();
    await rig.until('it waits', () => queuedIn(rig) === 1);
    const patient = await rig.client();
    patient.write('patient');
    await rig.until('both wait', () => queuedIn(rig) === 2);
    leaver.reset();
    await rig.until('it is gone', () => queuedIn(rig) === 1);
    const speaker = await rig.client();
    speaker.write('who speaks first');
    await rig.until('it waits', () => queuedIn(rig) === 2);
    speaker.write(', and more');
    await rig.until('a few milliseconds have passed', later(rig));
    const aborts = rig.proxy.backends[0]!.counters[CLIENT_ABORTS]!;
    speaker.reset();
    await rig.until('it is gone, too', () => queuedIn(rig) === 1);
    await rig.until('it is counted', () => rig.proxy.backends[0]!.counters[CLIENT_ABORTS] === aborts + 1);
    wire.close();
    first.close();
    const next = await server.asked('patient');
    next.write('served');
    await patient.takes('served');
    next.close();
    await rig.everythingIsHome();
  });
}

async function ask(rig: ProxyRig, path: string): Promise<Wire> {
  const client = await rig.client();
  client.write(get(path));
  return client;
}

/** Arrival is told apart by milliseconds. */
function later(rig: ProxyRig): () => boolean {
  const { now_ms } = rig.reactor;
  return () => rig.reactor.now_ms > now_ms;
}

function queuedIn({ memory }: ProxyRig): number {
  return memory.words[shared.backendAt(memory, 0) + shared.BACKEND_QUEUED] as number;
}

function queuedAt({ memory }: ProxyRig, server: number): number {
  return memory.words[shared.serverAt(memory, server) + shared.SERVER_QUEUED] as number;
}
