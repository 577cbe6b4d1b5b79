/** The kernel's side: namespaces, links, addresses and packet sockets, on networks that only this file sees. */
import assert from 'node:assert/strict';
import { closeSync, readlinkSync } from 'node:fs';
import { describe, test } from 'node:test';
import { gratuitousArp } from '#src/carp/announce.js';
import { createFrame, GROUP_IPV6, GROUP_MAC_IPV6 } from '#src/carp/frame.js';
import { AddressBatch, MAX_BATCH } from '#src/system/address-batch.js';
import { now_ns } from '#src/system/clock.js';
import { SystemError } from '#src/system/errors.js';
import { createNetworkNamespace, insideNetworkNamespace } from '#src/system/namespaces.js';
import { decodeAddress, GROUP_IPV4_ADDRESS, GROUP_LINK, Netlink, NetlinkEvents } from '#src/system/netlink.js';
import { type Message, RTM_DELADDR, RTM_NEWADDR, RTM_NEWLINK } from '#src/system/netlink-message.js';
import {
  arpRequests,
  FRAMES_AT_ONCE,
  ipv4Adverts,
  ipv6Adverts,
  PacketSocket,
  type PacketSocketOptions,
} from '#src/system/packet-socket.js';
import { PollSet } from '#src/system/poll-set.js';
import { RawIpSocket } from '#src/system/raw-ip-socket.js';
import { needsNamespaces } from '../helpers/carp-network.js';

const SECOND_NS = 1e9;
const EEXIST = 17;
const EADDRNOTAVAIL = 99;

/** Two namespaces and a cable between them, both ends up. */
function withCable(body: (a: End, b: End) => void): void {
  const [a, b] = [createNetworkNamespace(), createNetworkNamespace()];
  const [in_a, in_b] = [a, b].map((fd) => insideNetworkNamespace(fd, () => new Netlink()));
  try {
    in_a.createVeth({ name: 'eth0' }, { name: 'eth0', namespace_fd: b });
    const ends = [
      { namespace_fd: a, netlink: in_a, index: in_a.indexOf('eth0') },
      { namespace_fd: b, netlink: in_b, index: in_b.indexOf('eth0') },
    ];
    for (const { netlink, index } of ends) netlink.setLink(index, { up: true });
    body(ends[0], ends[1]);
  } finally {
    in_a.close();
    in_b.close();
    closeSync(a);
    closeSync(b);
  }
}

type End = { readonly namespace_fd: number; readonly netlink: Netlink; readonly index: number };

const vip = (index: number, last = 9) => ({
  index,
  bytes: Uint8Array.of(10, 0, 0, last),
  prefix_length: 32,
  lifetime_s: 2,
  noprefixroute: true,
  replace: true,
});

/** A CARP-like frame: Ethernet, an IPv4 header of 20 bytes with that protocol, 36 bytes. */
function frameOf(protocol: number): Uint8Array {
  const frame = new Uint8Array(70);
  frame.set([0x01, 0x00, 0x5e, 0x00, 0x00, 0x12, 2, 0, 0, 0, 0, 1, 0x08, 0x00, 0x45, 0, 0, 56]);
  frame[22] = 255;
  frame[23] = protocol;
  return frame;
}

/** Waits for a frame, a second at most; its length or -1. */
function receiveSoon(socket: PacketSocket): number {
  const length = socket.receive();
  if (length >= 0) return length;
  const poll = new PollSet(1);
  poll.add(socket.fd);
  const now = now_ns();
  poll.wait(now, now + SECOND_NS);
  poll.close();
  return socket.receive();
}

describe('namespaces', { skip: needsNamespaces() }, () => {
  test('a thread comes home from a namespace, also when its work throws', () => {
    const home = readlinkSync('/proc/thread-self/ns/net');
    const fd = createNetworkNamespace();
    assert.equal(readlinkSync('/proc/thread-self/ns/net'), home);
    assert.throws(() =>
      insideNetworkNamespace(fd, () => {
        assert.notEqual(readlinkSync('/proc/thread-self/ns/net'), home);
        throw new Error('inside');
      }),
    );
    assert.equal(readlinkSync('/proc/thread-self/ns/net'), home);
    closeSync(fd);
  });
});

