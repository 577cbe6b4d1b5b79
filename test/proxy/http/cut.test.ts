/**
 * Requests and responses that break off after each of their bytes, by FIN and by RST. Whatever is cut: no server sees a request
 * twice or one that its client did not end, the client is told or cut off, the log says who broke off, and all comes home.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Sink } from '#src/proxy/log/sink.js';
import { KINDS, type Kind, ProxyRig } from '../harness.js';
import { RawServer, response, type Wire } from '../wire.js';

const HOWS = ['end', 'reset'] as const;
type How = (typeof HOWS)[number];

/** `%s` becomes a number of its own for each try. */
const REQUESTS: Readonly<Record<string, string>> = {
  'with a length': 'POST /%s HTTP/1.1\r\nHost: a\r\nContent-Length: 6\r\n\r\nabcdef',
  'in chunks': 'POST /%s HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nT: v\r\n\r\n',
};
const RESPONSES: Readonly<Record<string, string>> = {
  'with a length': response('abcdef'),
  'in chunks': 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nT: v\r\n\r\n',
  'after an early hint': `HTTP/1.1 103 X\r\n\r\n${response('abcdef')}`,
};

/** Two servers, so that a second try would find one, and the termination states in the order in which requests ended. */
async function start(kind: Kind): Promise<{ rig: ProxyRig; servers: RawServer[]; states: string[] }> {
  const servers = [await RawServer.start(), await RawServer.start()];
  const frontend = ' log 127.0.0.1:1 local0\n log-format "state=%ts status=%ST"\n';
  const rig = new ProxyRig(kind, servers, { frontend, backend: ' option redispatch\n retries 3\n' });
  const states: string[] = [];
  const sink: Sink = {
    dropped: 0,
    send(buffer, offset, length) {
      const line = Buffer.from(rig.reactor.buffers.bytes.subarray(offset, offset + length)).toString('latin1');
      states.push(/state=(..)/.exec(line)![1]!);
      rig.reactor.buffers.release(buffer);
    },
  };
  rig.proxy.log(() => sink);
  return { rig, servers, states };
}

function wiresOf(servers: readonly RawServer[]): Wire[] {
  return servers.flatMap(({ wires }) => wires);
}

function cut(wire: Wire, how: How): void {
  if (how === 'end') wire.end();
  else wire.reset();
}

for (const kind of KINDS) {
  for (const [framed, request] of Object.entries(REQUESTS))
    for (const how of HOWS)
      test(`${kind}: a request ${framed} that a client cuts by ${how} after any byte`, {
        timeout: 60_000,
      }, async () => {
        const { rig, servers, states } = await start(kind);
        const whole = request.replace('%s', '000');
        for (let length = 1; length < whole.length; length++) {
          const name = `/${String(length).padStart(3, '0')} `;
          const logged = states.length;
          const client = await rig.client();
          client.write(whole.replace('/000 ', name).slice(0, length));
          const is_asked = length >= whole.indexOf('\r\n\r\n') + 4;
          if (is_asked)
            await rig.until('the server is asked', () => wiresOf(servers).some(({ text }) => text.includes(name)));
          cut(client, how);
          if (how === 'end') await client.over();
          client.close();
          // with a reset the kernel may take the bytes back before anybody has seen them
          const is_seen = is_asked || how === 'end';
          await rig.until('it is over', () => rig.client_count === 0 && (!is_seen || states.length > logged));
          if (is_seen) assert.match(states.at(-1)!, is_asked ? /^C[DH]$/ : /^CR$/, `cut after ${length} bytes`);
          const seen = wiresOf(servers).filter(({ text }) => text.includes(name));
          assert.equal(seen.length, is_asked ? 1 : 0, `cut after ${length} bytes`);
          if (is_asked) await seen[0]!.over();
          assert.ok(!seen[0]?.text.endsWith(whole.slice(-8)), 'the request was completed for the client');
          for (const wire of wiresOf(servers)) wire.received = Buffer.alloc(0);
        }
        assert.deepEqual(
          states.filter((state) => !state.startsWith('C')),
          [],
        );
        await rig.everythingIsHome();
      });

  for (const [framed, answer] of Object.entries(RESPONSES))
    for (const how of HOWS)
      test(`${kind}: a response ${framed} that a server cuts by ${how} after any byte`, {
        timeout: 60_000,
      }, async () => {
        const { rig, servers, states } = await start(kind);
        for (let length = 0; length < answer.length; length++) {
          const logged = states.length;
          const asked = wiresOf(servers).length;
          const client = await rig.client();
          client.write('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nhi');
          await rig.until('a server is asked', () => wiresOf(servers).some(({ text }) => text.endsWith('hi')));
          const wire = wiresOf(servers).find(({ text }) => text.endsWith('hi'))!;
          wire.received = Buffer.alloc(0);
          wire.write(answer.slice(0, length));
          // a reset overtakes what was not read yet
          if (how === 'reset' && length > 0)
            await rig.until('it has read the piece', () => rig.buffersAway().small > 0 || client.received.length > 0);
          cut(wire, how);
          const has_head = length >= answer.lastIndexOf('\r\n\r\n', answer.indexOf('abc')) + 4;
          if (has_head) await client.over();
          else await client.takes('</html>\n');
          await rig.until('it is logged', () => states.length > logged);
          assert.equal(states.at(-1), has_head ? 'SD' : 'SH', `cut after ${length} bytes`);
          assert.equal(wiresOf(servers).length, asked + 1, `cut after ${length} bytes: asked again`);
          assert.ok(!client.text.endsWith(answer.slice(-8)), 'the response was completed for the server');
          client.close();
          wire.close();
          await rig.until('the client is gone', () => rig.client_count === 0);
        }
        await rig.everythingIsHome();
      });

  for (const how of HOWS)
    test(`${kind}: a client that cuts by ${how} while its response comes, after any byte of it`, {
      timeout: 60_000,
    }, async () => {
      const { rig, servers } = await start(kind);
      const answer = RESPONSES['in chunks']!;
      for (let length = 0; length < answer.length; length++) {
        const client = await rig.client();
        client.write('GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n');
        await rig.until('a server is asked', () => wiresOf(servers).some(({ text }) => text.includes('GET')));
        const wire = wiresOf(servers).find(({ text }) => text.includes('GET'))!;
        wire.received = Buffer.alloc(0);
        wire.write(answer.slice(0, length));
        cut(client, how);
        // who only said FIN still gets all of it
        wire.write(answer.slice(length));
        if (how === 'end') assert.match(await client.takes('T: v\r\n\r\n'), /^HTTP\/1\.1 200 OK\r\n/);
        await rig.until('the client is gone', () => rig.client_count === 0);
        wire.close();
      }
      await rig.everythingIsHome();
    });
}
