import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { test } from 'node:test';
import { peerAddress } from '#src/system/peer-address.js';

const descriptorOf = (socket: Socket) => (socket as unknown as { _handle: { fd: number } })._handle.fd;

for (const [host, from] of [
  ['127.0.0.1', '127.0.0.1'],
  ['127.0.0.1', '127.10.209.254'],
  ['::1', '::1'],
] as const) {
  test(`a client from ${from} is known by that address`, async (t) => {
    const server = createServer().listen(0, host);
    await once(server, 'listening');
    const client = connect({ host, port: (server.address() as AddressInfo).port, localAddress: from });
    const [accepted] = (await once(server, 'connection')) as [Socket];
    t.after(() => {
      client.destroy();
      server.close();
    });
    const peer = peerAddress(descriptorOf(accepted));
    assert.equal(Buffer.from(peer!.address).toString(), from);
    assert.equal(peer!.port, client.localPort);
  });
}