describe('netlink', { skip: needsNamespaces() }, () => {
  test('a link is told, and reached by name', () => {
    withCable(({ netlink, index }) => {
      const link = netlink.findLink('eth0');
      assert.equal(link?.index, index);
      assert.equal(link?.kind, 'veth');
      assert.ok(link?.up);
      assert.equal(netlink.findLink('eth1'), undefined);
    });
  });

  test('what the kernel refuses is a SystemError with its name', () => {
    withCable(({ netlink }) => {
      assert.throws(
        () => netlink.createBridge({ name: 'eth0' }),
        (error) => error instanceof SystemError && error.errno === EEXIST,
      );
    });
  });

  test('links and addresses are heard as they change, except the types that nobody wants', () => {
    withCable((a, b) => {
      const events = insideNetworkNamespace(
        a.namespace_fd,
        () => new NetlinkEvents(GROUP_LINK | GROUP_IPV4_ADDRESS, [RTM_NEWADDR]),
      );
      a.netlink.addAddress(vip(a.index));
      b.netlink.setLink(b.index, { up: false });
      a.netlink.deleteAddress(vip(a.index));
      const seen = new Set<number>();
      let removed = '';
      const handler = {
        message: (message: Message) => {
          seen.add(message.type);
          if (message.type === RTM_DELADDR) removed = decodeAddress(message)!.address;
        },
        lost: () => assert.fail('lost'),
      };
      const poll = new PollSet(1);
      poll.add(events.fd);
      const end = now_ns() + 60 * SECOND_NS;
      while (!(seen.has(RTM_NEWLINK) && seen.has(RTM_DELADDR)) && now_ns() < end) {
        poll.wait(now_ns(), end);
        events.read(handler);
      }
      poll.close();
      events.close();
      assert.deepEqual([...seen].sort(), [RTM_NEWLINK, RTM_DELADDR]);
      assert.equal(removed, '10.0.0.9');
    });
  });
});

describe('lost news', { skip: needsNamespaces() }, () => {
  test('are told when more changed than the socket could hold', () => {
    withCable(({ namespace_fd, index }) => {
      const open = () => ({ events: new NetlinkEvents(GROUP_IPV4_ADDRESS), batch: new AddressBatch() });
      const { events, batch } = insideNetworkNamespace(namespace_fd, open);
      let lost = 0;
      const handler = { message: () => {}, lost: () => lost++ };
      for (let round = 0; lost === 0 && round < 200; round++) {
        for (let last = 0; !batch.full; last++) batch.add(vip(index, last));
        batch.flush();
        for (let last = 0; !batch.full; last++) batch.remove(vip(index, last));
        batch.flush();
        if (round % 50 === 49) while (events.read(handler));
      }
      assert.ok(lost > 0);
      events.close();
      batch.close();
    });
  });
});

describe('a macvlan', { skip: needsNamespaces() }, () => {
  const MAC = Uint8Array.of(0, 0, 0x5e, 0, 1, 42);

  test('has its own MAC, is down, gets no address by itself, and goes with its parent', () => {
    withCable(({ netlink, index }) => {
      netlink.createMacvlan({ name: 'carp42', mac: MAC }, index);
      const link = netlink.findLink('carp42')!;
      assert.deepEqual([link.kind, link.parent, link.mac, link.up], ['macvlan', index, MAC, false]);
      netlink.setLink(link.index, { no_ipv6_link_local: true });
      netlink.setLink(link.index, { up: true });
      assert.ok(!netlink.listAddresses().some((one) => one.index === link.index));
      netlink.deleteLink(index);
      assert.equal(netlink.findLink('carp42'), undefined);
    });
  });

  test('and its parent have IPv4 settings that are read and changed without /proc', () => {
    withCable(({ netlink, index }) => {
      const before = netlink.findLink('eth0')!.ipv4_conf;
      netlink.setLink(index, { ipv4_conf: { arp_ignore: 1, arp_announce: 2 } });
      const after = netlink.findLink('eth0')!.ipv4_conf;
      assert.deepEqual(after, { ...before, arp_ignore: 1, arp_announce: 2 });
      netlink.setLink(index, { ipv4_conf: before });
      assert.deepEqual(netlink.findLink('eth0')!.ipv4_conf, before);
    });
  });
});

