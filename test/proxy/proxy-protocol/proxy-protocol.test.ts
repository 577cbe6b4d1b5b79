/** `send-proxy` and `accept-proxy` over real sockets. */
import assert from 'node:assert/strict';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import { encodeBinary } from '#src/proxy/proxy-protocol/header.js';
import { readHeader } from '#src/proxy/proxy-protocol/read-header.js';
import { KINDS, ProxyRig } from '../harness.js';
import { RawServer, response, type Wire } from '../wire.js';

const GET = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n';
const ENDS = { source: { address: '192.0.2.7', port: 5000 }, destination: { address: '198.51.100.9', port: 80 } };
const LINE = 'PROXY TCP4 192.0.2.7 198.51.100.9 5000 80\r\n';

for (const kind of KINDS) {
  const endsOf = (client: Wire, rig: ProxyRig) => {
    const { port, address } = client.socket.address() as AddressInfo;
    return { source: { address, port }, destination: { address: '127.0.0.1', port: rig.port } };
  };

  test(`${kind}: with send-proxy a connection begins with a line, and is its client's own`, async () => {
    const server = await RawServer.start();
    const rig = new ProxyRig(kind, [server], { server: 'send-proxy' });
    for (let number = 0; number < 2; number++) {
      const client = await rig.client();
      const { source } = endsOf(client, rig);
      for (const body of ['one', 'two']) {
        client.write(GET);
        const wire = await server.wire(number);
        if (body === 'one') await wire.takes(`PROXY TCP4 127.0.0.1 127.0.0.1 ${source.port} ${rig.port}\r\n`);
        assert.equal(await wire.takesHead(), GET);
        wire.write(response(body));
        await client.takes(body);
      }
    }
    assert.equal(server.wires.length, 2);
    await rig.everythingIsHome();
  });

  test(`${kind}: with send-proxy-v2 the header comes before anything that the client says, also in mode tcp`, async () => {
    for (const mode of ['http', 'tcp'] as const) {
      const server = await RawServer.start();
      const rig = new ProxyRig(kind, [server], { mode, server: 'send-proxy-v2 proxy-v2-options crc32c' });
      const client = await rig.client();
      if (mode === 'http') client.write(GET);
      const wire = await server.wire(0);
      const header = readHeader(await wire.takesBytes(35));
      assert.deepEqual(header, { length: 35, ends: endsOf(client, rig) });
      if (mode === 'tcp') client.write(GET);
      await wire.takes(GET);
      wire.write(response('x'));
      await client.takes('x');
      wire.close();
      await rig.everythingIsHome();
    }
  });

  test(`${kind}: with accept-proxy the announced address is the client's, for the server and for X-Forwarded-For`, async () => {
    const binary = Buffer.from(encodeBinary(ENDS, { crc32c: true, unique_id: undefined })).toString('latin1');
    for (const header of [LINE, binary]) {
      const server = await RawServer.start();
      const options = { bind: 'accept-proxy', defaults: ' option forwardfor\n', server: 'send-proxy' };
      const rig = new ProxyRig(kind, [server], options);
      const client = await rig.client();
      client.write(header + GET);
      const wire = await server.wire(0);
      await wire.takes(LINE);
      assert.match(await wire.takesHead(), /X-Forwarded-For: 192\.0\.2\.7\r\n/i);
      wire.write(response('x'));
      await client.takes('x');
      await rig.everythingIsHome();
    }
  });

  test(`${kind}: a header that comes byte by byte is a header, and mode tcp passes what follows`, async () => {
    const server = await RawServer.start();
    const rig = new ProxyRig(kind, [server], { bind: 'accept-proxy', mode: 'tcp', server: 'send-proxy' });
    const client = await rig.client();
    for (const byte of LINE) {
      client.write(byte);
      await rig.until('it left', () => client.socket.writableLength === 0);
    }
    client.write('hello');
    const wire = await server.wire(0);
    await wire.takes(`${LINE}hello`);
    wire.write('bye');
    await client.takes('bye');
    wire.close();
    await rig.everythingIsHome();
  });

  test(`${kind}: LOCAL and UNKNOWN are the connection itself`, async () => {
    const local = Buffer.from(encodeBinary(undefined, { crc32c: false, unique_id: undefined })).toString('latin1');
    for (const header of ['PROXY UNKNOWN\r\n', local]) {
      const server = await RawServer.start();
      const rig = new ProxyRig(kind, [server], { bind: 'accept-proxy', defaults: ' option forwardfor\n' });
      const client = await rig.client();
      client.write(header + GET);
      const wire = await server.wire(0);
      assert.match(await wire.takesHead(), /X-Forwarded-For: 127\.0\.0\.1\r\n/i);
      wire.write(response('x'));
      await client.takes('x');
      await rig.everythingIsHome();
    }
  });

  test(`${kind}: who sends no header, half of one, or nothing at all is closed, and no server hears of it`, async () => {
    for (const said of [GET, LINE.slice(0, 20), '', `\r\n${LINE}`]) {
      const server = await RawServer.start();
      const rig = new ProxyRig(kind, [server], { bind: 'accept-proxy', defaults: ' timeout client 200ms\n' });
      const client = await rig.client();
      if (said) client.write(said);
      await client.over();
      assert.equal(client.text, '');
      assert.equal(server.wires.length, 0);
      await rig.everythingIsHome();
    }
  });
}
