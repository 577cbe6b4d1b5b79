/** Two carpools on one switch: what the kernel, the guardian and the carp thread do when something goes wrong. */
import assert from 'node:assert/strict';
import { describe } from 'node:test';
import { always, eventually, needsNamespaces, type TestNetwork, vip } from '../helpers/carp-network.js';
import { type Pair, scene, startPair } from '../helpers/carp-pair.js';
import { carpOf } from '../helpers/carp-runner.js';
import { PATIENCE_MS } from '../helpers/patience.js';

const VIP = '10.44.0.50';
const LEASE_MS = 2000;
/** The kernel looks at lifetimes when it wakes for them; measured 2.03 s. */
const LEASE_SLACK_MS = 500;
const GUARDIAN_MS = 100;

const carp = (fields = {}) => carpOf({ vhid: 1, addresses: [vip(VIP)], ...fields });

/** `a` holds the address alone; `b` would follow 100/256 s later. */
async function startWithHolder(network: TestNetwork): Promise<Pair> {
  const pair = await startPair(network, carp(), carp({ advskew: 100 }));
  await eventually('a holds the address alone', 3000, () => pair.host_a.has(VIP) && !pair.host_b.has(VIP));
  return pair;
}

describe('two carpools', { skip: needsNamespaces(), concurrency: 2 }, () => {
  scene(
    'SIGKILL of the daemon: the guardian deletes the address at once and the other node takes it',
    async (network) => {
      const { host_a, host_b, a, b } = await startWithHolder(network);
      await a.signal('SIGKILL');
      await eventually('the address is gone', GUARDIAN_MS, () => !host_a.has(VIP));
      await b.becomes('MASTER', GUARDIAN_MS);
      assert.match(b.reason, /bow/);
      assert.ok(host_b.has(VIP));
    },
  );

  scene('a graceful stop moves the address within 50 ms of the bow-out', async (network) => {
    const { host_a, host_b, a, b } = await startWithHolder(network);
    await a.signal('SIGTERM');
    await a.becomes('INIT', 1000);
    await b.becomes('MASTER', 50);
    await eventually('one holder', 50, () => host_b.has(VIP) && !host_a.has(VIP));
    await eventually('the daemon ends', 2000, () => a.exited);
    await eventually('its guardian ends', 2000, () => !a.guardianRuns());
  });

  scene(
    'SIGSTOP: the address is gone within the lease, and after SIGCONT the node listens before it asserts',
    async (network) => {
      const { host_a, host_b, a, b } = await startWithHolder(network);
      await a.signal('SIGSTOP');
      await eventually('the lease runs out', LEASE_MS + LEASE_SLACK_MS, () => !host_a.has(VIP));
      await b.becomes('MASTER', 4000);
      await a.signal('SIGCONT');
      await a.becomes('BACKUP', 1000);
      await always('b keeps the address alone', 2000, () => host_b.has(VIP) && !host_a.has(VIP));
    },
  );

  scene('without a guardian the lease ends what SIGKILL left', async (network) => {
    const host = network.addHost('a', '10.44.0.1');
    const a = network.startCarpool(host, [carp()], { guardian: false });
    await a.becomes('MASTER', PATIENCE_MS);
    await a.signal('SIGKILL');
    await eventually('the lease runs out', LEASE_MS + LEASE_SLACK_MS, () => !host.has(VIP));
  });

  scene('a control thread that hangs costs the address, and gets it back when it moves again', async (network) => {
    const { host_a, host_b, a, b } = await startWithHolder(network);
    a.post({ kind: 'hang' });
    await a.becomes('INIT', 4000);
    assert.match(a.reason, /control thread/);
    await b.becomes('MASTER', 1000);
    await eventually('one holder', 100, () => host_b.has(VIP) && !host_a.has(VIP));
    a.post({ kind: 'unhang' });
    await a.becomes('BACKUP', 4000);
  });

  scene('an address that somebody removed is there again at once', async (network) => {
    const { host_a, a } = await startWithHolder(network);
    const index = host_a.netlink.indexOf('eth0');
    host_a.netlink.deleteAddress({ index, bytes: Uint8Array.of(10, 44, 0, 50), prefix_length: 32 });
    await eventually('the address is back', 500, () => host_a.has(VIP));
    assert.equal(a.state, 'MASTER');
  });

  scene('a lost link means INIT at once; when it is back the node is BACKUP to the new MASTER', async (network) => {
    const { host_a, host_b, a, b } = await startWithHolder(network);
    host_a.unplug();
    await a.becomes('INIT', 200);
    await eventually('the address is gone', 100, () => !host_a.has(VIP));
    await b.becomes('MASTER', 4000);
    host_a.plug();
    await a.becomes('BACKUP', 1000);
    await always('b keeps the address alone', 2000, () => host_b.has(VIP) && !host_a.has(VIP));
  });

  scene('an interface that is set down costs the address, and gets no thread to spin', async (network) => {
    const { host_a, a, b } = await startWithHolder(network);
    const index = host_a.netlink.indexOf('eth0');
    host_a.netlink.setLink(index, { up: false });
    await a.becomes('INIT', 200);
    assert.match(a.reason, /eth0/);
    const before = a.cpu_ms();
    await b.becomes('MASTER', 4000);
    assert.ok(a.cpu_ms() - before < 500, 'it sleeps while the link is down');
    host_a.netlink.setLink(index, { up: true });
    await a.becomes('BACKUP', 2000);
    await a.hears(3000);
  });

  scene('an interface that is deleted and made again carries adverts again', async (network) => {
    const { host_b, a, b } = await startWithHolder(network);
    const known = b.states.length;
    network.replaceCable(host_b);
    await eventually('b goes to INIT and comes back', 2000, () => b.states.length === known + 2);
    assert.deepEqual(
      b.states.slice(known).map(({ state }) => state),
      ['INIT', 'BACKUP'],
    );
    const before = (await b.status()).vhids[0].received;
    await always('b stays BACKUP', 4500, () => b.state === 'BACKUP' && a.state === 'MASTER');
    assert.ok((await b.status()).vhids[0].received > before, 'b hears a on the new interface');
  });

  scene('another guardian takes over when the first was killed', async (network) => {
    const { host_a, a, b } = await startWithHolder(network);
    process.kill(a.guardian_pid, 'SIGKILL');
    const first = a.guardian_pid;
    await eventually('another guardian runs', PATIENCE_MS, () => a.guardian_pid !== first && a.guardianRuns());
    await a.signal('SIGKILL');
    await eventually('the address is gone', GUARDIAN_MS, () => !host_a.has(VIP));
    await b.becomes('MASTER', 500);
  });

  scene('the addresses of a killed run are removed at the start', async (network) => {
    const host = network.addHost('a', '10.44.0.1');
    const index = host.netlink.indexOf('eth0');
    host.netlink.addAddress({ index, bytes: Uint8Array.of(10, 44, 0, 50), prefix_length: 32 });
    const a = network.startCarpool(host, [carp()]);
    await eventually('the leftover is gone', PATIENCE_MS, () => !host.has(VIP));
    await a.becomes('MASTER', 5000);
    await eventually('the address is here', 100, () => host.has(VIP));
  });

  scene('status tells state, reason, master, intervals and leases', async (network) => {
    const { a, b } = await startWithHolder(network);
    const [vhid] = (await a.status()).vhids;
    assert.equal(vhid.state, 'MASTER');
    assert.equal(vhid.master, '10.44.0.1');
    assert.equal(vhid.interval_ms, 1000);
    assert.deepEqual(
      vhid.leases.map((lease) => lease.address),
      [VIP],
    );
    const [other] = (await b.status()).vhids;
    assert.equal(other.master, '10.44.0.1');
    assert.equal(other.heard_interval_ms, 1000);
    assert.deepEqual(other.leases, []);
    assert.ok((await a.status()).guardian);
  });
});
