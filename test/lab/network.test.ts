import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { after, before, test } from 'node:test';
import { Child } from '#src/lab/child.js';
import { type HostLink, INTERFACE, Network } from '#src/lab/network.js';
import { killAllInside, processesInside } from '#src/lab/processes.js';
import { type EchoReply, EchoSocket, echoTarget, waitReadable } from '#src/system/icmp.js';
import {
  createNetworkNamespace,
  currentNetworkNamespace,
  enterNetworkNamespace,
  insideNetworkNamespace,
} from '#src/system/namespaces.js';
import { Netlink } from '#src/system/netlink.js';
import { ipv4Adverts, PacketSocket } from '#src/system/packet-socket.js';
import { peerFrame } from '../carp/peer.js';
import { needs } from '../helpers/peers.js';

const skip = process.getuid?.() === 0 ? false : 'makes namespaces in its own process, so it needs root';
const ANSWER_NS = 500e6;
const HEARD_NS = 200e6;

let home: number;
let network: Network;
let a: HostLink;
let b: HostLink;

before(() => {
  if (skip) return;
  home = currentNetworkNamespace();
  enterNetworkNamespace(createNetworkNamespace());
  network = new Network({ address: '10.10.0.0', prefix_length: 16 });
  a = network.connect('a', '10.10.0.11');
  b = network.connect('b', '10.10.0.12');
});

after(() => {
  if (!skip) enterNetworkNamespace(home);
});

/** Whether the address answers an echo request from host a. */
function answers(address: string): boolean {
  const reply: EchoReply = { identifier: 0, sequence: 0, from: 0 };
  const socket = insideNetworkNamespace(a.namespace_fd, () => new EchoSocket());
  try {
    socket.send(echoTarget(address), 1, 1);
    waitReadable([socket.fd], ANSWER_NS);
    return socket.receive(reply);
  } finally {
    socket.close();
  }
}

/** The kernel tells its interfaces of a new carrier up to a second later. */
function becomesTrue(isTrue: () => boolean, most_tries = 300): boolean {
  for (let tries = 0; tries < most_tries; tries++) {
    if (isTrue()) return true;
    spawnSync('sleep', ['0.01']);
  }
  return false;
}

function hasCarrier(link: HostLink): boolean {
  return insideNetworkNamespace(link.namespace_fd, () => {
    const netlink = new Netlink();
    try {
      return netlink.findLink(INTERFACE)!.running;
    } finally {
      netlink.close();
    }
  });
}

test('hosts of one network reach each other', { skip }, () => {
  assert.ok(becomesTrue(() => answers('10.10.0.12')));
  assert.equal(answers('10.10.0.13'), false);
});

test('an unplugged host has no carrier; plugged in again it is reached', { skip }, () => {
  network.unplug(b);
  assert.ok(becomesTrue(() => !hasCarrier(b)));
  assert.equal(answers('10.10.0.12'), false);
  network.plug(b);
  assert.ok(becomesTrue(() => hasCarrier(b)));
  assert.ok(becomesTrue(() => answers('10.10.0.12')));
});

test('everything that runs on a host dies with it', { skip }, async () => {
  const sleepers = `${process.execPath} -e 'setTimeout(() => {}, 60000)' & wait`;
  const ended = new Promise<string>((resolve) => {
    new Child(b.namespace_fd, { command: 'sh', args: ['-c', sleepers], directory: '/', onEnd: resolve });
  });
  assert.ok(becomesTrue(() => processesInside(b.namespace_fd).length === 2));
  assert.equal(killAllInside(b.namespace_fd), 2);
  assert.equal(await ended, 'SIGKILL');
});

test('a cut port keeps its carrier and passes nothing', { skip }, () => {
  network.isolate(b);
  assert.equal(hasCarrier(b), true);
  assert.equal(answers('10.10.0.12'), false);
});

test('a cut port stays cut while its cable is pulled and plugged in again', { skip }, () => {
  network.unplug(b);
  assert.ok(becomesTrue(() => !hasCarrier(b)));
  network.plug(b);
  assert.ok(becomesTrue(() => hasCarrier(b)));
  assert.equal(answers('10.10.0.12'), false);
  network.rejoin(b);
  assert.ok(becomesTrue(() => answers('10.10.0.12')));
  network.unplug(b);
  network.isolate(b);
  network.plug(b);
  assert.ok(becomesTrue(() => hasCarrier(b)));
  assert.equal(answers('10.10.0.12'), false);
});

/** Whether an IPv4 advert of one host comes in at another. */
function hears(to: HostLink, from: HostLink): boolean {
  const [ear, mouth] = [to, from].map(({ namespace_fd }) =>
    insideNetworkNamespace(namespace_fd, () => {
      const netlink = new Netlink();
      const index = netlink.indexOf(INTERFACE);
      netlink.close();
      return new PacketSocket(index, ipv4Adverts());
    }),
  );
  const frame = peerFrame({ source: from.address, vhid: 1, advbase: 1, advskew: 0 });
  try {
    assert.equal(mouth!.send(frame), 0);
    waitReadable([ear!.fd], HEARD_NS);
    return ear!.receive() === frame.length;
  } finally {
    ear!.close();
    mouth!.close();
  }
}

test('a cut is one-way, and of one address family where it says so', { skip: skip || needs('nft') }, () => {
  network.rejoin(b);
  assert.ok(becomesTrue(() => hears(a, b) && hears(b, a), 20));
  network.change({ kind: 'cut', from: 'a', to: 'b', family: undefined });
  assert.deepEqual([hears(b, a), hears(a, b)], [false, true]);
  network.change({ kind: 'heal' });
  network.change({ kind: 'cut', from: undefined, to: 'a', family: 6 });
  assert.deepEqual([hears(b, a), hears(a, b)], [true, true]);
  network.change({ kind: 'cut', from: undefined, to: 'a', family: 4 });
  assert.deepEqual([hears(b, a), hears(a, b)], [true, false]);
  network.change({ kind: 'heal' });
  network.change({ kind: 'lose', percent: 100 });
  assert.deepEqual([hears(b, a), hears(a, b)], [false, false]);
  network.change({ kind: 'lose', percent: 0 });
  assert.deepEqual([hears(b, a), hears(a, b)], [true, true]);
});

test('a host that is connected anew is cut off still', { skip: skip || needs('nft') }, () => {
  network.change({ kind: 'cut', from: 'b', to: undefined, family: undefined });
  network.remove(b);
  b = network.connect('b', '10.10.0.12');
  assert.ok(becomesTrue(() => hears(b, a), 20));
  assert.equal(hears(a, b), false);
  network.change({ kind: 'heal' });
  assert.ok(becomesTrue(() => hears(a, b), 20));
});

test('a host that was removed can be connected anew', { skip }, () => {
  network.remove(b);
  b = network.connect('b', '10.10.0.12');
  assert.ok(becomesTrue(() => answers('10.10.0.12')));
});
