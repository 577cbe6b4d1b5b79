/** The same requests go to the same servers through HAProxy and through us, and cookies are the same on both sides. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, request as httpRequest, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type TestContext, test } from 'node:test';
import { until } from '../helpers/balancers.js';
import { startHaproxy } from '../helpers/haproxy.js';
import { needs } from '../helpers/peers.js';
import { ProxyRig } from '../proxy/harness.js';
import { ReadingSink } from '../proxy/log/reading-sink.js';
import type { Backend } from '../proxy/wire.js';

/** Not all alike, so that weights show in maps and rings. */
const WEIGHTS = [1, 3, 2, 1, 4];

/** With a body it is a POST. */
type Request = {
  readonly path: string;
  readonly body?: string;
  readonly headers?: Record<string, string>;
  readonly from?: string;
};

/**
 * Host is not the last field: for `use_domain_only` HAProxy reads one byte behind it (2.6.12), which is one of an earlier request
 * then, and a dot sends the request astray.
 */
const paths: readonly Request[] = Array.from({ length: 40 }, (_, number) => ({
  path: `/dir${number % 7}/sub${number}/page.html?user=u${number}&x=${number % 3}`,
  headers: { Host: `www.site${number % 11}.org`, 'X-Key': `key-${number}, other` },
}));
const sources: readonly Request[] = Array.from({ length: 30 }, (_, number) => ({
  path: '/',
  from: `127.${number % 3}.${number}.${200 - number}`,
}));

const forms: readonly Request[] = [
  ...['user=a&b=c', 'b=c&user=two&d', 'b=c&user=3 x', 'users=1&user=4', 'x&user=five', 'auser=1&user=6', 'user=7+8%20'],
  ...Array.from({ length: 12 }, (_, number) => `a=${number}&user=${number}`),
].map((body) => ({ path: '/form', body }));

const BALANCES: readonly { lines: readonly string[]; requests: readonly Request[] }[] = [
  { lines: ['balance source'], requests: sources },
  { lines: ['balance source', 'hash-type consistent'], requests: sources },
  { lines: ['balance source', 'hash-type map-based djb2 avalanche'], requests: sources },
  { lines: ['balance uri'], requests: paths },
  { lines: ['balance uri whole', 'hash-type map-based djb2'], requests: paths },
  { lines: ['balance uri len 7', 'hash-type map-based wt6'], requests: paths },
  { lines: ['balance uri depth 1', 'hash-type map-based crc32'], requests: paths },
  { lines: ['balance uri path-only whole', 'hash-type consistent'], requests: paths },
  { lines: ['balance uri depth 2 len 20', 'hash-type consistent djb2'], requests: paths },
  { lines: ['balance url_param user', 'hash-type map-based sdbm avalanche'], requests: paths },
  { lines: ['balance url_param x', 'hash-type consistent wt6 avalanche'], requests: paths },
  { lines: ['balance hdr(x-key)', 'hash-type consistent crc32'], requests: paths },
  { lines: ['balance hdr(Host)'], requests: paths },
  { lines: ['balance hdr(Host) use_domain_only', 'hash-type map-based crc32 avalanche'], requests: paths },
  { lines: ['balance hash req.fhdr(x-key),upper', 'hash-type map-based djb2'], requests: paths },
  { lines: ['balance hash path,field(3,/)', 'hash-type consistent'], requests: paths },
  { lines: ['balance hash src', 'hash-type map-based sdbm avalanche'], requests: sources },
  { lines: ['balance hash path,length', 'hash-type consistent crc32'], requests: paths },
  { lines: ['balance hash src,ipmask(24)', 'hash-type consistent'], requests: sources },
  { lines: ['balance hash src,crc32c(1)', 'hash-type map-based djb2'], requests: sources },
  { lines: ['balance hash url_param(user),crc32,mod(7)'], requests: paths },
  { lines: ['balance hash base,xxh64', 'hash-type consistent'], requests: paths },
  { lines: ['balance hash req.hdr(host),host_only,bytes(4,6)', 'hash-type map-based wt6'], requests: paths },
  { lines: ['balance hash baseq,sha1', 'hash-type consistent djb2'], requests: paths },
  { lines: ['balance url_param user check_post', 'hash-type map-based wt6'], requests: forms },
];

