/** The PROXY protocol with HAProxy on the other side, as the one that is told and as the one that tells. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { encodeBinary } from '#src/proxy/proxy-protocol/header.js';
import { startHaproxy } from '../helpers/haproxy.js';
import { needs } from '../helpers/peers.js';
import { freePort } from '../helpers/ports.js';
import { KINDS, ProxyRig, type ProxyRig as Rig } from '../proxy/harness.js';
import { type Backend, RawServer, response, Wire } from '../proxy/wire.js';

const GET = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n';
const OTHERS: Pick<Backend, 'closeAll' | 'stop'> = { closeAll: () => {}, stop: async () => {} };

for (const kind of KINDS) {
  test(`${kind}: HAProxy understands each header of ours`, { skip: needs('haproxy') }, async (t) => {
    const told = await freePort();
    const ends = '%[src] %[src_port] %[dst_port] %[fc_pp_unique_id]%[fc_pp_authority]';
    const answer = `http-request return status 200 hdr x-ends "${ends}"`;
    await startHaproxy(t, [[`bind 127.0.0.1:${told} accept-proxy`, answer]]);
    for (const words of ['send-proxy', 'send-proxy-v2', 'send-proxy-v2 proxy-v2-options crc32c', 'send-proxy-v2-ssl']) {
      const rig: Rig = new ProxyRig(kind, [{ port: told, ...OTHERS }], { server: words });
      const client = await rig.client();
      const address = client.socket.address() as { port: number };
      client.write(GET);
      assert.match(await client.takesHead(), new RegExp(`x-ends: 127\\.0\\.0\\.1 ${address.port} ${rig.port} `), words);
      client.close();
      await rig.until('the client is gone', () => rig.client_count === 0);
      rig.proxy.retire();
      await rig.everythingIsHome();
    }
  });

  test(`${kind}: the name that a client asked for is passed on`, { skip: needs('haproxy') }, async (t) => {
    const told = await freePort();
    const answer = 'http-request return status 200 hdr x-name "%[fc_pp_authority]"';
    await startHaproxy(t, [[`bind 127.0.0.1:${told} accept-proxy`, answer]]);
    const words = 'send-proxy-v2 proxy-v2-options authority,crc32c';
    const rig = new ProxyRig(kind, [{ port: told, ...OTHERS }], { server: words, bind: 'accept-proxy' });
    const client = await rig.client();
    const place = { address: '127.0.0.1', port: 4711 };
    const authority = Buffer.from('www.example.org');
    const header = encodeBinary(
      { source: place, destination: place },
      { crc32c: true, unique_id: undefined, authority },
    );
    client.write(Buffer.concat([header, Buffer.from(GET)]));
    assert.match(await client.takesHead(), /x-name: www\.example\.org\r\n/);
    client.close();
    await rig.until('the client is gone', () => rig.client_count === 0);
    rig.proxy.retire();
    await rig.everythingIsHome();
  });

  test(`${kind}: of clients without TLS it says what HAProxy says`, { skip: needs('haproxy') }, async (t) => {
    for (const words of ['send-proxy-v2-ssl', 'send-proxy-v2-ssl-cn', 'send-proxy-v2 proxy-v2-options ssl,cert-cn']) {
      const server = await RawServer.start();
      const rig = new ProxyRig(kind, [server], { server: words });
      const [port] = await startHaproxy(t, [[`server us 127.0.0.1:${server.port} ${words}`]]);
      const said: string[] = [];
      for (const to of [port as number, rig.port]) {
        const client = await Wire.connect(to);
        client.write(GET);
        const wire = await server.wire(said.length);
        const header = await wire.takesBytes(28 + 8);
        said.push(header.subarray(12, 16).toString('hex') + header.subarray(28).toString('hex'));
        wire.close(); // nobody waits for the answer that it does not give
        client.close();
      }
      assert.equal(said[1], said[0], words);
      await rig.everythingIsHome();
    }
  });

  test(`${kind}: each header of HAProxy's is understood`, { skip: needs('haproxy') }, async (t) => {
    for (const words of ['send-proxy', 'send-proxy-v2 proxy-v2-options crc32c,unique-id']) {
      const server = await RawServer.start();
      const rig = new ProxyRig(kind, [server], { bind: 'accept-proxy', defaults: ' option forwardfor\n' });
      const lines = ['unique-id-format %{+X}o%ci', `server us 127.0.0.1:${rig.port} ${words}`, 'http-reuse never'];
      const [port] = await startHaproxy(t, [lines]);
      const client = await Wire.connect(port as number);
      client.write(GET);
      const wire = await server.wire(0);
      assert.match(await wire.takesHead(), /X-Forwarded-For: 127\.0\.0\.1\r\n/i, words);
      wire.write(response('heard'));
      await client.takes('heard');
      client.close();
      await rig.everythingIsHome();
    }
  });
}
