import assert from 'node:assert/strict';
import { closeSync } from 'node:fs';
import { describe, test } from 'node:test';
import type { Carp } from '#src/config/model.js';
import { type CarpHostCheck, checkCarpHost } from '#src/system/carp-host.js';
import { findSource6 } from '#src/system/carp-sources.js';
import { parseAddress } from '#src/system/ip-address.js';
import { createNetworkNamespace, insideNetworkNamespace } from '#src/system/namespaces.js';
import { type InterfaceAddress, Netlink } from '#src/system/netlink.js';
import { needsNamespaces, vip } from '../helpers/carp-network.js';
import { carpOf, configOf } from '../helpers/carp-runner.js';

/** The check on a host with eth0 (10.0.0.1/24), eth1 (10.1.0.1/16), eth2 (no address) and lo. */
function checkOn(fields: Partial<Carp>, ...others: readonly Carp[]): CarpHostCheck {
  const fd = createNetworkNamespace();
  try {
    return insideNetworkNamespace(fd, () => {
      const netlink = new Netlink();
      for (const [name, peer] of [
        ['eth0', 'eth1'],
        ['eth2', 'eth3'],
      ]) {
        netlink.createVeth({ name }, { name: peer });
      }
      const add = (name: string, bytes: number[], prefix_length: number) =>
        netlink.addAddress({ index: netlink.indexOf(name), bytes: Uint8Array.from(bytes), prefix_length });
      add('eth0', [10, 0, 0, 1], 24);
      add('eth1', [10, 1, 0, 1], 16);
      const carp = carpOf({ vhid: 1, addresses: [vip('10.0.0.50')], ...fields });
      const result = checkCarpHost(configOf([carp, ...others]));
      netlink.close();
      return result;
    });
  } finally {
    closeSync(fd);
  }
}

test('IPv6 adverts leave from a link-local address, or to a peer with a wider one from such a one', () => {
  const own = ['2001:db8::77', 'fe80::1', '2001:db8::1'].map((address, i) => ({
    address,
    bytes: parseAddress(address)!,
    flags: i === 0 ? 1 : 0, // a temporary one
  })) as unknown as InterfaceAddress[];
  assert.equal(findSource6(own), 'fe80::1');
  assert.equal(findSource6(own, ['10.0.0.2', 'fe80::2']), 'fe80::1');
  assert.equal(findSource6(own, ['2001:db8::2']), '2001:db8::1');
  assert.equal(findSource6(own.slice(1, 2), ['2001:db8::2']), 'fe80::1');
});

const codes = (result: CarpHostCheck) => result.diagnostics.map(({ code }) => code);

describe('the check of the host', { skip: needsNamespaces() }, () => {
  test('resolves a vhid to its MAC, its source address and its key', () => {
    const { diagnostics, vhids } = checkOn({ pass: 'pä', preempt: true });
    assert.deepEqual(diagnostics, []);
    const [vhid] = vhids;
    assert.equal(vhid.interface, 'eth0');
    assert.equal(vhid.source_address, '10.0.0.1');
    assert.equal(vhid.interface_mac.length, 6);
    assert.deepEqual([...vhid.key], [0x70, 0xc3, 0xa4]);
    assert.ok(vhid.preempt);
  });

  test('finds the interface whose subnet holds the first address', () => {
    assert.equal(checkOn({ interface: undefined }).vhids[0].interface, 'eth0');
    const other = checkOn({ interface: undefined, addresses: [vip('10.1.200.3')] });
    assert.equal(other.vhids[0].interface, 'eth1');
  });

  test('says when no subnet holds it', () => {
    const result = checkOn({ interface: undefined, addresses: [vip('192.0.2.1')] });
    assert.deepEqual(codes(result), ['interface-unknown']);
    assert.deepEqual(result.vhids, []);
  });

  test('names the interfaces that exist when one is missing', () => {
    const result = checkOn({ interface: 'eht0' });
    assert.deepEqual(codes(result), ['interface-missing']);
    assert.match(result.diagnostics[0].mend ?? '', /eth0.*eth1/);
  });

  test('refuses the loopback, and an interface without an address to send from', () => {
    assert.deepEqual(codes(checkOn({ interface: 'lo' })), ['interface-not-ethernet']);
    assert.deepEqual(codes(checkOn({ interface: 'eth2' })), ['interface-without-address']);
  });

  test('warns of a list of peers that was copied from the other node', () => {
    const result = checkOn({ peers: ['10.0.0.1', '10.0.0.2'] });
    assert.deepEqual(codes(result), ['peer-is-self']);
    assert.equal(result.vhids.length, 1);
    assert.deepEqual(codes(checkOn({ peers: ['10.0.0.2'] })), []);
  });

  test('refuses a vhid that meets another one of its number on an interface that only one of them names', () => {
    const other = carpOf({ name: 'other', vhid: 1, interface: undefined, addresses: [vip('10.0.0.51')] });
    const result = checkOn({}, other);
    assert.deepEqual([codes(result), result.vhids], [['duplicate-vhid'], []]);
    assert.deepEqual(codes(checkOn({}, { ...other, addresses: [vip('10.1.0.51')] })), []);
  });

  test('refuses a source address that another host has', () => {
    const result = checkOn({ source_address: '10.0.0.2' });
    assert.deepEqual(codes(result), ['source-address-elsewhere']);
    assert.deepEqual(result.vhids, []);
  });

  test("refuses an address that is the host's own", () => {
    assert.deepEqual(codes(checkOn({ addresses: [vip('10.0.0.1')] })), ['address-not-virtual']);
  });
});
