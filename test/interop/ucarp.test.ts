/**
 * The real ucarp as the other node. What it cannot do better is in its bounds: it hears adverts up to a second late
 * (pcap batches them), looks at its timers once an interval, and never bows out.
 */
import assert from 'node:assert/strict';
import { describe } from 'node:test';
import {
  always,
  type Carpool,
  eventually,
  needsNamespaces,
  type TestHost,
  type TestNetwork,
  type Ucarp,
  vip,
} from '../helpers/carp-network.js';
import { scene } from '../helpers/carp-pair.js';
import { carpOf } from '../helpers/carp-runner.js';
import { PATIENCE_MS } from '../helpers/patience.js';
import { needs } from '../helpers/peers.js';

const skip = needs('ucarp', 'ip') || needsNamespaces();
const VIP = '10.44.0.50';
const VHID = 7;
const CARPOOL_SKEW = 100;

/** CARP's master-down time of our node, and what it may take to act on it. */
const CARPOOL_TAKES_OVER_MS = 3000 + (CARPOOL_SKEW * 1000) / 256 + 200;
/** Measured 4.24 s at most with advskew 100. */
const UCARP_TAKES_OVER_MS = 5500;
/** An advert waits up to 1 s in its capture buffer. */
const UCARP_HEARS_MS = 1500;

type Pair = {
  readonly us: TestHost;
  readonly them: TestHost;
  readonly carpool: Carpool;
  readonly ucarp: Ucarp;
};

const ours = () => carpOf({ vhid: VHID, addresses: [vip(VIP)], advskew: CARPOOL_SKEW });

/** ucarp is MASTER, carpool BACKUP. */
async function startBehindUcarp(network: TestNetwork): Promise<Pair> {
  const us = network.addHost('us', '10.44.0.1');
  const them = network.addHost('them', '10.44.0.2');
  const ucarp = network.startUcarp(them, VIP, { vhid: VHID });
  await ucarp.becomes('MASTER', PATIENCE_MS);
  const carpool = network.startCarpool(us, [ours()]);
  await carpool.becomes('BACKUP', PATIENCE_MS);
  await carpool.hears(3000);
  return { us, them, carpool, ucarp };
}

/** carpool is MASTER, ucarp BACKUP. */
async function startBeforeUcarp(network: TestNetwork): Promise<Pair> {
  const us = network.addHost('us', '10.44.0.1');
  const them = network.addHost('them', '10.44.0.2');
  const carpool = network.startCarpool(us, [ours()]);
  await carpool.becomes('MASTER', PATIENCE_MS);
  const ucarp = network.startUcarp(them, VIP, { vhid: VHID, advskew: 200 });
  // A ucarp that hears nothing is MASTER after 3.8 s: after 5 s this one has heard us.
  await always('ucarp yields to carpool', 5000, () => ucarp.state !== 'MASTER' && us.has(VIP) && !them.has(VIP));
  return { us, them, carpool, ucarp };
}

function elapsed_ms(from_ns: number, to_ns: number): number {
  return (to_ns - from_ns) / 1e6;
}

describe('a carpool BACKUP behind a ucarp MASTER', { skip, concurrency: 5 }, () => {
  scene('takes over when the host of ucarp dies', async (network) => {
    const { us, them, carpool, ucarp } = await startBehindUcarp(network);
    them.cut();
    const dead_ns = await ucarp.kill('SIGKILL');
    const taken_ns = await carpool.becomes('MASTER', CARPOOL_TAKES_OVER_MS);
    assert.ok(elapsed_ms(dead_ns, taken_ns) < CARPOOL_TAKES_OVER_MS);
    assert.match(carpool.reason, /master/i);
    await eventually('the address is here', 100, () => us.has(VIP));
  });

  scene('takes over when ucarp is killed and leaves its address behind', async (network) => {
    const { us, carpool, ucarp } = await startBehindUcarp(network);
    await ucarp.kill('SIGKILL');
    await carpool.becomes('MASTER', CARPOOL_TAKES_OVER_MS);
    await eventually('the address is here', 100, () => us.has(VIP));
  });

  scene('takes over when ucarp is stopped, which it does without a word', async (network) => {
    const { us, them, carpool, ucarp } = await startBehindUcarp(network);
    await ucarp.kill('SIGTERM');
    await carpool.becomes('MASTER', CARPOOL_TAKES_OVER_MS);
    await eventually('the address is here alone', 100, () => us.has(VIP) && !them.has(VIP));
  });

  scene('takes over when the link of ucarp goes down, and there is one MASTER after it came back', async (network) => {
    const { us, them, carpool, ucarp } = await startBehindUcarp(network);
    them.unplug();
    await carpool.becomes('MASTER', CARPOOL_TAKES_OVER_MS);
    await ucarp.becomes('BACKUP', UCARP_HEARS_MS + 1000);
    them.plug();
    // ucarp sleeps up to 10 s while its carrier is gone, and is then BACKUP to whom it hears
    await always('carpool keeps the address alone', 4000, () => us.has(VIP) && !them.has(VIP));
    assert.equal(carpool.state, 'MASTER');
  });

  scene('preempts it when it is preferred and told to', async (network) => {
    const us = network.addHost('us', '10.44.0.1');
    const them = network.addHost('them', '10.44.0.2');
    const ucarp = network.startUcarp(them, VIP, { vhid: VHID, advskew: 50 });
    await ucarp.becomes('MASTER', PATIENCE_MS);
    const carpool = network.startCarpool(us, [carpOf({ vhid: VHID, addresses: [vip(VIP)], preempt: true })]);
    await carpool.becomes('MASTER', PATIENCE_MS);
    await ucarp.becomes('BACKUP', UCARP_HEARS_MS);
    await eventually('one holder', 500, () => us.has(VIP) && !them.has(VIP));
  });
});

