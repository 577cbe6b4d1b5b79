/** Who may see the pages of frontends and backends, and who may change servers there; beside HAProxy. */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { type Program, startBalancer } from '../../helpers/balancers.js';
import { needs } from '../../helpers/peers.js';
import { freePort } from '../../helpers/ports.js';
import { parseStats, startWebServer } from './runtime.js';

async function start(t: TestContext, program: Program): Promise<string> {
  const [port, web] = [await freePort(), await startWebServer(t)];
  await startBalancer(
    t,
    program,
    `defaults
 mode http
 timeout connect 1s
 timeout client 5s
 timeout server 5s
frontend web
 bind 127.0.0.1:${port}
 acl metrics path_beg /m
 stats uri /own
 stats admin if { hdr(x-admin) -m found }
 http-request use-service prometheus-exporter if metrics !{ path /mine }
 use_backend api if { path_beg /api }
 default_backend app
backend app
 stats uri /app-stats
 server a 127.0.0.1:${web}
backend api
 stats uri /api/stats
 stats http-request deny if { hdr(x) d }
 stats http-request allow if { hdr(x) a }
 stats http-request auth realm Foo
 http-request use-service prometheus-exporter if { path /api/metrics }
 server b 127.0.0.1:${web}
 server c 127.0.0.1:${web}
`,
    port,
  );
  return `http://127.0.0.1:${port}`;
}

type Ask = { readonly path: string; readonly method?: string; readonly headers?: Record<string, string> };

/** Where answers come from: one of our pages, or a server. */
async function ask(base: string, { path, ...rest }: Ask): Promise<string> {
  const answer = await fetch(base + path, rest);
  const type = answer.headers.get('content-type')?.split(';')[0];
  const text = await answer.text();
  const from = text === 'hello' ? 'server' : answer.status !== 200 ? '' : type === 'text/html' ? 'page' : 'metrics';
  return [answer.status, from, answer.headers.get('www-authenticate') ?? ''].join(' ').trim();
}

const ASKED: readonly (readonly [Ask, string])[] = [
  [{ path: '/own' }, '200 page'],
  [{ path: '/own', method: 'PUT' }, '200 server'],
  [{ path: '/app-stats' }, '200 page'],
  [{ path: '/m' }, '200 metrics'],
  [{ path: '/metrics' }, '200 metrics'],
  [{ path: '/mine' }, '200 server'],
  [{ path: '/api/metrics' }, '200 metrics'],
  [{ path: '/api/x' }, '200 server'],
  [{ path: '/api/stats' }, '401  Basic realm="Foo"'],
  [{ path: '/api/stats', headers: { x: 'a' } }, '200 page'],
  [{ path: '/api/stats', headers: { x: 'd' } }, '403'],
  [{ path: '/api/metrics2' }, '200 server'],
];

test('pages of frontends, of default and chosen backends are found as in HAProxy', {
  skip: needs('haproxy'),
}, async (t) => {
  const [ours, theirs] = [await start(t, 'carpool'), await start(t, 'haproxy')];
  for (const [question, expected] of ASKED) {
    const said = await Promise.all([ours, theirs].map((base) => ask(base, question)));
    assert.deepEqual(said, [expected, expected], JSON.stringify(question));
  }
});

const FIELDS = { 'x-admin': '1', 'content-type': 'application/x-www-form-urlencoded' };

async function order(base: string, form: string, headers: Record<string, string> = {}): Promise<string | null> {
  const body = await fetch(`${base}/own`, {
    method: 'POST',
    redirect: 'manual',
    headers: { ...FIELDS, ...headers },
    body: form,
  });
  return `${body.status} ${body.headers.get('location')}`;
}

const FORMS: readonly (readonly [string, string])[] = [
  ['s=b&b=api&action=drain', 'DONE'],
  ['action=ready&b=api&s=b&s=c', 'DONE'],
  ['s=b&b=%233&action=ready', 'DONE'],
  ['s=b&s=zz&b=api&action=ready', 'PART'],
  ['b=api&action=ready', 'NONE'],
  ['s=b&action=ready', 'NONE'],
  ['s=b&b=api&action=dagent', 'NONE'],
  ['s=b&b=zz&action=ready', 'ERRP'],
  ['s=b&b=api&action=foo', 'ERRP'],
  [`s=b&b=api&action=maint&x=${'y'.repeat(40_000)}`, 'EXCD'],
  ['s=b&b=api&action=shutdown', 'DONE'],
  ['s=b&b=api&action=hnolb', 'DONE'],
  ['s=b&b=api&action=disable', 'DONE'],
];

test('forms are answered with HAProxy’s words', { skip: needs('haproxy') }, async (t) => {
  const [ours, theirs] = [await start(t, 'carpool'), await start(t, 'haproxy')];
  for (const [form, status] of FORMS) {
    const said = await Promise.all([ours, theirs].map((base) => order(base, form)));
    assert.deepEqual(said, Array(2).fill(`303 /own;st=${status}`), form.slice(0, 80));
  }
  const csv = parseStats(await (await fetch(`${ours}/own;csv`)).text());
  assert.deepEqual([csv.get('api/b')?.['status'], csv.get('api/c')?.['status']], ['MAINT', 'no check']);
});

test('a form that another site sent with the reader’s rights changes nothing', async (t) => {
  const base = await start(t, 'carpool');
  const say = (headers: Record<string, string>) => order(base, 's=b&b=api&action=maint', headers);
  const denied = '303 /own;st=DENY';
  assert.equal(await say({ origin: 'http://evil.example' }), denied);
  assert.equal(await say({ origin: 'null' }), denied);
  assert.equal(await say({ referer: 'http://evil.example/own' }), denied);
  assert.equal(await say({ 'sec-fetch-site': 'cross-site', origin: base }), denied);
  assert.equal(await say({ 'sec-fetch-site': 'same-site' }), denied);
  assert.equal(await say({ 'x-admin': '1', origin: `${base}0` }), denied);
  assert.equal(parseStats(await (await fetch(`${base}/own;csv`)).text()).get('api/b')?.['status'], 'no check');
  assert.equal(await say({ origin: base }), '303 /own;st=DONE');
  assert.equal(await say({ referer: `${base}/own` }), '303 /own;st=DONE');
  assert.equal(await say({ 'sec-fetch-site': 'same-origin', origin: 'http://behind.a.proxy' }), '303 /own;st=DONE');
});
