/**
 * The two letters of the termination state about the persistence cookie (manual, section 8.5): every way of `cookie`, every
 * cookie that a client may bring, and servers with and without a cookie of their own, through HAProxy and carpool with one
 * configuration. Clients must be given the same cookies, too.
 */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { type TestContext, test } from 'node:test';
import { formatDate } from '#src/proxy/http/cookie-date.js';
import { type Program, startBalancer, until } from '../helpers/balancers.js';
import { needs } from '../helpers/peers.js';
import { freePort } from '../helpers/ports.js';

/** The lines of each proxy. `s` takes traffic, `down` is disabled, `refuses` cannot be reached, `nameless` has no cookie. */
const PROXIES: Readonly<Record<string, readonly string[]>> = {
  'no-cookie': [],
  passive: ['cookie SRV'],
  'passive-indirect': ['cookie SRV indirect'],
  insert: ['cookie SRV insert'],
  'insert-indirect': ['cookie SRV insert indirect'],
  'insert-postonly': ['cookie SRV insert postonly'],
  'insert-preserve': ['cookie SRV insert indirect preserve'],
  'insert-nocache': ['cookie SRV insert nocache'],
  maxidle: ['cookie SRV insert maxidle 1h'],
  maxlife: ['cookie SRV insert maxlife 1d'],
  'maxidle-maxlife': ['cookie SRV insert indirect maxidle 1h maxlife 1d'],
  rewrite: ['cookie SRV rewrite'],
  'passive-preserve': ['cookie SRV indirect preserve'],
  prefix: ['cookie SRV prefix'],
  'prefix-indirect': ['cookie SRV prefix indirect'],
  persist: ['cookie SRV insert', 'option persist'],
  'use-server': ['cookie SRV insert', 'use-server s if { path_beg / }'],
  'ignore-persist': ['cookie SRV insert', 'ignore-persist if { path_beg / }'],
  'use-server-dated': ['cookie SRV insert maxidle 1h maxlife 1d', 'use-server s if { path_beg / }'],
  'ignore-persist-dated': ['cookie SRV insert indirect maxidle 1h maxlife 1d', 'ignore-persist if { path_beg / }'],
  'force-persist': ['cookie SRV insert', 'force-persist if { path_beg / }'],
  redispatch: ['cookie SRV insert', 'option redispatch 1', 'server refuses 127.0.0.1:1 cookie refuses weight 0'],
  'nameless-insert': ['cookie SRV insert'],
  'nameless-rewrite': ['cookie SRV rewrite'],
};

const NOW_S = Math.floor(Date.now() / 1000);
const ago = (hours: number) => formatDate(NOW_S - hours * 3600);

/** What clients bring. */
const COOKIES: Readonly<Record<string, string | undefined>> = {
  none: undefined,
  another: 'other=1',
  valid: 'SRV=s',
  unknown: 'SRV=nobody',
  down: 'SRV=down',
  refusing: 'SRV=refuses',
  empty: 'SRV=',
  prefixed: 'SRV=s~theirs',
  'prefixed-unknown': 'SRV=nobody~theirs',
  twice: 'SRV=nobody; SRV=s',
  'dated now': `SRV=s|${ago(-0.1)}`,
  'last seen a moment ago': `SRV=s|${ago(0.5)}|${ago(0.5)}`,
  'last seen long ago': `SRV=s|${ago(2)}|${ago(3)}`,
  'first seen long ago': `SRV=s|${ago(-0.1)}|${ago(30)}`,
  'both long ago': `SRV=s|${ago(30)}|${ago(40)}`,
  'of a far future': `SRV=s|${ago(-48)}|${ago(-48)}`,
  'of a server that is down, long ago': `SRV=down|${ago(2)}|${ago(3)}`,
};

const REQUESTS = [...Object.entries(COOKIES)].flatMap(([name, cookie]) =>
  ['GET /', 'GET /own', 'POST /', 'POST /own'].map((line) => {
    const body = line.startsWith('POST') ? 'Content-Length: 0\r\n' : '';
    return {
      name: `${line}, ${name}`,
      text: `${line} HTTP/1.1\r\nHost: a\r\n${body}${cookie ? `Cookie: ${cookie}\r\n` : ''}\r\n`,
    };
  }),
);
const LAST = 'GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n';

