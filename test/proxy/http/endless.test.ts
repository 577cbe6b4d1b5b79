/** Servers and clients that never come to an end of what must have one: they are cut off after few bytes, and all comes home. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { PATIENCE_MS } from '../../helpers/patience.js';
import { KINDS, ProxyRig } from '../harness.js';
import { underWay } from '../under-way.js';
import { RawServer, type Wire } from '../wire.js';

const GET = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n';
const CHUNKED = 'Transfer-Encoding: chunked\r\n\r\n';
/** A piece more than a megabyte is more than any head. */
const PIECES_MOST = 1024;
const PIECE = 1024;

const SERVERS: Readonly<Record<string, readonly [before: string, again: string]>> = {
  'a reason': ['HTTP/1.1 200 ', 'x'.repeat(PIECE)],
  'a field': ['HTTP/1.1 200 OK\r\nA: ', 'x'.repeat(PIECE)],
  fields: ['HTTP/1.1 200 OK\r\n', 'A: b\r\n'.repeat(PIECE / 8)],
  'a chunk extension': [`HTTP/1.1 200 OK\r\n${CHUNKED}1;`, 'x'.repeat(PIECE)],
  trailers: [`HTTP/1.1 200 OK\r\n${CHUNKED}0\r\n`, 'A: b\r\n'.repeat(PIECE / 8)],
};
const CLIENTS: Readonly<Record<string, readonly [before: string, again: string]>> = {
  'a target': ['GET /', 'x'.repeat(PIECE)],
  fields: ['GET / HTTP/1.1\r\nHost: a\r\n', 'A: b\r\n'.repeat(PIECE / 8)],
  'a chunk extension': [`POST / HTTP/1.1\r\nHost: a\r\n${CHUNKED}1;`, 'x'.repeat(PIECE)],
  trailers: [`POST / HTTP/1.1\r\nHost: a\r\n${CHUNKED}0\r\n`, 'A: b\r\n'.repeat(PIECE / 8)],
};

/** Sends until the other side has had enough. */
async function sendWithoutEnd(wire: Wire, piece: string): Promise<void> {
  const limit_ms = performance.now() + PATIENCE_MS;
  for (let count = 0; wire.ended === 'no' && !wire.closed; count++) {
    assert.ok(performance.now() < limit_ms && count < 100 * PIECES_MOST, 'nobody had enough');
    if (wire.socket.writableLength < 64 * PIECE) wire.write(piece);
    await nextTurn();
    assert.ok(wire.socket.bytesWritten < PIECES_MOST * PIECE * 8, 'far too much was taken');
  }
}

for (const kind of KINDS) {
  for (const [what, [before, again]] of Object.entries(SERVERS))
    test(`${kind}: a server that sends ${what} without an end is left`, async () => {
      const { rig, client, wire } = await underWay(kind, GET);
      wire.write(before);
      await sendWithoutEnd(wire, again);
      if (before.includes(CHUNKED)) await client.over();
      else assert.match(await client.takesHead(), /^HTTP\/1\.1 502 /);
      await rig.everythingIsHome();
    });

  for (const [what, [before, again]] of Object.entries(CLIENTS))
    test(`${kind}: a client that sends ${what} without an end is told 400, and left`, async () => {
      const server = await RawServer.start();
      const rig = new ProxyRig(kind, [server]);
      const client = await rig.client();
      client.write(before);
      await sendWithoutEnd(client, again);
      assert.match(client.text, /^(HTTP\/1\.1 400 |$)/);
      await rig.everythingIsHome();
    });

  for (const reads of [true, false])
    test(`${kind}: a server that says 103 without an end is 504 in time, for a client that ${reads ? 'reads' : 'does not read'}`, async () => {
      const server = await RawServer.start();
      const rig = new ProxyRig(kind, [server], { defaults: ' timeout server 300ms\n' });
      const client = await rig.client();
      if (!reads) client.socket.pause();
      client.write(GET);
      const wire = await server.wire(0);
      await wire.takesHead();
      const hints = 'HTTP/1.1 103 Early Hints\r\n\r\n'.repeat(64);
      for (const limit_ms = performance.now() + PATIENCE_MS; wire.ended === 'no' && !wire.closed; await nextTurn()) {
        assert.ok(performance.now() < limit_ms, 'it goes on for ever');
        if (wire.socket.writableLength < hints.length) wire.write(hints);
      }
      client.socket.resume();
      await client.takes('HTTP/1.1 504 ');
      await rig.everythingIsHome();
    });
}