describe('a ucarp BACKUP behind a carpool MASTER', { skip, concurrency: 4 }, () => {
  scene('takes over when the host of carpool dies', async (network) => {
    const { us, them, carpool, ucarp } = await startBeforeUcarp(network);
    us.cut();
    await carpool.kill('SIGKILL');
    await ucarp.becomes('MASTER', UCARP_TAKES_OVER_MS);
    await eventually('the address is there', 500, () => them.has(VIP));
  });

  scene('takes over at once when carpool is killed: its guardian bows out', async (network) => {
    const { us, them, carpool, ucarp } = await startBeforeUcarp(network);
    await eventually('the guardian runs', PATIENCE_MS, () => carpool.guardianRuns());
    await carpool.kill('SIGKILL');
    await eventually('the address is gone here', 100, () => !us.has(VIP));
    await ucarp.becomes('MASTER', UCARP_HEARS_MS);
    await eventually('the address is there', 500, () => them.has(VIP));
  });

  scene('takes over at once when carpool is stopped: it bows out', async (network) => {
    const { us, them, carpool, ucarp } = await startBeforeUcarp(network);
    await carpool.kill('SIGTERM');
    assert.ok(!us.has(VIP));
    await ucarp.becomes('MASTER', UCARP_HEARS_MS);
    await eventually('the address is there', 500, () => them.has(VIP));
  });

  scene('takes over when the link of carpool goes down; carpool is BACKUP when it comes back', async (network) => {
    const { us, them, carpool, ucarp } = await startBeforeUcarp(network);
    us.unplug();
    await carpool.becomes('INIT', 200);
    await eventually('carpool lets go', 100, () => !us.has(VIP));
    await ucarp.becomes('MASTER', UCARP_TAKES_OVER_MS);
    us.plug();
    await carpool.becomes('BACKUP', 1000);
    await carpool.hears(3000);
    await eventually('the address is there alone', 500, () => them.has(VIP) && !us.has(VIP));
  });
});

describe('a carpool and a ucarp that do not match', { skip, concurrency: 4 }, () => {
  for (const [what, fields] of [
    ['another password', { pass: 'another' }],
    ['another virtual address', { addresses: [vip('10.44.0.51')] }],
  ] as const) {
    scene(`do not believe each other with ${what}, and carpool counts it`, async (network) => {
      const ucarp = network.startUcarp(network.addHost('them', '10.44.0.2'), VIP, { vhid: VHID });
      const us = network.addHost('us', '10.44.0.1');
      const carpool = network.startCarpool(us, [{ ...ours(), ...fields }]);
      await ucarp.becomes('MASTER', PATIENCE_MS);
      await carpool.becomes('MASTER', PATIENCE_MS);
      const [vhid] = (await carpool.status()).vhids;
      assert.equal(vhid.heard, undefined);
      assert.ok(vhid.refused > 0, 'adverts were refused');
      await always('both stay MASTER', 2500, () => carpool.state === 'MASTER' && ucarp.state === 'MASTER');
    });
  }

  for (const [name, settings, words] of [
    ['over Ethernet broadcast (-M)', { broadcast: true }, ['-M']],
    ['in a multicast group of their own (--mcast)', { multicast_address: '239.192.1.7' }, ['--mcast=239.192.1.7']],
  ] as const) {
    scene(`hear each other ${name}, both ways`, async (network) => {
      const us = network.addHost('us', '10.44.0.1');
      const them = network.addHost('them', '10.44.0.2');
      const ucarp = network.startUcarp(them, VIP, { vhid: VHID, advskew: 200, words });
      await ucarp.becomes('MASTER', PATIENCE_MS);
      const carpool = network.startCarpool(us, [{ ...ours(), ...settings, preempt: true }]);
      await carpool.becomes('MASTER', PATIENCE_MS);
      await ucarp.becomes('BACKUP', UCARP_HEARS_MS + 1000);
      await eventually('the address is here alone', 1000, () => us.has(VIP) && !them.has(VIP));
    });
  }

  scene('do not hear each other in different multicast groups', async (network) => {
    const us = network.addHost('us', '10.44.0.1');
    const them = network.addHost('them', '10.44.0.2');
    const ucarp = network.startUcarp(them, VIP, { vhid: VHID, words: ['--mcast=239.192.1.7'] });
    await ucarp.becomes('MASTER', PATIENCE_MS);
    const carpool = network.startCarpool(us, [ours()]);
    await carpool.becomes('MASTER', PATIENCE_MS);
    assert.equal(ucarp.state, 'MASTER');
  });

  for (const [name, our_address, their_address] of [
    ['the higher address here', '10.44.0.9', '10.44.0.2'],
    ['the higher address there', '10.44.0.1', '10.44.0.8'],
  ]) {
    scene(`agree on one MASTER with equal settings, ${name}`, async (network) => {
      const us = network.addHost('us', our_address);
      const them = network.addHost('them', their_address);
      const carpool = network.startCarpool(us, [carpOf({ vhid: VHID, addresses: [vip(VIP)] })]);
      const ucarp = network.startUcarp(them, VIP, { vhid: VHID });
      await eventually('one is MASTER', PATIENCE_MS, () => carpool.state === 'MASTER' || ucarp.state === 'MASTER');
      const isAlone = () => us.has(VIP) !== them.has(VIP);
      await eventually('one holds the address', 3000, isAlone);
      await always('one holds the address', 4000, isAlone);
    });
  }
});
