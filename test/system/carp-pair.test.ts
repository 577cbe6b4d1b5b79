import assert from 'node:assert/strict';
import { test } from 'node:test';
import { eventually, needsNamespaces, TestNetwork, vip } from '../helpers/carp-network.js';
import { carpOf } from '../helpers/carp-runner.js';

const skip = needsNamespaces();
const VIP = '10.44.0.50';
const addresses = [vip(VIP)];

/** Two hosts; `a` is MASTER and `b` BACKUP, 100/256 s later. */
async function startPair() {
  const network = new TestNetwork();
  const hosts = { a: network.addHost('a', '10.44.0.1'), b: network.addHost('b', '10.44.0.2') };
  const a = network.startCarpool(hosts.a, [carpOf({ vhid: 1, addresses })]);
  await a.becomes('MASTER', 6000);
  const b = network.startCarpool(hosts.b, [carpOf({ vhid: 1, addresses, advskew: 100 })]);
  await b.becomes('BACKUP', 3000);
  await eventually('b hears a', 3000, () => hosts.a.has(VIP) && !hosts.b.has(VIP));
  return { network, hosts, a, b };
}

test('SIGKILL of the daemon takes its address off the living host at once, and the other node takes it', {
  skip,
}, async () => {
  const { network, hosts, a, b } = await startPair();
  try {
    await eventually('the guardian runs', 3000, () => a.guardian_pid > 0);
    const killed_ns = await a.kill('SIGKILL');
    const gone_ns = await eventually('the address is gone', 100, () => !hosts.a.has(VIP));
    const taken_ns = await b.becomes('MASTER', 500);
    console.log('gone', (gone_ns - killed_ns) / 1e6, 'taken', (taken_ns - killed_ns) / 1e6);
    assert.ok(hosts.b.has(VIP));
  } finally {
    await network.close();
  }
});
