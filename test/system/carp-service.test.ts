/** What a service on the VIP lives through: a router's two links, a frozen node, connections that must not hang. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { describe } from 'node:test';
import { now_ns } from '#src/system/clock.js';
import { type Carpool, eventually, needsNamespaces, type TestHost, TestNetwork, vip } from '../helpers/carp-network.js';
import { scene, startPair } from '../helpers/carp-pair.js';
import { carpOf } from '../helpers/carp-runner.js';
import { PATIENCE_MS } from '../helpers/patience.js';

const VIP = '10.44.0.50';
const NOBODY = 65534;

/** Two routers between two switches; each has a vhid on each side. */
async function startRouters(inside: TestNetwork, outside: TestNetwork) {
  const start = (name: string, number: number, advskew: number) => {
    const host = inside.addHost(name, `10.44.0.${number}`);
    const cable = outside.connect(host, 'eth1', `10.45.0.${number}`);
    const carpool = inside.startCarpool(host, [
      carpOf({ vhid: 1, advskew, preempt: true, addresses: [vip(VIP)] }),
      carpOf({ vhid: 2, advskew, preempt: true, interface: 'eth1', addresses: [vip('10.45.0.50')] }),
    ]);
    return { host, cable, carpool };
  };
  const a = start('a', 1, 0);
  await a.carpool.becomes('MASTER', PATIENCE_MS);
  const b = start('b', 2, 100);
  await b.carpool.becomes('BACKUP', PATIENCE_MS);
  return { a, b };
}

const holdsBoth = (host: TestHost) => host.has(VIP) && host.has('10.45.0.50');
const holdsNone = (host: TestHost) => !host.has(VIP) && !host.has('10.45.0.50');

describe('a router with a vhid on each of two links', { skip: needsNamespaces(), concurrency: 2 }, () => {
  for (const side of ['inside', 'outside'] as const) {
    scene(`gives both up when the link ${side} fails, and takes both back`, async (inside) => {
      const outside = new TestNetwork();
      try {
        const { a, b } = await startRouters(inside, outside);
        await eventually('a has both', 5000, () => holdsBoth(a.host) && holdsNone(b.host));
        const cable = side === 'inside' ? a.host : a.cable;
        cable.unplug();
        await eventually('b has both', 5000, () => holdsBoth(b.host) && holdsNone(a.host));
        cable.plug();
        await eventually('a has both again', 8000, () => holdsBoth(a.host) && holdsNone(b.host));
      } finally {
        await outside.close();
      }
    });
  }
});

describe('a node that stood still', { skip: needsNamespaces() }, () => {
  scene('for 10 s listens before it is MASTER again, though it is preferred, and then is so alone', async (network) => {
    const carp = (advskew: number) => carpOf({ vhid: 1, advskew, preempt: true, addresses: [vip(VIP)] });
    const { host_a, host_b, a, b } = await startPair(network, carp(0), carp(100));
    await a.signal('SIGSTOP');
    await b.becomes('MASTER', 5000);
    await new Promise((resolve) => setTimeout(resolve, 6500));
    const resumed_ns = a.signal('SIGCONT');
    await eventually('it preempts', 5000, () => a.states.length === 4 && b.state === 'BACKUP');
    const [, , stepped_back, preempted] = a.states;
    assert.deepEqual([stepped_back.state, preempted.state], ['BACKUP', 'MASTER']);
    // Its lease ran out meanwhile, so between the two it held nothing; b yields to the first advert.
    const overlap_ns = b.states.at(-1)!.at_ns - preempted.at_ns;
    assert.ok(stepped_back.at_ns > resumed_ns && overlap_ns < 50e6, `both were MASTER for ${overlap_ns / 1e6} ms`);
    assert.deepEqual([a.state, b.state], ['MASTER', 'BACKUP']);
    await eventually('one holder', 100, () => host_a.has(VIP) && !host_b.has(VIP));
  });
});

/** A TCP service on the VIP, run on the node, and a client that waits for its next word. Ends with the error it saw. */
async function connectTo(host: TestHost, client: TestHost): Promise<{ ended: Promise<number> }> {
  const serve = `require('net').createServer((s) => s.on('error', () => {})).listen(7777, '0.0.0.0', () => console.log('up'))`;
  const server = host.spawn(process.execPath, ['-e', serve]);
  await once(server.stdout!, 'data');
  const listen = `const s = require('net').connect(7777, '${VIP}', () => console.log('connected'));
    s.on('error', (error) => { console.log(error.code); process.exit(); });`;
  const child = client.spawn(process.execPath, ['-e', listen]);
  assert.equal(String((await once(child.stdout!, 'data'))[0]).trim(), 'connected');
  const signal = AbortSignal.timeout(PATIENCE_MS);
  const ended = once(child.stdout!, 'data', { signal }).then(([text]) => {
    assert.equal(String(text).trim(), 'ECONNRESET');
    return now_ns();
  });
  return { ended };
}

describe('connections to a VIP that moves', { skip: needsNamespaces(), concurrency: 2 }, () => {
  const connected = async (network: TestNetwork) => {
    const carp = (advskew: number) => carpOf({ vhid: 1, advskew, addresses: [vip(VIP)] });
    const { host_a, a, b } = await startPair(network, carp(0), carp(100));
    const { ended } = await connectTo(host_a, network.addHost('client', '10.44.0.9'));
    return { a, b, ended };
  };
  const lost: [string, (a: Carpool) => void][] = [
    ['by a graceful stop', (a) => a.signal('SIGTERM')],
    ['to a node that is asked to take over', (a) => a.post({ kind: 'yield', reason: 'a test' })],
  ];
  for (const [how, lose] of lost) {
    scene(`${how} end with an error at the client within 100 ms`, async (network) => {
      const { a, b, ended } = await connected(network);
      lose(a);
      await b.becomes('MASTER', 1000);
      const taken_ns = b.states.at(-1)!.at_ns;
      assert.ok((await ended) - taken_ns < 100e6);
    });
  }
});

describe('a carp thread that is not root any more', { skip: needsNamespaces() }, () => {
  scene('goes on for its life, also when its interface is deleted and made again', async (network) => {
    const host = network.addHost('a', '10.44.0.1');
    const carps = [carpOf({ vhid: 1, addresses: [vip(VIP), vip('2001:db8::50')], mac: 'virtual' })];
    const run_as = { uid: NOBODY, gid: NOBODY, groups: [] };
    const node = network.startCarpool(host, carps, { guardian: true, run_as });
    await node.becomes('MASTER', PATIENCE_MS);
    const leases = async () => (await node.status()).vhids[0].leases.length;
    assert.equal(await leases(), 2);
    network.replaceCable(host);
    await eventually('it is BACKUP anew', 2000, () => node.states.length === 4);
    await node.becomes('MASTER', 10_000);
    // longer than a lease: it renews
    for (const end_ns = now_ns() + 4e9; now_ns() < end_ns; await new Promise((resolve) => setTimeout(resolve, 50)))
      assert.ok(host.has(VIP) && host.has('2001:db8::50'));
    await node.kill('SIGTERM');
    assert.ok(!host.has(VIP) && !host.netlink.listLinks().some((link) => link.kind === 'macvlan'));
  });
});
