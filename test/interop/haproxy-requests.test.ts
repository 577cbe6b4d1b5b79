/** Odd requests go through HAProxy and through us: clients must be told the same, and servers must see the same. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startHaproxy } from '../helpers/haproxy.js';
import { needs } from '../helpers/peers.js';
import { KINDS, ProxyRig } from '../proxy/harness.js';
import { RawServer, response, Wire } from '../proxy/wire.js';

const CHUNKED = 'Transfer-Encoding: chunked\r\n';
const post = (fields: string, body: string) => `POST / HTTP/1.1\r\nHost: a\r\n${fields}\r\n${body}`;
const get = (fields: string) => `GET / HTTP/1.1\r\nHost: a\r\n${fields}\r\n`;

const REQUESTS: readonly string[] = [
  get(''),
  get('') + get(''),
  'GET / HTTP/1.0\r\n\r\n',
  'GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\nGET /2 HTTP/1.0\r\n\r\n',
  'HEAD / HTTP/1.1\r\nHost: a\r\n\r\n',
  'OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n',
  'DELETE /x HTTP/1.1\r\nHost: a\r\n\r\n',
  'BREW /pot HTTP/1.1\r\nHost: a\r\n\r\n',
  `\r\n${get('')}`,
  get('Connection: close\r\n') + get(''),
  get('X-Forwarded-For: 1.1.1.1\r\n'),
  get('A:\r\n'),
  get('A:   b  \r\n'),
  get('A: b\r\nA: c\r\n'),
  get(`Cookie: ${'x'.repeat(8_000)}\r\n`),
  get(`Cookie: ${'x'.repeat(20_000)}\r\n`),
  get('A: b\r\n'.repeat(90)),
  get('A: b\r\n'.repeat(110)),
  get('A : b\r\n'),
  get(': b\r\n'),
  get('A\r\n'),
  get('A(: b\r\n'),
  'GET /\r\n\r\n',
  'GET / http/1.1\r\n\r\n',
  'GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n',
  'G@T / HTTP/1.1\r\nHost: a\r\n\r\n',
  'nonsense\r\n\r\n',
  post('Content-Length: 5\r\n', 'hello'),
  post('Content-Length: 0\r\n', ''),
  post('Content-Length: 2, 2\r\n', 'hi'),
  post('Content-Length: 2\r\nContent-Length: 2\r\n', 'hi'),
  post('Content-Length: 2\r\nContent-Length: 3\r\n', 'hi!'),
  post('Content-Length: -1\r\n', ''),
  post('Content-Length: x\r\n', ''),
  post('Content-Length:\r\n', ''),
  post('Content-Length: 2 2\r\n', 'hi'),
  post(CHUNKED, '2\r\nhi\r\n0\r\n\r\n'),
  post(CHUNKED, 'z\r\n'),
  post(`${CHUNKED}${CHUNKED}`, '0\r\n\r\n'),
  post(`Content-Length: 5\r\n${CHUNKED}`, '0\r\n\r\n'),
  post('Transfer-Encoding: xchunked\r\n', ''),
];

/** HAProxy 2.6 lets these pass; servers could read them in two ways. */
const REFUSED_BY_US: readonly string[] = [
  get('A: b\0c\r\n'),
  'GET  / HTTP/1.1\r\n\r\n',
  'GET /a\x7fb HTTP/1.1\r\nHost: a\r\n\r\n',
];

/** What options make of requests that are odd but mean one thing only. */
const WITH_OPTIONS: readonly (readonly [option: string, request: string])[] = [
  ['option accept-invalid-http-request', 'GET /a#b HTTP/1.1\r\nHost: a\r\n\r\n'],
  ['option accept-invalid-http-request', 'GET /\xe9?\xff HTTP/1.1\r\nHost: a\r\n\r\n'],
  ['option accept-invalid-http-request', get('A(b@[c]: d\x01\x7fe\r\n') + get('')],
  ['option accept-invalid-http-request', get('Content-Length: 2 2\r\n')],
  ['no option accept-invalid-http-request', get('A(b: d\r\n')],
  ['option http-restrict-req-hdr-names preserve', get('A_b: c\r\nX-1: y\r\n')],
  ['option http-restrict-req-hdr-names delete', get('A_b: c\r\nX-1: y\r\nB.c: d\r\n')],
  ['option http-restrict-req-hdr-names delete', post('A_b: c\r\nContent-Length: 2\r\n_: d\r\n', 'hi')],
  ['option http-restrict-req-hdr-names reject', get('A_b: c\r\n') + get('')],
  ['option http-restrict-req-hdr-names reject', get('A-b: c\r\n')],
];

/** HAProxy lets these pass with `option accept-invalid-http-request`. */
const NEVER_TAKEN: readonly string[] = [
  get('A : b\r\n'),
  get('A b: c\r\n'),
  get('Content-Length\xa0: 5\r\n'),
  get('A: b\rc\r\n'),
  'GET /\r\n\r\n',
  'GET / RTSP/1.0\r\nHost: a\r\n\r\n',
  'GET / HTTP/1.12\r\nHost: a\r\n\r\n',
];