describe('an IPv6 address', { skip: needsNamespaces() }, () => {
  test('is usable at once, and no source of the host’s own connections', () => {
    withCable(({ netlink, index }) => {
      const bytes = Uint8Array.of(0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 9);
      const request = { index, bytes, prefix_length: 128, noprefixroute: true, deprecated: true };
      netlink.addAddress({ ...request, lifetime_s: 5, replace: true });
      const [added] = netlink.listAddresses().filter((one) => one.address === '2001:db8::9');
      assert.deepEqual([added.tentative, added.preferred_s, added.valid_s], [false, 0, 5]);
      netlink.addAddress({ ...request, lifetime_s: 5, replace: true });
    });
  });
});

describe('an address batch', { skip: needsNamespaces() }, () => {
  test('adds, renews and removes many with one call, and says which failed', () => {
    withCable(({ namespace_fd, netlink, index }) => {
      const batch = insideNetworkNamespace(namespace_fd, () => new AddressBatch());
      for (let last = 0; !batch.full; last++) batch.add(vip(index, last));
      assert.equal(batch.flush(), MAX_BATCH);
      assert.ok(batch.results.every((error) => error === 0));
      assert.equal(netlink.listAddresses().filter((one) => one.prefix_length === 32).length, MAX_BATCH);
      batch.add(vip(index, 1));
      batch.remove(vip(index, 200));
      batch.remove(vip(index, 2));
      assert.equal(batch.flush(), 3);
      assert.deepEqual([...batch.results.subarray(0, 3)], [0, EADDRNOTAVAIL, 0]);
      assert.equal(batch.flush(), 0);
      batch.close();
    });
  });

  test('holds an address as long as it is renewed, and no longer than its lease', () => {
    withCable(({ namespace_fd, netlink, index }) => {
      const batch = insideNetworkNamespace(namespace_fd, () => new AddressBatch());
      const poll = new PollSet(1);
      const held = () => netlink.listAddresses().some((one) => one.address === '10.0.0.9');
      const start = now_ns();
      for (let now = start; now < start + 3 * SECOND_NS; now = now_ns()) {
        batch.add(vip(index));
        batch.flush();
        assert.ok(held());
        poll.wait(now, now + SECOND_NS / 2);
      }
      const renewed = now_ns();
      while (held() && now_ns() < renewed + 10 * SECOND_NS) poll.wait(now_ns(), now_ns() + 1e7);
      assert.ok(!held(), 'the kernel looks at leases once a second, a busy machine later');
      poll.close();
      batch.close();
    });
  });
});

describe('a raw IP socket', { skip: needsNamespaces() }, () => {
  test('sends a frame’s packet to a peer whose MAC nobody knows yet', () => {
    withCable((a, b) => {
      const address = (end: End, last: number) =>
        end.netlink.addAddress({ index: end.index, bytes: Uint8Array.of(10, 0, 0, last), prefix_length: 24 });
      address(a, 1);
      address(b, 2);
      const heard = insideNetworkNamespace(b.namespace_fd, () => new PacketSocket(b.index, ipv4Adverts()));
      const sender = insideNetworkNamespace(a.namespace_fd, () => new RawIpSocket(4, a.index));
      const [source, destination] = [1, 2].map((last) => Uint8Array.of(10, 0, 0, last));
      const nobody = new Uint8Array(6);
      const header = { destination_mac: nobody, source_mac: nobody, source, destination, tos: 0x10, id: 7 };
      const frame = createFrame(header);
      let length = -1;
      // The cable is new: the kernel's first question for the MAC may go nowhere.
      for (let tries = 0; tries < 4 && length < 0; tries++) {
        assert.equal(sender.send(frame), 0);
        length = receiveSoon(heard);
      }
      assert.equal(length, frame.length);
      assert.deepEqual(heard.frame.slice(14, frame.length), frame.slice(14));
      sender.close();
      heard.close();
    });
  });
});

