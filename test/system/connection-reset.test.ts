/** Connections of an address that leaves, with Node's own sockets at both ends of a loopback of their own. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync } from 'node:fs';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { createInterface } from 'node:readline';
import { describe, test } from 'node:test';
import { now_ns } from '#src/system/clock.js';
import { ConnectionReset } from '#src/system/connection-reset.js';
import { parseAddress } from '#src/system/ip-address.js';
import { createNetworkNamespace, insideNetworkNamespace } from '#src/system/namespaces.js';
import { Netlink } from '#src/system/netlink.js';
import { needsNamespaces } from '../helpers/carp-network.js';
import { PATIENCE_MS } from '../helpers/patience.js';

const MS = 1e6;

/** A server on :: with one client of each family, which say how they end. */
const TWO_FAMILIES = `
  const net = require('net');
  const server = net.createServer((socket) => socket.on('error', () => {})).listen(0, '::', async () => {
    for (const [address, own] of [['2001:db8::77', '::1'], ['127.77.5.1', '127.0.0.1']]) {
      const client = net.connect({ port: server.address().port, host: address, localAddress: own });
      client.on('error', ({ code }) => console.log(address, code));
      await new Promise((resolve) => client.once('connect', resolve));
    }
    console.log('connected');
  });`;

/** A server on `address` with `count` clients. The whole of 127/8 is local, so every test has an address of its own. */
async function serve(address: string, count: number) {
  const server = createServer((socket) => socket.on('error', () => {}).pipe(socket));
  server.listen(0, address);
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  const clients = Array.from({ length: count }, () => connect(port, address));
  await Promise.all(clients.map((client) => once(client, 'connect')));
  const accepted = () => new Promise<number>((resolve) => server.getConnections((_, number) => resolve(number)));
  while ((await accepted()) < count) await new Promise(setImmediate);
  return { server, clients };
}

function end(server: Server, clients: readonly Socket[]): void {
  for (const client of clients) client.destroy();
  server.close();
}

const within = (ms: number) => now_ns() + ms * MS;

describe('resetting the connections of an address', { skip: needsNamespaces() }, () => {
  test('ends each with an error at the client, at once', async () => {
    const { server, clients } = await serve('127.77.1.1', 3);
    const resets = new ConnectionReset(now_ns);
    const errors = Promise.all(clients.map(async (client) => (await once(client, 'error'))[0].code));
    const start = now_ns();
    const outcome = resets.reset([parseAddress('127.77.1.1')!], 100, within(PATIENCE_MS));
    assert.deepEqual(outcome, { count: 3, incomplete: false });
    assert.deepEqual(await errors, ['ECONNRESET', 'ECONNRESET', 'ECONNRESET']);
    assert.ok(now_ns() - start < 30_000 * MS, 'no retransmission told them');
    resets.close();
    end(server, clients);
  });

  test('leaves connections of other addresses alone', async () => {
    const { server, clients } = await serve('127.77.2.1', 1);
    const resets = new ConnectionReset(now_ns);
    assert.deepEqual(resets.reset([parseAddress('127.77.2.2')!], 100, within(PATIENCE_MS)), {
      count: 0,
      incomplete: false,
    });
    const echo = once(clients[0], 'data');
    clients[0].write('still there');
    assert.equal(String((await echo)[0]), 'still there');
    resets.close();
    end(server, clients);
  });

  test('ends those of several addresses at once', async () => {
    const [one, other] = [await serve('127.77.4.1', 2), await serve('127.77.4.2', 2)];
    const clients = [...one.clients, ...other.clients];
    const errors = Promise.all(clients.map(async (client) => (await once(client, 'error'))[0].code));
    const resets = new ConnectionReset(now_ns);
    const addresses = ['127.77.4.1', '127.77.4.2', '127.77.4.3'].map((text) => parseAddress(text)!);
    assert.deepEqual(resets.reset(addresses, 100, within(PATIENCE_MS)), { count: 4, incomplete: false });
    assert.equal(new Set(await errors).size, 1);
    resets.close();
    end(one.server, one.clients);
    end(other.server, other.clients);
  });

  test('ends those of an IPv6 address, and of an IPv4 one at a socket that takes both families', async () => {
    const fd = createNetworkNamespace();
    const netlink = insideNetworkNamespace(fd, () => new Netlink());
    const index = netlink.indexOf('lo');
    netlink.setLink(index, { up: true });
    const wanted = parseAddress('2001:db8::77')!;
    netlink.addAddress({ index, bytes: wanted, prefix_length: 128 });
    const child = insideNetworkNamespace(fd, () => spawn(process.execPath, ['-e', TWO_FAMILIES]));
    const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
    assert.equal((await lines.next()).value, 'connected');
    const resets = insideNetworkNamespace(fd, () => new ConnectionReset(now_ns));
    assert.deepEqual(resets.reset([wanted], 100, within(PATIENCE_MS)), { count: 1, incomplete: false });
    assert.equal((await lines.next()).value, '2001:db8::77 ECONNRESET');
    assert.deepEqual(resets.reset([parseAddress('127.77.5.1')!], 100, within(PATIENCE_MS)), {
      count: 1,
      incomplete: false,
    });
    assert.equal((await lines.next()).value, '127.77.5.1 ECONNRESET');
    child.kill();
    resets.close();
    netlink.close();
    closeSync(fd);
  });

  test('stops at its bounds and says that it did', async () => {
    const { server, clients } = await serve('127.77.3.1', 4);
    for (const client of clients) client.on('error', () => {});
    const resets = new ConnectionReset(now_ns);
    assert.deepEqual(resets.reset([parseAddress('127.77.3.1')!], 2, within(PATIENCE_MS)), {
      count: 2,
      incomplete: true,
    });
    resets.close();
    end(server, clients);
  });

  test('ends what fits into one datagram also when its time was over before it began', async () => {
    const { server, clients } = await serve('127.77.6.1', 4);
    for (const client of clients) client.on('error', () => {});
    const resets = new ConnectionReset(now_ns);
    assert.equal(resets.reset([parseAddress('127.77.6.1')!], 100, now_ns() - 1).count, 4);
    resets.close();
    end(server, clients);
  });
});
