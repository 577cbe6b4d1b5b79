/** Long bodies both ways: every byte arrives, memory stays bounded, nobody else waits. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { sequence, sha256 } from '../../reactor/harness.js';
import { KINDS, ProxyRig } from '../harness.js';
import { RawServer, response, type Wire } from '../wire.js';

const GET = (path: string) => `GET ${path} HTTP/1.1\r\nHost: a\r\n\r\n`;
const MIB = 1024 * 1024;
/** The arena of these tests: far smaller than their bodies. */
const SMALL = { small_count: 320, large_count: 8, reserve: 32 };

/** Bytes as chunks of odd sizes. */
function chunked(bytes: Uint8Array): Buffer {
  const parts: Buffer[] = [];
  for (let at = 0, size = 1; at < bytes.length; at += size, size = (size * 7 + 1) % 60_000) {
    size = Math.max(1, Math.min(size, bytes.length - at));
    parts.push(
      Buffer.from(`${size.toString(16)}\r\n`),
      Buffer.from(bytes.subarray(at, at + size)),
      Buffer.from('\r\n'),
    );
  }
  return Buffer.concat([...parts, Buffer.from('0\r\n\r\n')]);
}

/** Takes what comes a little at a time, and hashes it. */
async function readSlowly(wire: Wire, length: number): Promise<string> {
  const digest = createHash('sha256');
  wire.socket.pause();
  for (let taken = 0; taken < length; ) {
    wire.socket.resume();
    await rest(2);
    wire.socket.pause();
    taken += wire.received.length;
    digest.update(wire.received);
    wire.received = Buffer.alloc(0);
    if (wire.ended !== 'no') break;
  }
  return digest.digest('hex');
}

const rest = (time_ms: number) => new Promise((resolve) => setTimeout(resolve, time_ms));

