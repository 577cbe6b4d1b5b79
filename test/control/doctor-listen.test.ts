/** How the doctor asks who holds the addresses, with another machine that answers. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { DoctorVhid } from '#src/control/doctor/facts.js';
import { listenTo } from '#src/control/doctor/listen.js';
import { parseAddress } from '#src/system/ip-address.js';
import { insideNetworkNamespace } from '#src/system/namespaces.js';
import { eventually, needsNamespaces, TestNetwork } from '../helpers/carp-network.js';
import { PATIENCE_MS } from '../helpers/patience.js';

const VIPS = ['10.44.0.50', '2001:db8::50'];
const NOBODYS = '2001:db8::51';

const VHID: DoctorVhid = {
  name: 'web',
  vhid: 1,
  interface: 'eth0',
  addresses: [...VIPS, NOBODYS],
  advbase: 1,
  advskew: 0,
  mac: 'real',
  unicast: false,
  group: undefined,
  auth: undefined,
  live: undefined,
};

test('who holds an address answers over IPv4 and over IPv6', {
  skip: needsNamespaces(),
  timeout: PATIENCE_MS,
}, async () => {
  const network = new TestNetwork();
  try {
    const { link, netlink } = network.addHost('a', '10.44.0.1');
    const holder = network.addHost('b', '10.44.0.2').netlink;
    const index = holder.indexOf('eth0');
    for (const vip of VIPS) {
      const bytes = parseAddress(vip)!;
      holder.addAddress({ index, bytes, prefix_length: bytes.length * 8 });
    }
    const usable = () => netlink.listAddresses().some((one) => one.address.startsWith('fe80') && !one.tentative);
    await eventually('there is an address to ask from', 10_000, usable);
    const { asked, answers } = await insideNetworkNamespace(link.namespace_fd, () =>
      listenTo([VHID], netlink.listLinks(), netlink.listAddresses(), 700),
    );
    assert.deepEqual(asked, VHID.addresses);
    const found = answers.map(({ address, mac }) => [address, mac]).sort();
    assert.deepEqual(
      found,
      VIPS.map((vip) => [vip, '02:00:0a:2c:00:02']),
    );
  } finally {
    await network.close();
  }
});