/** What a response says of caches, and a cookie beside it. */
const CACHE_FIELDS: readonly string[] = [
  '',
  'Cache-Control: public',
  'Cache-Control: public, private\r\nETag: "x"',
  'Cache-Control: private, public\r\nETag: "x"',
  'Cache-Control: MAX-AGE=5',
  'Cache-Control: max-age=0\r\nETag: "x"',
  'Cache-Control: no-cache="set-cookie"\r\nETag: "x"',
  'Cache-Control: no-cache="Set-Cookie, a"\r\nETag: "x"',
  'Cache-Control: no-cache="a"\r\nETag: "x"',
  'Cache-Control: no-cache="set-cookie", public\r\nETag: "x"',
  'Pragma: no-cache\r\nCache-Control: public\r\nETag: "x"',
  'Last-Modified: Thu, 01 Jan 1970 00:00:00 GMT',
];

type Outcome = { readonly statuses: readonly string[]; readonly seen: readonly string[] };

for (const kind of KINDS) {
  test(`${kind}: HAProxy and carpool tell clients and servers the same`, { skip: needs('haproxy') }, async (t) => {
    const server = await RawServer.start();
    const answering = answer(server);
    const rig = new ProxyRig(kind, [server], { frontend: ' option forwardfor\n' });
    const [port] = await startHaproxy(t, [['option forwardfor', `server s0 127.0.0.1:${server.port}`]]);
    const differences: string[] = [];
    for (const request of REQUESTS) {
      const theirs = await outcome(port as number, server, request);
      const ours = await outcome(rig.port, server, request);
      try {
        assert.deepEqual(ours, theirs);
      } catch (error) {
        differences.push(`${JSON.stringify(request.slice(0, 120))}: ${(error as Error).message}`);
      }
    }
    for (const request of REFUSED_BY_US) {
      assert.deepEqual(await outcome(rig.port, server, request), { statuses: ['400'], seen: [] });
    }
    clearInterval(answering);
    assert.deepEqual(differences, []);
    await rig.everythingIsHome();
  });
}

test('HAProxy and carpool take the same with options for odd requests', { skip: needs('haproxy') }, async (t) => {
  const options = [...new Set(WITH_OPTIONS.map(([option]) => option))];
  const theirs = await RawServer.start();
  const answering = [answer(theirs)];
  const ports = await startHaproxy(
    t,
    options.map((option) => [option, `server s0 127.0.0.1:${theirs.port}`]),
  );
  for (const place of ['frontend', 'backend'] as const) {
    for (const [index, option] of options.entries()) {
      if (place === 'backend' && option.includes('accept')) continue;
      const server = await RawServer.start();
      answering.push(answer(server));
      const rig = new ProxyRig('epoll', [server], { [place]: ` ${option}\n` });
      for (const [, request] of WITH_OPTIONS.filter(([of]) => of === option)) {
        const expected = await outcome(ports[index]!, theirs, request);
        assert.deepEqual(await outcome(rig.port, server, request), expected, `${option}: ${JSON.stringify(request)}`);
      }
      await rig.everythingIsHome();
    }
  }
  answering.forEach(clearInterval);
  theirs.closeAll();
});

test('option accept-unsafe-violations-in-http-request takes nothing that servers could read in two ways', async () => {
  const server = await RawServer.start();
  const rig = new ProxyRig('epoll', [server], { frontend: ' option accept-unsafe-violations-in-http-request\n' });
  for (const request of NEVER_TAKEN) {
    const { statuses, seen } = await outcome(rig.port, server, request);
    assert.match(statuses.join(), /^(400|505)$/, JSON.stringify(request));
    assert.deepEqual(seen, []);
  }
  await rig.everythingIsHome();
});

test('option accept-invalid-http-response takes an odd name of a field, and keeps the response for show errors', async () => {
  for (const option of ['', ' option accept-invalid-http-response\n']) {
    const server = await RawServer.start();
    const answering = answer(server, () => 'A(b: c\x01\r\n');
    const rig = new ProxyRig('epoll', [server], { backend: option });
    const { statuses } = await outcome(rig.port, server, get(''));
    assert.deepEqual(statuses, [option === '' ? '502' : '200']);
    const [kept] = rig.proxy.bad_messages.list();
    assert.ok(Buffer.from(kept!.bytes).includes('A(b: c\x01'));
    clearInterval(answering);
    await rig.everythingIsHome();
  }
});

