/** Other settings on a live pair: never two masters, nothing that stays is touched. */
import assert from 'node:assert/strict';
import { describe } from 'node:test';
import type { Carp } from '#src/config/model.js';
import {
  type Carpool,
  eventually,
  needsNamespaces,
  type TestHost,
  type TestNetwork,
  vip,
} from '../helpers/carp-network.js';
import { scene } from '../helpers/carp-pair.js';
import { carpOf } from '../helpers/carp-runner.js';
import { PATIENCE_MS } from '../helpers/patience.js';

const OLD = '10.44.0.50';
const NEW = '10.44.0.51';

type Node = { readonly host: TestHost; readonly carpool: Carpool; readonly skew: number };

const carp = (node: Node | number, fields: Partial<Carp>) =>
  carpOf({ vhid: 1, advskew: typeof node === 'number' ? node : node.skew, addresses: [vip(OLD)], ...fields });

async function startPair(network: TestNetwork, fields: Partial<Carp>): Promise<[Node, Node]> {
  const start = (name: string, address: string, skew: number): Node => {
    const host = network.addHost(name, address);
    return { host, skew, carpool: network.startCarpool(host, [carp(skew, fields)]) };
  };
  const a = start('a', '10.44.0.1', 0);
  await a.carpool.becomes('MASTER', PATIENCE_MS);
  const b = start('b', '10.44.0.2', 100);
  await b.carpool.becomes('BACKUP', PATIENCE_MS);
  await b.carpool.hears(3000);
  return [a, b];
}

async function configure({ carpool }: Node, carps: readonly Carp[]): Promise<void> {
  const done = () => carpool.messages.filter((message) => message.kind === 'configured').length;
  const before = done();
  carpool.post({ kind: 'carps', carps });
  await eventually('it is configured', 2000, () => done() > before);
}

/** Two more adverts of the master authenticated. */
async function hearsAgain({ carpool }: Node): Promise<void> {
  const heard = new Set<number | undefined>();
  for (let tries = 0; tries < 50; tries++) {
    heard.add((await carpool.status()).vhids[0].heard?.at_ns);
    if (heard.size > 2) return;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  assert.fail('no adverts any more');
}

const states = (node: Node) => node.carpool.states.map(({ state }) => state);

describe('configuring a live pair', { skip: needsNamespaces(), concurrency: 3 }, () => {
  scene('the password changes node by node, without a second MASTER', async (network) => {
    const [a, b] = await startPair(network, { pass: 'old' });
    const accept = (pass: string) => ({ also_accept: [{ pass, addresses: undefined }] });
    for (const node of [a, b]) await configure(node, [carp(node, { pass: 'old', ...accept('new') })]);
    for (const node of [b, a]) {
      await configure(node, [carp(node, { pass: 'new', ...accept('old') })]);
      await hearsAgain(b);
    }
    for (const node of [a, b]) await configure(node, [carp(node, { pass: 'new' })]);
    await hearsAgain(b);
    assert.deepEqual(states(a), ['BACKUP', 'MASTER']);
    assert.deepEqual(states(b), ['BACKUP']);
  });

  scene('the addresses change node by node, without a second MASTER', async (network) => {
    const [a, b] = await startPair(network, {});
    const both = { addresses: [vip(OLD), vip(NEW)] };
    const accept = (addresses: string[]) => ({ also_accept: [{ pass: undefined, addresses }] });
    for (const node of [a, b]) await configure(node, [carp(node, accept([OLD, NEW]))]);
    for (const node of [b, a]) {
      await configure(node, [carp(node, { ...both, ...accept([OLD]) })]);
      await hearsAgain(b);
    }
    assert.ok(a.host.has(OLD) && a.host.has(NEW));
    assert.ok(!b.host.has(OLD) && !b.host.has(NEW));
    for (const node of [b, a]) await configure(node, [carp(node, { addresses: [vip(NEW)], ...accept([OLD, NEW]) })]);
    assert.ok(!a.host.has(OLD) && a.host.has(NEW));
    await hearsAgain(b);
    assert.deepEqual([states(a), states(b)], [['BACKUP', 'MASTER'], ['BACKUP']]);
  });

  scene('vhids come and go beside one that is MASTER, which keeps its address', async (network) => {
    const [a] = await startPair(network, {});
    const other = carpOf({ vhid: 2, addresses: [vip(NEW)] });
    await configure(a, [other, carp(a, {})]);
    await eventually('the new vhid holds its address', 6000, () => a.host.has(NEW));
    const configured = a.carpool.messages.filter((message) => message.kind === 'configured');
    assert.deepEqual(configured.at(-1)!.slots, [1, 0]);
    await configure(a, [carp(a, {})]);
    assert.ok(!a.host.has(NEW) && a.host.has(OLD));
    assert.deepEqual(
      (await a.carpool.status()).vhids.map(({ vhid }) => vhid),
      [1],
    );
  });

  scene('a MASTER that is killed bows out from the address that the interface has now', async (network) => {
    const [a, b] = await startPair(network, {});
    await eventually('the guardian of a runs', PATIENCE_MS, () => a.carpool.guardianRuns());
    const { netlink } = a.host;
    const index = netlink.indexOf('eth0');
    netlink.deleteAddress({ index, bytes: Uint8Array.of(10, 44, 0, 1), prefix_length: 24 });
    netlink.addAddress({ index, bytes: Uint8Array.of(10, 44, 0, 7), prefix_length: 24 });
    const source = async () => (await b.carpool.status()).vhids[0].heard!.source;
    for (let tries = 0; (await source()) !== '10.44.0.7'; tries++) {
      assert.ok(tries < 50, 'no advert from the new address');
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    await a.carpool.kill('SIGKILL');
    await b.carpool.becomes('MASTER', 1000);
    assert.match(b.carpool.reason, /10\.44\.0\.7/);
  });

  scene('a virtual MAC comes and goes on a MASTER', async (network) => {
    const host = network.addHost('a', '10.44.0.1');
    const node: Node = { host, skew: 0, carpool: network.startCarpool(host, [carp(0, {})]) };
    await node.carpool.becomes('MASTER', PATIENCE_MS);
    await configure(node, [carp(0, { mac: 'virtual' })]);
    assert.equal(host.carrierOf(OLD)?.kind, 'macvlan');
    assert.ok(host.carrierOf(OLD)!.up);
    await configure(node, [carp(0, {})]);
    assert.equal(host.carrierOf(OLD)?.name, 'eth0');
    assert.ok(!host.netlink.listLinks().some((link) => link.kind === 'macvlan'));
  });
});
