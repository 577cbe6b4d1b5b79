/** A data thread that stood still: what came meanwhile counts, whatever deadlines passed beside it. */
import { test } from 'node:test';
import { KINDS, ProxyRig } from './harness.js';
import { RawServer, response } from './wire.js';

const GET = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n';
const word = new Int32Array(new SharedArrayBuffer(4));

/** The whole process: proxy, clients and servers alike; what they have said is with the kernel. */
function standStill(for_ms: number): void {
  Atomics.wait(word, 0, 0, for_ms);
}

for (const kind of KINDS) {
  test(`${kind}: a place that became free meanwhile goes to who waits for it, though it waited too long`, async () => {
    const server = await RawServer.start();
    const rig = new ProxyRig(kind, [server], { server: 'maxconn 1', backend: ' timeout queue 1s\n' });
    const [first, second] = [await rig.client(), await rig.client()];
    first.write(GET);
    const wire = await server.asked(GET);
    second.write(GET);
    await rig.settle();
    wire.write(response('first'));
    standStill(1300);
    await first.takes('first');
    (await server.asked(GET)).write(response('second'));
    await second.takes('second');
    await rig.everythingIsHome();
  });

  test(`${kind}: answers that came meanwhile are heard, though few can be taken at once`, async () => {
    const server = await RawServer.start();
    const counts = { small_count: 64, large_count: 4, reserve: 4 };
    const rig = new ProxyRig(kind, [server], { counts, defaults: ' timeout server 1s\n' });
    const clients = await Promise.all(Array.from({ length: 30 }, () => rig.client()));
    for (const client of clients) client.write(GET);
    await rig.until('all have asked', () => server.wires.filter(({ text }) => text === GET).length === clients.length);
    for (const wire of server.wires) wire.write(response('x'.repeat(10_000)));
    standStill(1300);
    for (const client of clients) await client.takes('x'.repeat(10_000));
    await rig.everythingIsHome();
  });
}
