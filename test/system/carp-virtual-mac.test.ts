/** The virtual MAC on real links: who answers, from which MAC, and what is left when a node stops or dies. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { describe } from 'node:test';
import type { Carp } from '#src/config/model.js';
import { eventually, needsNamespaces, type TestHost, vip } from '../helpers/carp-network.js';
import { scene, startPair } from '../helpers/carp-pair.js';
import { carpOf } from '../helpers/carp-runner.js';
import { PATIENCE_MS } from '../helpers/patience.js';

const VIP4 = '10.44.0.50';
const VIP6 = '2001:db8::50';
const VIRTUAL = '00:00:5e:00:01:07';

const carp = (fields: Partial<Carp> = {}) =>
  carpOf({ vhid: 7, mac: 'virtual', addresses: [vip(VIP4), vip(VIP6)], ...fields });

const macvlans = (host: TestHost) => host.netlink.listLinks().filter((link) => link.kind === 'macvlan');
const arpSettings = (host: TestHost) => {
  const { arp_ignore, arp_announce } = host.netlink.findLink('eth0')!.ipv4_conf;
  return { arp_ignore, arp_announce };
};

/** What a program prints on a host. */
async function run(host: TestHost, command: string, ...args: string[]): Promise<string> {
  const child = host.spawn(command, args);
  let output = '';
  child.stdout!.on('data', (chunk) => (output += chunk));
  await once(child, 'close');
  return output;
}

/** The MAC that a host has learned for an address after it asked. */
async function neighbour(host: TestHost, address: string): Promise<string> {
  await run(host, 'ping', '-c1', '-W1', address);
  return /lladdr (\S+)/.exec(await run(host, 'ip', 'neigh', 'show', address))?.[1] ?? 'none';
}

describe('the virtual MAC', { skip: needsNamespaces(), concurrency: 2 }, () => {
  scene('is what neighbours learn, and it stays when the address moves', async (network) => {
    const client = network.addHost('client', '10.44.0.9');
    const { host_a, host_b, a, b } = await startPair(network, carp(), carp({ advskew: 100 }));
    client.netlink.addAddress({ index: client.netlink.indexOf('eth0'), bytes: bytes6(9), prefix_length: 64 });
    assert.equal(host_a.carrierOf(VIP4)!.kind, 'macvlan');
    assert.equal(host_a.carrierOf(VIP6)!.kind, 'macvlan');
    assert.deepEqual(
      macvlans(host_b).map((link) => link.up),
      [false],
      'the link of a BACKUP is down',
    );
    assert.equal(await neighbour(client, VIP4), VIRTUAL);
    await a.kill('SIGTERM');
    await b.becomes('MASTER', 100);
    assert.match(await run(client, 'ping', '-c1', '-W1', VIP4), / 1 received/);
    assert.equal(await neighbour(client, VIP4), VIRTUAL);
    // nobody asks from a tentative address
    await eventually('the client’s IPv6 address is usable', 3000, () => !tentative(client));
    assert.equal(await neighbour(client, VIP6), VIRTUAL);
  });

  scene(
    'leaves no link and no setting behind, whether the node stops, or dies, or its guardian too',
    async (network) => {
      const host = network.addHost('a', '10.44.0.1');
      host.netlink.setLink(host.netlink.indexOf('eth0'), { ipv4_conf: { arp_ignore: 0, arp_announce: 1 } });
      const before = arpSettings(host);
      const isAsBefore = () =>
        macvlans(host).length === 0 && JSON.stringify(arpSettings(host)) === JSON.stringify(before);
      const start = async () => {
        const node = network.startCarpool(host, [carp()]);
        await node.becomes('MASTER', PATIENCE_MS);
        assert.deepEqual(arpSettings(host), { arp_ignore: 1, arp_announce: 2 });
        await eventually('the guardian runs', PATIENCE_MS, () => node.guardianRuns());
        return node;
      };
      await (await start()).kill('SIGTERM');
      assert.ok(isAsBefore(), 'after a stop');
      await (await start()).kill('SIGKILL');
      await eventually('all is as before', PATIENCE_MS, isAsBefore);
      const node = await start();
      process.kill(node.guardian_pid, 'SIGKILL');
      await node.kill('SIGKILL');
      assert.equal(macvlans(host).length, 1);
      const next = await start();
      assert.match(next.output, /removed what an earlier run left: carp7\./);
      await next.kill('SIGTERM');
      assert.ok(isAsBefore(), 'after a run that found leftovers');
    },
  );

  scene('follows an interface that is deleted and made again', async (network) => {
    const host = network.addHost('a', '10.44.0.1');
    const node = network.startCarpool(host, [carp()]);
    await node.becomes('MASTER', PATIENCE_MS);
    network.replaceCable(host);
    await eventually('it is BACKUP anew', 2000, () => node.states.length === 4);
    await node.becomes('MASTER', 10_000);
    await eventually('the addresses are there', 1000, () => host.has(VIP4) && host.has(VIP6));
    assert.equal(host.carrierOf(VIP4)!.parent, host.netlink.indexOf('eth0'));
  });
});

function bytes6(last: number): Uint8Array {
  return Uint8Array.of(0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, last);
}

function tentative(host: TestHost): boolean {
  return host.netlink.listAddresses().some((one) => one.tentative);
}