describe('a packet socket', { skip: needsNamespaces() }, () => {
  test('hears protocol 112 from the other side, and neither other protocols nor itself', () => {
    withCable((a, b) => {
      const open = (end: End) =>
        insideNetworkNamespace(end.namespace_fd, () => new PacketSocket(end.index, ipv4Adverts()));
      const [here, there] = [open(a), open(b)];
      assert.equal(there.send(frameOf(17)), 0);
      assert.equal(there.send(frameOf(112)), 0);
      assert.equal(receiveSoon(here), 70);
      assert.deepEqual(here.frame.slice(0, 70), frameOf(112));
      assert.equal(here.receive(), -1);
      assert.equal(there.receive(), -1);
      here.close();
      there.close();
    });
  });

  test('hears a burst whole and in its order, then says that nothing waits', () => {
    withCable((a, b) => {
      const open = (end: End) =>
        insideNetworkNamespace(end.namespace_fd, () => new PacketSocket(end.index, ipv4Adverts()));
      const [here, there] = [open(a), open(b)];
      const numbers = Array.from({ length: 2 * FRAMES_AT_ONCE + 3 }, (_, number) => number);
      for (const number of numbers) {
        const frame = frameOf(112);
        frame[60] = number;
        assert.equal(there.send(frame), 0);
      }
      assert.ok(receiveSoon(here) > 0);
      const heard = [here.frame[60]];
      while (here.receive() > 0) heard.push(here.frame[60]);
      assert.deepEqual(heard, numbers);
      assert.equal(there.send(frameOf(112)), 0);
      assert.equal(receiveSoon(here), 70, 'and goes on hearing');
      here.close();
      there.close();
    });
  });

  test('for IPv6 hears protocol 112 to ff02::12 and no IPv4', () => {
    withCable((a, b) => {
      const open = (end: End, options: PacketSocketOptions) =>
        insideNetworkNamespace(end.namespace_fd, () => new PacketSocket(end.index, options));
      const [here, there] = [open(a, ipv6Adverts()), open(b, ipv4Adverts())];
      const source_mac = Uint8Array.of(2, 0, 0, 0, 0, 1);
      const source = Uint8Array.of(0xfe, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1);
      const header = { destination_mac: GROUP_MAC_IPV6, source_mac, source, destination: GROUP_IPV6, tos: 0, id: 0 };
      const frame = createFrame(header);
      assert.equal(there.send(frameOf(112)), 0);
      assert.equal(there.send(frame), 0);
      assert.equal(receiveSoon(here), frame.length);
      assert.deepEqual(here.frame.slice(0, frame.length), frame);
      assert.equal(here.receive(), -1);
      here.close();
      there.close();
    });
  });

  test('for ARP hears who asks for its addresses, and nobody else', () => {
    withCable((a, b) => {
      const open = (end: End, options: PacketSocketOptions) =>
        insideNetworkNamespace(end.namespace_fd, () => new PacketSocket(end.index, options));
      const targets = [1, 2, 3].map((last) => Uint8Array.of(10, 0, 0, last));
      const [here, there] = [open(a, arpRequests(targets)), open(b, ipv4Adverts())];
      const mac = Uint8Array.of(2, 0, 0, 0, 0, 1);
      const ask = (form: 'request' | 'reply', last: number) => gratuitousArp(form, mac, Uint8Array.of(10, 0, 0, last));
      for (const frame of [ask('request', 4), ask('reply', 1), frameOf(112)]) assert.equal(there.send(frame), 0);
      for (const last of [1, 3]) {
        assert.equal(there.send(ask('request', last)), 0);
        assert.ok(receiveSoon(here) >= 42);
        assert.equal(here.frame[41], last);
      }
      assert.equal(here.receive(), -1);
      here.close();
      there.close();
    });
  });

  test('says why a frame cannot leave', () => {
    withCable(({ namespace_fd, netlink, index }) => {
      const socket = insideNetworkNamespace(namespace_fd, () => new PacketSocket(index, ipv4Adverts()));
      netlink.setLink(index, { up: false });
      assert.notEqual(socket.send(frameOf(112)), 0);
      socket.close();
    });
  });

  test('is refused on an interface that is not there', () => {
    assert.throws(
      () => new PacketSocket(987654, ipv4Adverts()),
      (error) => error instanceof SystemError && error.code === 'ENODEV',
    );
  });
});
