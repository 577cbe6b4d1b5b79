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

const skip = process.getuid?.() === 0 ? false : 'makes namespaces in its own process, so it needs root';
const ANSWER_NS = 500e6;

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
function becomesTrue(isTrue: () => boolean): boolean {
  for (let tries = 0; tries < 300; tries++) {
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

test('a host that was removed can be connected anew', { skip }, () => {
  network.remove(b);
  b = network.connect('b', '10.10.0.12');
  assert.ok(becomesTrue(() => answers('10.10.0.12')));
});