test('hashed requests go to the servers that HAProxy sends them to', { skip: needs('haproxy') }, async (t) => {
  const servers = await startServers(t);
  const serverWords = (number: number) => `weight ${WEIGHTS[number]}`;
  const haproxy = await startHaproxy(
    t,
    BALANCES.map(({ lines }) => [...lines, ...serverLines(servers, serverWords)]),
  );
  for (const [index, { lines, requests }] of BALANCES.entries()) {
    const rig = new ProxyRig('epoll', servers, { backend: lines.join('\n'), server: serverWords });
    const theirs = await Promise.all(requests.map(async (each) => (await ask(haproxy[index] as number, each)).body));
    const ours = await Promise.all(requests.map(async (each) => (await ask(rig.port, each)).body));
    await rig.everythingIsHome();
    assert.deepEqual(ours, theirs, lines.join('; '));
    assert.ok(new Set(theirs).size > 1, `${lines.join('; ')}: the requests tell servers apart`);
  }
});

const COOKIES: readonly string[] = [
  'SRV insert',
  'SRV insert indirect nocache',
  'SRV insert indirect preserve httponly secure domain .example.org domain .example.net attr "SameSite=None"',
  'SRV insert postonly',
  'SRV insert indirect maxidle 30m maxlife 8h',
  'SRV insert maxidle 60',
  'SRV rewrite',
  'SRV prefix indirect',
  'SRV indirect',
  'SRV prefix',
  'SRV',
  'SRV insert indirect dynamic',
];

/** What clients say; `V` stands for the value of server s1. */
const CLIENT_COOKIES: readonly (string | undefined)[] = [
  undefined,
  'SRV=V',
  'a=b; SRV=V; c=d',
  'SRV=unknown; e=f',
  'SRV=V~rest; g=h',
  'SRV=V|aaaaa|bbbbb',
  'SRV',
  'a=b',
];

test('cookies bind clients as with HAProxy, and both sides see the same', { skip: needs('haproxy') }, async (t) => {
  const servers = await startServers(t, 2);
  const differences: string[] = [];
  for (const cookie of COOKIES) {
    const dynamic = cookie.includes('dynamic');
    const lines = [`cookie ${cookie}`, 'dynamic-cookie-key secret'];
    const words = (number: number) => (dynamic ? '' : `cookie v${number}`);
    let their_log = '';
    let our_log = '';
    const log = ['log stdout format raw local0', 'log-format %tsc', 'option dontlognull'];
    const section = [...log, ...lines, ...serverLines(servers, words)];
    const [port] = await startHaproxy(t, [section], (text) => {
      their_log += text;
    });
    const rig = new ProxyRig('epoll', servers, { frontend: log.join('\n'), backend: lines.join('\n'), server: words });
    const sink = new ReadingSink(rig.reactor.buffers, (line) => {
      our_log += line;
    });
    rig.proxy.log(() => sink);
    const { value, asked } = dynamic ? await learnValue(port as number) : { value: 'v1', asked: 0 };
    await until('the lines of that are there', () => their_log.split('\n').length > asked);
    their_log = '';
    for (const said of CLIENT_COOKIES) {
      for (const path of ['/', '/sets?tag', '/sets?tag&private']) {
        for (const method of ['GET', 'POST']) {
          const headers: Record<string, string> = said === undefined ? {} : { Cookie: said.replace(/\bV\b/, value) };
          const theirs = await ask(port as number, { path, headers }, method);
          const ours = await ask(rig.port, { path, headers }, method);
          const shown = `${method} ${path}, cookie ${cookie}, client ${said}`;
          const bound = /^(?:a=b; )?SRV=V(?:$|;)/.test(said ?? '') || (cookie === 'SRV prefix' && said?.includes('~'));
          const expected = JSON.stringify(outline(theirs, bound === true));
          const actual = JSON.stringify(outline(ours, bound === true));
          if (actual !== expected) differences.push(`${shown}: ${actual} instead of ${expected}`);
        }
      }
    }
    await rig.everythingIsHome();
    const our_lines = our_log.split('\n');
    await until('HAProxy has logged as many lines', () => their_log.split('\n').length >= our_lines.length);
    for (const [index, line] of their_log.split('\n').entries()) {
      if (line !== our_lines[index])
        differences.push(`cookie ${cookie}, line ${index}: ${our_lines[index]} instead of ${line}`);
    }
  }
  assert.deepEqual(differences, []);
});