for (const kind of KINDS) {
  test(`${kind}: a request body larger than all buffers reaches a slow server unharmed`, {
    timeout: 120_000,
  }, async () => {
    const server = await RawServer.start();
    const rig = new ProxyRig(kind, [server], { counts: SMALL });
    const body = sequence(20 * MIB);
    const client = await rig.client();
    client.write(`POST / HTTP/1.1\r\nHost: a\r\nContent-Length: ${body.length}\r\n\r\n`);
    client.write(body);
    const wire = await server.wire(0);
    await wire.takesHead();
    const early = wire.received;
    wire.received = Buffer.alloc(0);
    const [digest, rest] = [createHash('sha256').update(early), body.length - early.length];
    let taken = 0;
    wire.socket.on('data', (bytes) => {
      taken += bytes.length;
      digest.update(bytes);
      wire.received = Buffer.alloc(0);
      wire.socket.pause();
      setTimeout(() => wire.socket.resume(), 1);
    });
    await rig.until('the body is there', () => taken === rest);
    assert.equal(digest.digest('hex'), sha256(body));
    wire.write(response('thanks'));
    assert.match(await client.takes('thanks'), /^HTTP\/1\.1 200/);
    await rig.everythingIsHome();
  });

  test(`${kind}: a chunked request body goes through as it came`, async () => {
    const server = await RawServer.start();
    const rig = new ProxyRig(kind, [server], { counts: SMALL });
    const body = chunked(sequence(3 * MIB));
    const client = await rig.client();
    client.write('POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n');
    client.write(body);
    client.write(GET('/next'));
    const wire = await server.wire(0);
    await wire.takesHead();
    assert.equal(sha256(await wire.takesBytes(body.length)), sha256(body));
    wire.write(response('thanks'));
    await client.takes('thanks');
    await wire.takes(GET('/next')); // the same connection: its request and its response were complete
    wire.write(response('again'));
    await client.takes('again');
    await rig.everythingIsHome();
  });

  for (const [name, frame] of [
    ['with a length', (body: Uint8Array) => [`Content-Length: ${body.length}`, Buffer.from(body)]],
    ['in chunks', (body: Uint8Array) => ['Transfer-Encoding: chunked', chunked(body)]],
  ] as const) {
    test(`${kind}: a slow reader of 20 MiB ${name} gets every byte, and its neighbours do not wait`, {
      timeout: 120_000,
    }, async () => {
      const server = await RawServer.start();
      const rig = new ProxyRig(kind, [server], { counts: SMALL });
      const [field, bytes] = frame(sequence(20 * MIB)) as [string, Buffer];
      const slow = await rig.client();
      slow.write(GET('/slow'));
      slow.socket.pause();
      const wire = await server.wire(0);
      await wire.takesHead();
      wire.write(`HTTP/1.1 200 OK\r\n${field}\r\n\r\n`);
      wire.write(bytes);
      const reading = readSlowly(slow, bytes.length + `HTTP/1.1 200 OK\r\n${field}\r\n\r\n`.length);
      const neighbour = await rig.client();
      const waits_ms: number[] = [];
      for (let count = 0; count < 50; count++) {
        const began_ms = performance.now();
        neighbour.write(GET('/fast'));
        const other = await server.asked(GET('/fast'));
        other.write(response('fast'));
        await neighbour.takes('fast');
        waits_ms.push(performance.now() - began_ms);
      }
      // without those in which a busy machine was late
      const usual_ms = waits_ms.sort((a, b) => a - b)[40]!;
      assert.ok(usual_ms < 1000, `a neighbour waited ${usual_ms} ms`);
      assert.equal(await reading, sha256(Buffer.from(`HTTP/1.1 200 OK\r\n${field}\r\n\r\n`), bytes));
      await rig.everythingIsHome();
    });
  }

  test(`${kind}: a server connection is usable by others although its last client has not read everything`, async () => {
    const server = await RawServer.start();
    const rig = new ProxyRig(kind, [server], { defaults: ' http-reuse always\n' });
    const slow = await rig.client();
    slow.socket.pause();
    slow.write(GET('/slow'));
    const wire = await server.wire(0);
    await wire.takesHead();
    wire.write(response('x'.repeat(12 * MIB)));
    await rest(100);
    for (const path of ['/1', '/2']) {
      const client = await rig.client();
      client.write(GET(path));
      const its = await server.asked(GET(path));
      its.write(response('y'.repeat(MIB)));
      assert.equal((await client.takes('y'.repeat(MIB))).length, response('y'.repeat(MIB)).length);
    }
    slow.socket.resume();
    const whole = response('x'.repeat(12 * MIB));
    assert.equal((await slow.takesBytes(whole.length)).toString('latin1'), whole);
    await rig.everythingIsHome();
  });

  test(`${kind}: 100-continue comes before the body, and the answer after it`, async () => {
    const server = await RawServer.start();
    const rig = new ProxyRig(kind, [server]);
    const client = await rig.client();
    client.write('POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n');
    const wire = await server.wire(0);
    assert.match(await wire.takesHead(), /^Expect: 100-continue\r$/m);
    wire.write('HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: <a>\r\n\r\n');
    assert.equal(await client.takesHead(), 'HTTP/1.1 100 Continue\r\n\r\n');
    assert.match(await client.takesHead(), /^HTTP\/1\.1 103 /);
    client.write('hello');
    await wire.takes('hello');
    wire.write(response('done'));
    assert.equal(await client.takes('done'), response('done'));
    await rig.everythingIsHome();
  });

  test(`${kind}: an answer before the body is complete is passed on, and nothing is used again`, async () => {
    const server = await RawServer.start();
    const rig = new ProxyRig(kind, [server]);
    const client = await rig.client();
    client.write('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 50\r\n\r\npart');
    const wire = await server.wire(0);
    await wire.takes('part');
    wire.write(response('no'));
    await client.takes('no');
    assert.equal(await client.over(), 'end');
    await wire.over();
    await rig.everythingIsHome();
  });

  test(`${kind}: a request body whose chunks make no sense is 400`, async () => {
    const server = await RawServer.start();
    const rig = new ProxyRig(kind, [server]);
    for (const body of ['zz\r\n', '1\nx', '1 garbage\r\n', '1111111111111\r\n', '-1\r\n', '3\r\nabcd\r\n']) {
      const head = 'POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n';
      assert.match(await rig.exchange(head + body), /^HTTP\/1\.1 400 /, JSON.stringify(body));
    }
    const client = await rig.client();
    client.write('POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n');
    const wire = await server.wire(server.wires.length);
    await wire.takes('ok\r\n');
    client.write('bad\rchunk');
    assert.match(await client.takesHead(), /^HTTP\/1\.1 400 /);
    await wire.over();
    await rig.everythingIsHome();
  });
}