test('HAProxy and carpool log the same letters about the cookie, and give clients the same cookies', {
  skip: needs('haproxy'),
  timeout: 120_000,
}, async (t) => {
  const server = await serverWithCookies(t);
  const [theirs, ours] = await Promise.all(
    (['haproxy', 'carpool'] as const).map((program) => conversations(t, program, server)),
  );
  const differences = Object.keys(PROXIES).flatMap((proxy) =>
    REQUESTS.flatMap(({ name }, at) => {
      const [their, our] = [theirs?.[proxy]?.[at], ours?.[proxy]?.[at]];
      assert.ok(their && our, `${proxy}: ${name} was answered`);
      return their === our ? [] : [`${proxy}, ${name}: HAProxy ${their}, carpool ${our}`];
    }),
  );
  assert.deepEqual(differences, []);
  const letters = Object.values(theirs ?? {})
    .flat()
    .map((told) => told.slice(2, 4));
  assert.deepEqual([...new Set(letters.map(([request]) => request))].sort(), [...'-DEINOUV']);
  assert.deepEqual([...new Set(letters.map(([, response]) => response))].sort(), [...'-DINPRU']);
});

/** Of each proxy, for each request, the state and the cookies: `--VN 200`, `--NI 200 SRV=s; path=/`. */
async function conversations(t: TestContext, program: Program, server: number): Promise<Record<string, string[]>> {
  const ports = await Promise.all(Object.keys(PROXIES).map(() => freePort()));
  const probed = await freePort();
  const balancer = await startBalancer(t, program, configOf(ports, probed, server), probed);
  const all: Record<string, string[]> = {};
  for (const [position, proxy] of Object.keys(PROXIES).entries()) {
    const cookies = cookiesIn(await say(ports[position]!, REQUESTS.map(({ text }) => text).join('') + LAST));
    await until(`${program} logs all of ${proxy}`, () => statesIn(balancer.log(), proxy).length > REQUESTS.length);
    const states = statesIn(balancer.log(), proxy);
    all[proxy] = states.map((state, at) => [state, ...(cookies[at] ?? [])].join(' '));
  }
  return all;
}

function configOf(ports: readonly number[], probed: number, server: number): string {
  const sections = Object.entries(PROXIES).map(([name, lines], position) => {
    const cookie = name.startsWith('nameless') ? '' : ' cookie s';
    return `listen ${name}
  bind 127.0.0.1:${ports[position]}
  log-format "${name} %tsc %ST"
${lines.map((line) => `  ${line}\n`).join('')}  server s 127.0.0.1:${server}${cookie}
  server down 127.0.0.1:${server} cookie down disabled
`;
  });
  return `global
  nbthread 1
  log stderr format raw local0
defaults
  mode http
  log global
  timeout connect 5s
  timeout client 30s
  timeout server 30s
${sections.join('')}listen probed
  bind 127.0.0.1:${probed}
`;
}

/** `--VN 200` */
function statesIn(log: string, proxy: string): string[] {
  return log.split('\n').flatMap((line) => (line.startsWith(`${proxy} `) ? [line.slice(proxy.length + 1)] : []));
}

/** What is told until the end. */
async function say(port: number, text: string): Promise<string> {
  const socket = connect(port, '127.0.0.1');
  socket.setEncoding('latin1').write(text);
  let answer = '';
  for await (const chunk of socket) answer += chunk;
  return answer;
}

/** Of each response; the dates of ours vary. */
function cookiesIn(answers: string): string[][] {
  const heads = answers.split('HTTP/1.1 ').slice(1);
  return heads.map((head) =>
    [...head.matchAll(/^(?:set-cookie|cache-control): (.*)\r$/gim)].map(([, value]) =>
      value!.replace(/\|[\w+/]{5}/g, '|DATE'),
    ),
  );
}

/** Sets a cookie of its own when it is asked for /own. */
async function serverWithCookies(t: TestContext): Promise<number> {
  const server = createServer((request, response) => {
    request.resume();
    if (request.url === '/own') response.setHeader('Set-Cookie', 'SRV=own; path=/app');
    response.setHeader('Content-Length', 0).end();
  });
  server.keepAliveTimeout = 60_000;
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return (server.address() as AddressInfo).port;
}
