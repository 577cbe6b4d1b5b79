/** Two carpools that share IPv6 addresses, alone and beside IPv4, by multicast and from peer to peer. */
import assert from 'node:assert/strict';
import { describe } from 'node:test';
import type { Carp } from '#src/config/model.js';
import { always, eventually, needsNamespaces, type TestHost, type TestNetwork, vip } from '../helpers/carp-network.js';
import { type Pair, scene, startPair } from '../helpers/carp-pair.js';
import { carpOf } from '../helpers/carp-runner.js';
import { PATIENCE_MS } from '../helpers/patience.js';

const VIP4 = '10.44.0.50';
const VIP6 = '2001:db8::50';

const carp = (fields: Partial<Carp>) => carpOf({ vhid: 7, addresses: [vip(VIP4), vip(VIP6)], ...fields });

/** `fields` may differ by node. */
function startWith(network: TestNetwork, fields: (node: 'a' | 'b') => Partial<Carp>): Promise<Pair> {
  return startPair(network, carp(fields('a')), carp({ advskew: 100, ...fields('b') }));
}

const holds = (host: TestHost, vips: readonly string[]) => vips.every((address) => host.has(address));
const holdsNone = (host: TestHost, vips: readonly string[]) => !vips.some((address) => host.has(address));

describe('two carpools with IPv6', { skip: needsNamespaces(), concurrency: 2 }, () => {
  for (const [what, vips] of [
    ['both families', [VIP4, VIP6]],
    ['IPv6 alone', [VIP6]],
  ] as const) {
    scene(`${what}: a graceful stop hands the addresses over, and so does SIGKILL`, async (network) => {
      const { host_a, host_b, a, b } = await startWith(network, () => ({ addresses: vips.map(vip) }));
      assert.ok(holds(host_a, vips) && holdsNone(host_b, vips));
      const found = host_a.netlink.listAddresses().find((one) => one.address === VIP6)!;
      assert.deepEqual([found.prefix_length, found.tentative, found.preferred_s], [128, false, 0]);
      await a.kill('SIGTERM');
      await b.becomes('MASTER', 100);
      assert.ok(holdsNone(host_a, vips) && holds(host_b, vips));

      const again = network.startCarpool(host_a, [carpOf({ vhid: 7, advskew: 100, addresses: vips.map(vip) })]);
      await again.becomes('BACKUP', PATIENCE_MS);
      await again.hears(3000);
      await eventually('the guardian of b runs', PATIENCE_MS, () => b.guardianRuns());
      await b.kill('SIGKILL');
      await eventually('the addresses are gone', 200, () => holdsNone(host_b, vips));
      await again.becomes('MASTER', 200);
      assert.match(again.reason, /bow/);
    });
  }

  // The hosts' link-local addresses come from their MACs, 02:00 and the IPv4 address.
  for (const [what, address, source_a, source_b] of [
    ['IPv4', VIP4, '10.44.0.1', '10.44.0.2'],
    ['IPv6', VIP6, 'fe80::aff:fe2c:1', 'fe80::aff:fe2c:2'],
  ] as const) {
    scene(
      `unicast over ${what}: peers reach each other though no MAC is known, also from the grave`,
      async (network) => {
        const peers = (node: 'a' | 'b') => ({ peers: [node === 'a' ? source_b : source_a], addresses: [vip(address)] });
        const { host_a, host_b, a, b } = await startWith(network, peers);
        assert.equal((await b.status()).vhids[0].heard!.source, source_a);
        await a.kill('SIGKILL');
        await eventually('the address is gone', 200, () => !host_a.has(address));
        await b.becomes('MASTER', 200);
        assert.ok(host_b.has(address));
      },
    );
  }

  scene(
    'an interface that is deleted and made again is used again, with its new link-local address',
    async (network) => {
      const { host_a, a, b } = await startWith(network, (node) => ({ preempt: node === 'a' }));
      const before = (await b.status()).vhids[0].heard!;
      network.replaceCable(host_a);
      await eventually('a is BACKUP anew', 2000, () => a.states.length === 4);
      await a.becomes('MASTER', 10_000);
      await eventually('the addresses are there', 1000, () => holds(host_a, [VIP4, VIP6]));
      const sources = new Set<string>();
      for (let tries = 0; tries < 40 && !sources.has(linkLocal(host_a)); tries++) {
        const { heard } = (await b.status()).vhids[0];
        if (heard) sources.add(heard.source);
        await new Promise((resolve) => setTimeout(resolve, 100));
      }
      assert.ok(sources.has(linkLocal(host_a)), `heard ${[...sources]}, before ${before.source}`);
      await always('one MASTER', 1500, () => a.state === 'MASTER' && b.state === 'BACKUP');
    },
  );
});

function linkLocal(host: TestHost): string {
  return host.netlink.listAddresses().find((one) => one.address.startsWith('fe80'))?.address ?? 'none';
}
