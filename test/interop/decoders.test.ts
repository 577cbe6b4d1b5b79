/** What tcpdump and tshark, who know CARP from its specification and not from us, make of our adverts. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { needsNamespaces, type TestHost, TestNetwork, vip } from '../helpers/carp-network.js';
import { carpOf } from '../helpers/carp-runner.js';
import { PATIENCE_MS } from '../helpers/patience.js';
import { needs, peerPath } from '../helpers/peers.js';

/** Adverts over IPv4, IPv6, to a peer, and from the virtual MAC: each vhid every 0.35 s or so. */
const CARPS = [
  carpOf({ vhid: 7, advbase: 0, advskew: 90, addresses: [vip('10.44.0.50'), vip('2001:db8::50')] }),
  carpOf({ vhid: 8, advbase: 0, advskew: 91, addresses: [vip('10.44.0.51')], peers: ['10.44.0.9'], name: 'peer' }),
  carpOf({ vhid: 9, advbase: 0, advskew: 92, addresses: [vip('10.44.0.52')], mac: 'virtual', name: 'virtual' }),
];
const FRAMES = 16;

const skip = needsNamespaces() || needs('tcpdump', 'tshark');

async function run(host: TestHost, command: string, ...args: string[]): Promise<string> {
  const child = host.spawn(command, args);
  let output = '';
  child.stdout!.on('data', (chunk) => (output += chunk));
  await once(child, 'close');
  return output;
}

describe('our adverts', { skip }, () => {
  const folder = mkdtempSync(join(tmpdir(), 'carpool-decoders-'));
  const file = join(folder, 'adverts.pcap');
  let network: TestNetwork;
  let listener: TestHost;

  before(
    async () => {
      network = new TestNetwork();
      listener = network.addHost('listener', '10.44.0.9');
      network.startCarpool(network.addHost('node', '10.44.0.1'), CARPS);
      const until = ['-c', String(FRAMES), 'ip proto 112 or ip6 proto 112'];
      await run(listener, peerPath('tcpdump'), '-Z', 'root', '-i', 'eth0', '-w', file, ...until);
    },
    { timeout: PATIENCE_MS },
  );

  after(async () => {
    await network.close();
    rmSync(folder, { recursive: true });
  });

  test('are CARP to tcpdump, and whole', async () => {
    const lines = (await run(listener, peerPath('tcpdump'), '-T', 'carp', '-n', '-vv', '-r', file)).split('\n');
    const adverts = lines.filter((line) => line.includes('CARPv2-advertise 36: vhid='));
    assert.equal(adverts.length, FRAMES);
    assert.ok(!lines.some((line) => /bad|\[\||wrong|truncated|unknown/i.test(line)), lines.join('\n'));
    for (const path of ['10.44.0.1 > 224.0.0.18: ', 'ff02::12: ', '10.44.0.1 > 10.44.0.9: ']) {
      assert.ok(
        adverts.some((line) => line.includes(path)),
        `nothing goes ${path}`,
      );
    }
    assert.ok(adverts.some((line) => line.includes('vhid=9 advbase=0 advskew=92 authlen=7')));
  });

  test('are CARP to tshark, without a complaint', async () => {
    const fields = ['frame.protocols', 'carp.vhid', 'carp.advskew', '_ws.malformed', '_ws.expert.message'];
    const columns = fields.flatMap((field) => ['-e', field]);
    const as_carp = ['-d', 'ip.proto==112,carp', '-r', file];
    const output = await run(listener, peerPath('tshark'), ...as_carp, '-T', 'fields', ...columns);
    const rows = output
      .trimEnd()
      .split('\n')
      .map((line) => line.split('\t'));
    assert.equal(rows.length, FRAMES);
    const skew: Record<string, string> = { 7: '90', 8: '91', 9: '92' };
    for (const [protocols, vhid, advskew, ...complaints] of rows) {
      assert.match(protocols, /:carp$/);
      assert.equal(advskew, skew[vhid]);
      assert.deepEqual(
        complaints.filter((text) => text !== ''),
        [],
      );
    }
    const whole = await run(listener, peerPath('tshark'), ...as_carp, '-V');
    assert.equal([...whole.matchAll(/Checksum: 0x[0-9a-f]{4} \[correct\]/g)].length, FRAMES);
  });
});
