import assert from 'node:assert/strict';
import { closeSync } from 'node:fs';
import { describe, test } from 'node:test';
import type { VhidSettings } from '#src/carp/events.js';
import { createNetworkNamespace, insideNetworkNamespace } from '#src/system/namespaces.js';
import { decodeAddress, GROUP_IPV4_ADDRESS, Netlink, NetlinkEvents } from '#src/system/netlink.js';
import { RTM_DELADDR } from '#src/system/netlink-message.js';
import { CarpAddresses } from '#src/threads/carp-addresses.js';
import { needsNamespaces } from '../helpers/carp-network.js';

const A = '10.0.0.9';
const B = '10.0.0.10';

const vhid: VhidSettings = {
  interface: 'eth0',
  vhid: 1,
  key: new Uint8Array(0),
  addresses: [A, B],
  advbase: 1,
  advskew: 0,
  preempt: false,
  deadratio: 3,
  source_address: '10.0.0.1',
  interface_mac: new Uint8Array(6),
};

class Scene {
  readonly netlink = new Netlink();
  readonly events = new NetlinkEvents(GROUP_IPV4_ADDRESS);
  readonly errors: string[] = [];
  readonly addresses = new CarpAddresses(2, (text) => this.errors.push(text));
  readonly index: number;

  constructor() {
    this.netlink.createVeth({ name: 'eth0' }, { name: 'eth1' });
    this.index = this.netlink.indexOf('eth0');
    this.addresses.setIndex('eth0', this.index);
    this.addresses.configure([vhid], 0);
  }

  present(): string[] {
    return this.netlink.listAddresses().map((one) => one.address);
  }

  /** What others than us removed; '' where it was us. */
  losses(): string[] {
    const losses: string[] = [];
    this.events.read({
      message: (message) => {
        if (message.type === RTM_DELADDR) losses.push(this.addresses.onRemoved(decodeAddress(message)!)?.text ?? '');
      },
      lost: () => assert.fail('lost'),
    });
    return losses;
  }

  change(what: 'add' | 'remove'): void {
    this.addresses.change(0, vhid.addresses, what, 1);
    this.addresses.flush();
  }

  close(): void {
    this.addresses.close();
    this.events.close();
    this.netlink.close();
  }
}

function onHost(body: (scene: Scene) => void): void {
  const fd = createNetworkNamespace();
  const scene = insideNetworkNamespace(fd, () => new Scene());
  try {
    body(scene);
  } finally {
    scene.close();
    closeSync(fd);
  }
}

describe('the addresses of a vhid', { skip: needsNamespaces() }, () => {
  test('come and go together, and our own removal is no loss', () => {
    onHost((scene) => {
      scene.change('add');
      assert.deepEqual(scene.present(), [A, B]);
      assert.equal(scene.addresses.leases(0).length, 2);
      scene.change('remove');
      assert.deepEqual(scene.present(), []);
      assert.deepEqual(scene.losses(), ['', '']);
      assert.deepEqual(scene.errors, []);
    });
  });

  test('over IPv6 are used at once, or after the kernel asked for duplicates where the vhid says so', () => {
    const IFA_F_NODAD = 2;
    onHost(({ addresses, netlink }) => {
      const vhids = [
        { ...vhid, addresses: ['2001:db8::9'] },
        { ...vhid, vhid: 2, addresses: ['2001:db8::10'], dad: true },
      ];
      addresses.configure(vhids, 0);
      for (const [slot, { addresses: texts }] of vhids.entries()) addresses.change(slot, texts, 'add', 1);
      addresses.flush();
      const skips = (text: string) =>
        (netlink.listAddresses().find(({ address }) => address === text)!.flags & IFA_F_NODAD) !== 0;
      assert.deepEqual([skips('2001:db8::9'), skips('2001:db8::10')], [true, false]);
    });
  });

  test('are missed when somebody else removes one, though we removed and added it a moment before', () => {
    onHost((scene) => {
      scene.change('add');
      scene.change('remove');
      scene.change('add');
      scene.netlink.deleteAddress({ index: scene.index, bytes: Uint8Array.of(10, 0, 0, 10), prefix_length: 32 });
      assert.deepEqual(scene.losses(), ['', '', B]);
      assert.deepEqual(
        scene.addresses.leases(0).map(({ address }) => address),
        [A],
      );
    });
  });

  test('are compared with what is there when news were lost', () => {
    onHost((scene) => {
      scene.change('add');
      scene.netlink.deleteAddress({ index: scene.index, bytes: Uint8Array.of(10, 0, 0, 9), prefix_length: 32 });
      const missing = scene.addresses.findMissing(scene.netlink.listAddresses());
      assert.deepEqual(
        missing.map((address) => address.text),
        [A],
      );
    });
  });

  test('that an earlier run left are removed, other prefixes of the same address are not ours', () => {
    onHost((scene) => {
      const add = (last: number, prefix_length: number) =>
        scene.netlink.addAddress({ index: scene.index, bytes: Uint8Array.of(10, 0, 0, last), prefix_length });
      add(9, 32);
      add(10, 24);
      assert.deepEqual(scene.addresses.removeLeftovers(scene.netlink.listAddresses(), []), [`${A} on eth0`]);
      assert.deepEqual(scene.present(), [B]);
    });
  });

  test('what another process leaves to this one stays, and so does what this one leaves', () => {
    onHost((scene) => {
      scene.netlink.addAddress({ index: scene.index, bytes: Uint8Array.of(10, 0, 0, 9), prefix_length: 32 });
      assert.deepEqual(scene.addresses.removeLeftovers(scene.netlink.listAddresses(), [0]), []);
      scene.addresses.change(0, [A], 'add', 1);
      scene.addresses.flush();
      scene.addresses.leave(0);
      scene.addresses.removeAll(2);
      scene.addresses.flush();
      assert.ok(scene.present().includes(A));
      assert.equal(scene.addresses.anyHeld, false);
    });
  });

  test('stand on the interface once, also when a script added one of them with its own prefix, and all entries go', () => {
    onHost((scene) => {
      scene.change('add');
      scene.netlink.addAddress({ index: scene.index, bytes: Uint8Array.of(10, 0, 0, 9), prefix_length: 24 });
      scene.change('remove');
      assert.deepEqual(scene.present(), [A]);
      scene.addresses.removeEntries(0, scene.netlink.listAddresses());
      assert.deepEqual(scene.present(), []);
      assert.deepEqual(scene.losses(), ['', '', '']);
    });
  });

  test('follow a change of the configuration: what stays is not touched', () => {
    onHost((scene) => {
      scene.change('add');
      const C = '10.0.0.11';
      const slots = [{ ...vhid, addresses: [B, C] }];
      scene.addresses.configure(slots, 2);
      scene.addresses.change(0, [A], 'remove', 2);
      scene.addresses.change(0, [C], 'add', 2);
      scene.addresses.flush();
      scene.addresses.settle(slots);
      assert.deepEqual(scene.present(), [B, C]);
      assert.deepEqual(scene.losses(), ['']);
      assert.deepEqual(
        scene.addresses.leases(0).map(({ address, renewed_ns }) => [address, renewed_ns]),
        [
          [B, 1],
          [C, 2],
        ],
      );
    });
  });

  test('that cannot be added are reported in words and not counted as held', () => {
    onHost((scene) => {
      scene.addresses.setIndex('eth0', 98765);
      scene.change('add');
      assert.deepEqual(scene.addresses.leases(0), []);
      assert.match(scene.errors[0], /cannot add 10\.0\.0\.9 on eth0: ENODEV/);
    });
  });
});
