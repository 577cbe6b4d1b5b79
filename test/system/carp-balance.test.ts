/** Load sharing by ARP: two vhids with one address on two nodes, many clients, and what happens when a node dies. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { describe, test } from 'node:test';
import { eventually, needsNamespaces, type TestHost, TestNetwork, vip } from '../helpers/carp-network.js';
import { carpOf } from '../helpers/carp-runner.js';

const SHARED = '10.44.0.50';
const START_MS = 15_000;
const CLIENTS = Array.from({ length: 12 }, (_, number) => `10.44.0.${100 + number}`);
const MACS = ['00:00:5e:00:01:01', '00:00:5e:00:01:02'];

const carp = (vhid: number, advskew: number) =>
  carpOf({ vhid, advskew, addresses: [vip(SHARED)], balancing: 'arp', preempt: true, name: `vhid${vhid}` });

async function run(host: TestHost, command: string, ...args: string[]): Promise<string> {
  const child = host.spawn(command, args);
  let output = '';
  child.stdout!.on('data', (chunk) => (output += chunk));
  await once(child, 'close');
  return output;
}

/** Which MAC answered each client address; every client must get an answer. */
async function ask(client: TestHost): Promise<string[]> {
  const macs: string[] = [];
  for (const address of CLIENTS) {
    await run(client, 'ip', 'neigh', 'flush', 'all');
    const answers = await run(client, 'ping', '-c1', '-W1', '-I', address, SHARED);
    assert.match(answers, / 1 received/, `${address} gets no answer`);
    macs.push(/lladdr (\S+)/.exec(await run(client, 'ip', 'neigh', 'show', SHARED))?.[1] ?? 'none');
  }
  return macs;
}

describe('vhids that share an address', { skip: needsNamespaces() }, () => {
  test('share the clients, and one node serves all when the other dies', { timeout: 60_000 }, async () => {
    const network = new TestNetwork();
    try {
      const host_a = network.addHost('a', '10.44.0.1');
      const host_b = network.addHost('b', '10.44.0.2');
      const client = network.addHost('client', '10.44.0.9');
      const index = client.netlink.indexOf('eth0');
      for (const address of CLIENTS) {
        client.netlink.addAddress({ index, bytes: Uint8Array.from(address.split('.'), Number), prefix_length: 24 });
      }
      const a = network.startCarpool(host_a, [carp(1, 0), carp(2, 100)]);
      const b = network.startCarpool(host_b, [carp(1, 100), carp(2, 0)]);
      const masters = async (node: typeof a) =>
        (await node.status()).vhids.map(({ vhid, state }) => `${vhid} ${state}`).join(', ');
      await eventually('both run', START_MS, () => a.states.length > 0 && b.states.length > 0);
      for (let tries = 0; tries < 100; tries++) {
        const now = [await masters(a), await masters(b)];
        if (now[0] === '1 MASTER, 2 BACKUP' && now[1] === '1 BACKUP, 2 MASTER') break;
        assert.ok(tries < 99, now.join(' | '));
        await new Promise((resolve) => setTimeout(resolve, 100));
      }
      assert.equal(host_a.carrierOf(SHARED)?.name, 'lo');
      assert.equal(host_b.carrierOf(SHARED)?.name, 'lo');
      const shared = await ask(client);
      for (const mac of MACS) assert.ok(shared.includes(mac), `${mac} serves nobody: ${shared}`);
      assert.ok(
        shared.every((mac) => MACS.includes(mac)),
        `${shared}`,
      );

      await eventually('the guardian of a runs', START_MS, () => a.guardianRuns());
      await a.kill('SIGKILL');
      await eventually('the address is gone from a', 300, () => !host_a.has(SHARED));
      for (let tries = 0; (await masters(b)) !== '1 MASTER, 2 MASTER'; tries++) assert.ok(tries < 100);
      assert.deepEqual(await ask(client), shared, 'each client keeps its vhid');
    } finally {
      await network.close();
    }
  });
});
