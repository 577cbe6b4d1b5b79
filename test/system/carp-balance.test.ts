/** Load sharing by ARP and neighbour solicitations: two vhids with the same addresses on two nodes, many clients, and what happens when a node dies. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { describe, test } from 'node:test';
import { parseAddress } from '#src/system/ip-address.js';
import { eventually, needsNamespaces, type TestHost, TestNetwork, vip } from '../helpers/carp-network.js';
import { carpOf } from '../helpers/carp-runner.js';
import { PATIENCE_MS } from '../helpers/patience.js';

const SHARED = '10.44.0.50';
const SHARED6 = '2001:db8::50';
const CLIENTS = Array.from({ length: 12 }, (_, number) => `10.44.0.${100 + number}`);
const CLIENTS6 = Array.from({ length: 6 }, (_, number) => `2001:db8::1:${number + 1}`);
const MACS = ['00:00:5e:00:01:01', '00:00:5e:00:01:02'];

const carp = (vhid: number, advskew: number) =>
  carpOf({
    vhid,
    advskew,
    addresses: [vip(SHARED), vip(SHARED6)],
    balancing: 'arp',
    preempt: true,
    name: `vhid${vhid}`,
  });

async function run(host: TestHost, command: string, ...args: string[]): Promise<string> {
  const child = host.spawn(command, args);
  let output = '';
  child.stdout!.on('data', (chunk) => (output += chunk));
  await once(child, 'close');
  return output;
}

/** Which MAC answered each client address; every client must get an answer. */
async function ask(client: TestHost, shared: string, addresses: readonly string[]): Promise<string[]> {
  const macs: string[] = [];
  for (const address of addresses) {
    await run(client, 'ip', 'neigh', 'flush', 'all');
    const answers = await run(client, 'ping', '-c1', '-W1', '-I', address, shared);
    assert.match(answers, / 1 received/, `${address} gets no answer`);
    macs.push(/lladdr (\S+)/.exec(await run(client, 'ip', 'neigh', 'show', shared))?.[1] ?? 'none');
  }
  return macs;
}

function assertShared(macs: readonly string[]): void {
  assert.deepEqual([...new Set(macs)].sort(), MACS);
}

function addAddresses({ netlink }: TestHost, addresses: readonly string[], prefix_length: number): void {
  const index = netlink.indexOf('eth0');
  for (const address of addresses) netlink.addAddress({ index, bytes: parseAddress(address)!, prefix_length });
}

describe('vhids that share an address', { skip: needsNamespaces() }, () => {
  test('share the clients, and one node serves all when the other dies', { timeout: 2 * PATIENCE_MS }, async () => {
    const network = new TestNetwork();
    try {
      const host_a = network.addHost('a', '10.44.0.1');
      const host_b = network.addHost('b', '10.44.0.2');
      const client = network.addHost('client', '10.44.0.9');
      addAddresses(client, CLIENTS, 24);
      addAddresses(client, CLIENTS6, 64);
      addAddresses(host_a, ['2001:db8::a'], 64);
      addAddresses(host_b, ['2001:db8::b'], 64);
      const a = network.startCarpool(host_a, [carp(1, 0), carp(2, 100)]);
      const b = network.startCarpool(host_b, [carp(1, 100), carp(2, 0)]);
      const masters = async (node: typeof a) =>
        (await node.status()).vhids.map(({ vhid, state }) => `${vhid} ${state}`).join(', ');
      await eventually('both run', PATIENCE_MS, () => a.states.length > 0 && b.states.length > 0);
      for (let tries = 0; tries < 100; tries++) {
        const now = [await masters(a), await masters(b)];
        if (now[0] === '1 MASTER, 2 BACKUP' && now[1] === '1 BACKUP, 2 MASTER') break;
        assert.ok(tries < 99, now.join(' | '));
        await new Promise((resolve) => setTimeout(resolve, 100));
      }
      assert.equal(host_a.carrierOf(SHARED)?.name, 'lo');
      assert.equal(host_b.carrierOf(SHARED)?.name, 'lo');
      const [shared, shared6] = [await ask(client, SHARED, CLIENTS), await ask(client, SHARED6, CLIENTS6)];
      assertShared(shared);
      assertShared(shared6);

      await eventually('the guardian of a runs', PATIENCE_MS, () => a.guardianRuns());
      await a.kill('SIGKILL');
      await eventually('the address is gone from a', 300, () => !host_a.has(SHARED));
      for (let tries = 0; (await masters(b)) !== '1 MASTER, 2 MASTER'; tries++) assert.ok(tries < 100);
      assert.deepEqual(await ask(client, SHARED, CLIENTS), shared, 'each client keeps its vhid');
      assert.deepEqual(await ask(client, SHARED6, CLIENTS6), shared6, 'over IPv6, too');
    } finally {
      await network.close();
    }
  });
});