test('HAProxy and carpool withhold the same responses that a cache could keep with a cookie', {
  skip: needs('haproxy'),
}, async (t) => {
  const server = await RawServer.start();
  let fields = '';
  const answering = answer(server, () => `Set-Cookie: a=b\r\n${fields}`);
  const [port] = await startHaproxy(t, [['option checkcache', `server s0 127.0.0.1:${server.port}`]]);
  const rig = new ProxyRig('epoll', [server], { backend: ' option checkcache\n' });
  let withheld = 0;
  for (const method of ['GET', 'DELETE']) {
    for (const said of CACHE_FIELDS) {
      fields = said === '' ? '' : `${said}\r\n`;
      const request = `${method} / HTTP/1.1\r\nHost: a\r\n\r\n`;
      const [theirs, ours] = [await told(port!, request), await told(rig.port, request)];
      // HAProxy 2.6 says 200 in place of its manual's 502
      assert.equal(/^set-cookie/im.test(ours), /^set-cookie/im.test(theirs), `${method}: ${said}`);
      assert.equal(ours.startsWith('HTTP/1.1 502 '), !/^set-cookie/im.test(theirs), `${method}: ${said}`);
      if (ours.startsWith('HTTP/1.1 502 ')) withheld++;
    }
  }
  assert.equal(withheld, 7);
  clearInterval(answering);
  await rig.everythingIsHome();
});

test('HAProxy and carpool leave out X-Forwarded-For for the same clients', { skip: needs('haproxy') }, async (t) => {
  const networks = [
    '127.0.0.0/8',
    '127.0.0.1',
    '127.0.0.2/31',
    '126.0.0.0/7',
    '10.0.0.0/8',
    '::1',
    '127.0.0.0/255.0.0.0',
  ];
  const pairs = await Promise.all(
    networks.map(async (network) => ({ line: `option forwardfor except ${network}`, server: await RawServer.start() })),
  );
  const ports = await startHaproxy(
    t,
    pairs.map(({ line, server }) => [line, `server s0 127.0.0.1:${server.port}`]),
  );
  const told: boolean[] = [];
  for (const [index, { line, server }] of pairs.entries()) {
    const answering = answer(server);
    const rig = new ProxyRig('epoll', [server], { frontend: ` ${line}\n` });
    const ours = await outcome(rig.port, server, get(''));
    assert.deepEqual(ours, await outcome(ports[index]!, server, get('')), line);
    told.push(/x-forwarded-for/i.test(ours.seen.join()));
    clearInterval(answering);
    await rig.everythingIsHome();
  }
  assert.deepEqual(told, [false, false, true, false, true, true, false]);
});

/**
 * Sends the request and FIN, and waits until everything is answered. FIN comes after the first answer where there are two requests:
 * whether HAProxy still looks at the second one when it has seen FIN is a matter of microseconds.
 */
async function outcome(port: number, server: RawServer, request: string): Promise<Outcome> {
  const before = seenBy(server).length;
  const client = await Wire.connect(port);
  client.write(request);
  const pipelined = request.split(' HTTP/1.').length > 2;
  if (pipelined) await client.takes('ok');
  client.end();
  await client.over();
  client.close();
  const statuses = [...client.text.matchAll(/^HTTP\/1\.[01] (\d+)/gm)].map(([, status]) => status as string);
  return { statuses, seen: seenBy(server).slice(before) };
}

const requests_seen = new WeakMap<RawServer, string[]>();

function seenBy(server: RawServer): string[] {
  const seen = requests_seen.get(server) ?? [];
  requests_seen.set(server, seen);
  return seen;
}

/** All that a client reads that sends one request. */
async function told(port: number, request: string): Promise<string> {
  const client = await Wire.connect(port);
  client.write(request);
  client.end();
  await client.over();
  client.close();
  return client.text;
}

/** Answers each request as soon as it is complete; with more fields, if there are any. */
function answer(server: RawServer, more = () => ''): NodeJS.Timeout {
  return setInterval(() => {
    for (const wire of server.wires) {
      const end = endOfRequest(wire.text);
      if (end === 0) continue;
      const request = wire.text.slice(0, end);
      wire.received = wire.received.subarray(end);
      seenBy(server).push(normalised(request));
      wire.write(
        request.startsWith('HEAD') ? response('').replace('0', '2') : response('ok').replace('\r\n', `\r\n${more()}`),
      );
    }
  }, 1);
}

function endOfRequest(text: string): number {
  const head_end = text.indexOf('\r\n\r\n') + 4;
  if (head_end === 3) return 0;
  const head = text.slice(0, head_end);
  if (/^transfer-encoding: *chunked/im.test(head)) {
    const end = text.indexOf('0\r\n\r\n', head_end) + 5;
    return end === 4 ? 0 : end;
  }
  const length = Number(/^content-length: *(\d+)/im.exec(head)?.[1] ?? 0);
  return text.length >= head_end + length ? head_end + length : 0;
}

/** Names in lower case and sorted; what only concerns the connection between proxy and server is left out. */
function normalised(request: string): string {
  const [head, body] = request.split('\r\n\r\n') as [string, string];
  const [line, ...fields] = head.split('\r\n');
  const told = fields
    .map((field) => field.replace(/^[^:]*/, (name) => name.toLowerCase()))
    .filter((field) => !field.startsWith('connection:'))
    .sort();
  return [line, ...told, '', body].join('\n');
}
