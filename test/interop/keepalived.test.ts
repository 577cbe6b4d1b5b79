/** Foreign speakers of protocol 112 on the segment: a real keepalived with our id, and our own adverts coming back. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe } from 'node:test';
import { insideNetworkNamespace } from '#src/system/namespaces.js';
import { ipv4Adverts, PacketSocket } from '#src/system/packet-socket.js';
import {
  always,
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
import { needs, peerPath } from '../helpers/peers.js';

const VHID = 42;
const VIP = '10.44.0.50';

const carp = () => carpOf({ vhid: VHID, addresses: [vip(VIP)] });

/** VRRPv2 with our id, for an address of its own. Ends with `stop`. */
function startKeepalived(host: TestHost): { stop(): Promise<void> } {
  const folder = mkdtempSync(join(tmpdir(), 'carpool-keepalived-'));
  const file = join(folder, 'keepalived.conf');
  const instance = `state MASTER\ninterface eth0\nvirtual_router_id ${VHID}\npriority 150\nadvert_int 1`;
  writeFileSync(file, `vrrp_instance test {\n${instance}\nvirtual_ipaddress { 10.44.0.60/32 }\n}\n`);
  const pids = ['keepalived', 'vrrp'].flatMap((name) => [name === 'vrrp' ? '-r' : '-p', join(folder, `${name}.pid`)]);
  const child = host.spawn(peerPath('keepalived'), ['-n', '-P', '-f', file, ...pids]);
  return {
    async stop() {
      child.kill('SIGTERM');
      await eventually('keepalived ends', 10_000, () => child.exitCode !== null || child.signalCode !== null);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

async function startMaster(network: TestNetwork): Promise<Carpool> {
  const carpool = network.startCarpool(network.addHost('us', '10.44.0.1'), [carp()]);
  await carpool.becomes('MASTER', PATIENCE_MS);
  return carpool;
}

const has = (carpool: Carpool, text: RegExp) =>
  carpool.messages.some((message) => message.kind === 'log' && text.test(message.text));

describe('protocol 112 that is not our peer’s', { concurrency: 3 }, () => {
  const needsKeepalived = needsNamespaces() || needs('keepalived');

  scene(
    'a keepalived with our id is named, counted, and changes nothing',
    async (network) => {
      const carpool = await startMaster(network);
      const keepalived = startKeepalived(network.addHost('them', '10.44.0.2'));
      try {
        await eventually('the log names it', PATIENCE_MS, () => has(carpool, /VRRP/));
        const { vhids, counters, bad_sources } = await carpool.status();
        assert.deepEqual(
          vhids[0].troubles.map(({ kind }) => kind),
          ['vrrp'],
        );
        assert.ok(counters.dropped_vrrp > 0);
        assert.deepEqual(
          bad_sources.map(({ source, why }) => [source, why]),
          [['10.44.0.2', 'dropped_vrrp']],
        );
        assert.equal(carpool.state, 'MASTER');
      } finally {
        await keepalived.stop();
      }
    },
    { skip: needsKeepalived },
  );

  scene(
    'own adverts that a switch sends back, or somebody later, are counted and dropped',
    async (network) => {
      const carpool = await startMaster(network);
      const { link } = network.addHost('mirror', '10.44.0.3');
      const mirror = insideNetworkNamespace(link.namespace_fd, () => new PacketSocket(2, ipv4Adverts()));
      const heard: Uint8Array[] = [];
      const reflect = setInterval(() => {
        for (let length = mirror.receive(); length > 0; length = mirror.receive()) {
          const frame = mirror.frame.slice(0, length);
          heard.push(frame);
          mirror.send(frame);
          // and once more as from another host, which the digest does not notice
          const forged = frame.slice();
          forged.set([10, 44, 0, 3], 26);
          forged.fill(0, 24, 26);
          forged.set(headerChecksum(forged), 24);
          mirror.send(forged);
        }
      }, 5);
      try {
        await eventually('some came back', 8000, () => heard.length >= 3);
        await always('it stays MASTER', 1500, () => carpool.state === 'MASTER');
        const { counters, vhids } = await carpool.status();
        assert.ok(counters.dropped_own >= 3, `own: ${counters.dropped_own}`);
        assert.ok(counters.dropped_replay >= 3, `replays: ${counters.dropped_replay}`);
        assert.equal(vhids[0].heard, undefined);
      } finally {
        clearInterval(reflect);
        mirror.close();
      }
    },
    { skip: needsNamespaces() },
  );
});

function headerChecksum(frame: Uint8Array): [number, number] {
  let sum = 0;
  for (let at = 14; at < 34; at += 2) sum += (frame[at] << 8) | frame[at + 1];
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  return [(~sum >> 8) & 255, ~sum & 255];
}
