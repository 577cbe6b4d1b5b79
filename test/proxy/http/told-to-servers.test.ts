/** `option originalto` and `http-send-name-header`: what servers are told beside the request, and `option prefer-last-server`. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { KINDS, ProxyRig } from '../harness.js';
import { nobody, RawServer, response } from '../wire.js';

const GET = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n';

for (const kind of KINDS) {
  test(`${kind}: option originalto adds the address that the client connected to, except where it is excepted`, async () => {
    for (const [frontend, backend, expected] of [
      ['option originalto', '', 'X-Original-To: 127.0.0.1\r\n'],
      ['option originalto header X-To', '', 'X-To: 127.0.0.1\r\n'],
      ['option originalto', 'option originalto header X-To', 'X-To: 127.0.0.1\r\n'],
      ['option originalto except 127.0.0.0/8', '', ''],
      ['option originalto except 10.0.0.0/8', 'no option originalto', 'X-Original-To: 127.0.0.1\r\n'],
    ] as const) {
      const server = await RawServer.start();
      const rig = new ProxyRig(kind, [server], { frontend: ` ${frontend}\n`, backend: ` ${backend}\n` });
      const client = await rig.client();
      client.write(GET);
      const wire = await server.asked(`GET / HTTP/1.1\r\nHost: a\r\n${expected}\r\n`);
      wire.write(response('x'));
      await client.takes(response('x'));
      await rig.everythingIsHome();
    }
  });

  test(`${kind}: http-send-name-header names the server that is asked at last, once, before any body`, async () => {
    const server = await RawServer.start();
    const backend = ' http-send-name-header X-Server\n balance roundrobin\n option redispatch 1\n';
    const rig = new ProxyRig(kind, [await nobody(), server], { backend });
    const client = await rig.client();
    for (let count = 0; count < 2; count++) {
      client.write('POST / HTTP/1.1\r\nHost: a\r\nx-server: forged\r\nContent-Length: 5\r\n\r\nhello');
      const wire = await server.asked('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nX-Server: s1\r\n\r\nhello');
      wire.write(response('x'));
      await client.takes(response('x'));
    }
    await rig.everythingIsHome();
  });

  test(`${kind}: http-send-name-header names each server to itself, on kept connections too`, async () => {
    const servers = [await RawServer.start(), await RawServer.start()];
    const rig = new ProxyRig(kind, servers, { backend: ' http-send-name-header X-Server\n' });
    const client = await rig.client();
    for (let count = 0; count < 4; count++) {
      client.write(GET);
      const number = count % 2;
      const wire = await servers[number]!.asked(`GET / HTTP/1.1\r\nHost: a\r\nX-Server: s${number}\r\n\r\n`);
      wire.write(response('x'));
      await client.takes(response('x'));
    }
    await rig.everythingIsHome();
  });

  /** Which of two servers gets each of four requests of one client. */
  async function course(backend: string, answer = response('x')): Promise<string> {
    const servers = [await RawServer.start(), await RawServer.start()];
    const rig = new ProxyRig(kind, servers, { backend: ` balance roundrobin\n${backend}` });
    const client = await rig.client();
    let course = '';
    for (let count = 0; count < 4; count++) {
      client.write(GET);
      const wires = () => servers.flatMap((server) => server.wires);
      await rig.until('one is asked', () => wires().some(({ text }) => text === GET));
      const wire = wires().find(({ text }) => text === GET)!;
      await wire.takes(GET);
      course += servers.findIndex((server) => server.wires.includes(wire));
      wire.write(answer);
      await client.takes(answer);
    }
    await rig.everythingIsHome();
    return course;
  }

  test(`${kind}: a client stays with the server that keeps a connection for it alone, where the file or a login says so`, async () => {
    const login = 'HTTP/1.1 401 Who\r\nWWW-Authenticate: NTLM\r\nContent-Length: 1\r\n\r\nx';
    assert.equal(await course(' http-reuse never\n'), '0101');
    assert.equal(await course(' http-reuse never\n option prefer-last-server\n'), '0000');
    assert.equal(await course(' option prefer-last-server\n'), '0101', 'its connection is for everybody');
    assert.equal(await course('', login), '0000');
  });

  test(`${kind}: with option http-ignore-probes a client that says nothing is not told that it was slow`, async () => {
    for (const [option, reply] of [
      ['', /^HTTP\/1\.1 408 /],
      [' option http-ignore-probes\n', /^$/],
    ] as const) {
      const defaults = ` timeout http-request 100ms\n${option}`;
      const rig = new ProxyRig(kind, [await RawServer.start()], { defaults });
      assert.match(await rig.exchange(''), reply);
      assert.match(await rig.exchange('GET / HT'), /^HTTP\/1\.1 408 /, 'it has said something');
      await rig.everythingIsHome();
    }
  });
}