/** A server that is not bound to is whichever has its turn. */
function outline({ body, headers }: Answer, bound: boolean): unknown {
  const cookies = (headers['set-cookie'] ?? []).map((cookie) =>
    bound ? withoutDates(cookie) : withoutDates(cookie).replace(/=(?:v\d|[0-9a-f]{16})(?=$|[;~|])/, '=some'),
  );
  const seen = body.replace(/^s\d/, bound ? '$&' : 'some');
  return { seen, cookies, cache: headers['cache-control'] };
}

function withoutDates(cookie: string): string {
  return cookie.replace(/\|[A-Za-z0-9+/]{5}/g, '|date');
}

/** The dynamic value of s1, and how many requests it took. */
async function learnValue(port: number): Promise<{ readonly value: string; readonly asked: number }> {
  for (let asked = 1; asked <= 10; asked++) {
    const { body, headers } = await ask(port, { path: '/' });
    const value = /SRV=([0-9a-f]{16})/.exec(headers['set-cookie']?.[0] ?? '')?.[1];
    if (value !== undefined && body.startsWith('s1')) return { value, asked };
  }
  throw new Error('no dynamic cookie of s1');
}

// ── servers and clients ─────────────────────────────────────────────────────────────────────────

function serverLines(servers: readonly Backend[], words: (number: number) => string): string[] {
  return servers.map(({ port }, number) => `server s${number} 127.0.0.1:${port} ${words(number)}`);
}

/** Each answers its name and the cookies that it saw; /sets sets cookies of its own. */
async function startServers(_t: TestContext, count = WEIGHTS.length): Promise<Backend[]> {
  return Promise.all(
    Array.from({ length: count }, async (_, number) => {
      const server = createServer((request, response) => {
        if (request.url?.startsWith('/sets')) response.setHeader('Set-Cookie', ['SRV=own; path=/x', 'other=1']);
        if (request.url?.includes('tag')) response.setHeader('ETag', '"1"');
        if (request.url?.endsWith('private')) response.setHeader('Cache-Control', 'private');
        response.end(`s${number} ${request.headers.cookie ?? ''}`);
      });
      server.listen(0, '127.0.0.1');
      await once(server, 'listening');
      const { port } = server.address() as AddressInfo;
      // the rigs stop their servers, and there are several rigs
      _t.after(() => {
        server.closeAllConnections();
        server.close();
      });
      return { port, closeAll: () => server.closeAllConnections(), stop: async () => {} };
    }),
  );
}

type Answer = { readonly body: string; readonly headers: IncomingHttpHeaders };

async function ask(
  port: number,
  { path, headers, from, body: form }: Request,
  method = form === undefined ? 'GET' : 'POST',
): Promise<Answer> {
  const local = from === undefined ? {} : { localAddress: from };
  const request = httpRequest({ host: '127.0.0.1', port, path, method, headers, agent: false, ...local });
  request.end(form);
  const [response] = await once(request, 'response');
  let body = '';
  for await (const bytes of response) body += bytes;
  return { body, headers: response.headers };
}
