/** Conditions, from what people write to whether they hold. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { loadConfig } from '#src/config/load.js';
import type { Match } from '#src/config/model.js';
import { regularExpression } from '#src/config/regular-expression.js';
import { Message } from '#src/proxy/http/message.js';
import { parseRequest } from '#src/proxy/http/parse-head.js';
import { compileRuleCondition } from '#src/proxy/sample/condition.js';
import { matcherOf } from '#src/proxy/sample/matches.js';
import type { Proxies } from '#src/proxy/sample/subject.js';

const REQUEST = [
  'GET /Static/app.js?v=2&user=anna HTTP/1.1',
  'Host: www.Example.org:8080',
  'Accept: text/html, "a,b", text/plain',
  'X-Forwarded-For: 10.1.2.3, 192.0.2.9',
  'Cookie: a=1; session=abc; a=2',
  'Content-Length: 12',
  'X-Drink: café',
  '',
  '',
].join('\r\n');

const PROXIES: Proxies = {
  usableServers: (backend) => (backend === 'web' ? 2 : 0),
  isUp: (_backend, server) => server === 's1',
  serverConnections: () => 7,
  serverQueue: () => 0,
  backendQueue: () => 3,
  backendConnections: () => 12,
  frontend_connections: 20,
  frontend_name: 'www',
  groupsIn: () => undefined,
};

const FILES = new Map([
  ['paths.txt', '# of the site\n\n  /Static/app.js\r\n/other path\n'],
  ['hosts.txt', 'example.(org|net)\n'],
]);

function load(condition: string, acls = '') {
  const text = `frontend f\n mode http\n bind :80\n timeout client 1s\n${acls} use_backend web if ${condition}\nbackend web\n mode http\n timeout connect 1s\n timeout server 1s\n server s1 10.0.0.1:80\n server s2 10.0.0.2:80\n`;
  return loadConfig([{ file: 'haproxy.cfg', text }], { readPatterns: (path) => FILES.get(path) });
}

function holds(condition: string, acls = ''): boolean {
  const { config, diagnostics } = load(condition, acls);
  assert.ok(config, JSON.stringify(diagnostics));
  const bytes = new TextEncoder().encode(REQUEST);
  const head = new Message();
  assert.ok(parseRequest(bytes, 0, bytes.length, head) > 0);
  return compileRuleCondition(config.frontends[0]?.use_backends[0]?.when)({
    bytes,
    head,
    source: { address: '192.0.2.77', port: 40_000 },
    destination: { address: '2001:db8::1', port: 80 },
    proxies: PROXIES,
    response: null,
    outcome: null,
  });
}

const TRUE = [
  '{ path /Static/app.js }',
  '{ path -i /static/APP.JS }',
  '{ path_beg /Static }',
  '{ path_end .js .css }',
  '{ path_dir Static }',
  '{ path_reg ^/[A-Z]\\\\w+/ }',
  '{ path -f paths.txt }',
  '{ path -i -f paths.txt -f hosts.txt /x }',
  '{ hdr(host) -i -m reg -f hosts.txt }',
  '{ path_reg -i ^/STATIC/[[:alpha:]]+ }',
  '{ path -m bin 2f5374617469632f6170702e6a73 }',
  '{ path,regsub(a,A,g) /StAtic/App.js }',
  '{ path,regsub(^/[a-z]+/(app),/\\\\1s,i) /apps.js }',
  '{ path -m len 14 }',
  '{ path,lower -m beg /static }',
  '{ pathq /Static/app.js?v=2&user=anna }',
  '{ query v=2&user=anna }',
  '{ url_param(user) anna }',
  '{ urlp(v) -m int 1:3 }',
  '{ url_sub user= }',
  '{ hdr(host) -i www.example.org:8080 }',
  '{ hdr_dom(host) -i example }',
  '{ hdr(host),field(2,:) -m int 8080 }',
  '{ hdr(host),word(1,.) www }',
  '{ hdr(host),upper,length 20 }',
  '{ hdr(accept) text/plain }',
  '{ hdr(accept,2) \'"a,b"\' }',
  '{ hdr(accept,-1) text/plain }',
  '{ hdr_cnt(accept) 3 }',
  '{ req.fhdr(accept) -m sub ", text/plain" }',
  '{ hdr_ip(x-forwarded-for) 192.0.2.0/24 }',
  '{ hdr_val(content-length) ge 12 le 12 }'.replace(' le 12', ''),
  '{ cook(session) abc }',
  '{ req.cook(a) 2 }',
  '{ cook_cnt(a) 2 }',
  '{ base_beg www.Example.org:8080/Static }',
  '{ src 10.0.0.0/8 192.0.2.64/26 }',
  '{ src_port ge 1024 }',
  '{ dst 2001:db8::/32 }',
  '{ dst_port 80 443 }',
  '{ method GET }',
  'METH_GET HTTP_1.1 HTTP_URL_SLASH HTTP_CONTENT',
  '!LOCALHOST !METH_POST TRUE',
  'FALSE or { nbsrv(web) gt 1 }',
  '{ srv_is_up(web/s1) } !{ srv_is_up(web/s2) }',
  '{ queue(web) 3 } { be_conn(web) lt 13 } { fe_conn 20 } { srv_conn(web/s1) 7 }',
  '{ hdr(nothing) -m found } || { hdr(accept) -m found }',
  '{ int(5) 5 } { str(a) a } { bool(1) } { always_true } !{ always_false }',
  '{ src,ipmask(24,64) 192.0.2.0 } !{ src,ipmask(24,64) 192.0.2.1 }',
  '{ hdr(host),host_only www.example.org } { hdr(host),port_only 8080 }',
  '{ query,param(v) 2 } { urlp_val(v) 2 } { baseq -m end =anna }',
  '{ bin(6162) 6162 } { str(ab),sha1,bytes(0,2) DA23 }',
  '{ int(3),odd } !{ int(3),mod(3),bool } { str(7x),add(1),mul(2) 16 }',
  '{ str(carpool),xxh64,xor(1) -m int ge 0 } || { str(carpool),xxh64 -m found }',
  '{ req.fhdr_cnt(accept) 1 } { req.hdr_names -m sub accept } { cook_val(a) 2 }',
  '! { path /x }',
  '{ hdr(x-drink) café } { hdr(x-drink) caf\\xC3\\xA9 } { hdr_len(x-drink) 5 } { str(café) -m end é } !{ hdr_sub(x-drink) \\xE9 }',
];

test('conditions hold as the manual says', () => {
  for (const condition of TRUE) assert.equal(holds(condition), true, condition);
});

test('what differs does not hold', () => {
  const conditions = [
    '{ path /static/app.js }',
    '{ path_dir stat }',
    '{ hdr_dom(host) ample }',
    '{ hdr(accept) text }',
    '{ hdr(missing) "" }',
    '{ src 192.0.2.0/26 }',
    '{ src 2001:db8::/32 }',
    '{ url_param(use) anna }',
    '{ cook(sess) abc }',
    'METH_POST or HTTP_1.0 or LOCALHOST or HTTP_URL_ABS',
    '{ hdr(host),field(9,:) -m found }',
  ];
  for (const condition of conditions) assert.equal(holds(condition), false, condition);
});

test('an IPv4 address is the same when an IPv6 socket calls it ::ffff:a.b.c.d', () => {
  const found = (pattern: string, value: string) =>
    matcherOf({ method: 'ip', networks: [pattern] } as Match)(value as never);
  assert.equal(found('10.0.0.0/8', '::ffff:10.1.2.3'), true);
  assert.equal(found('10.0.0.0/8', '::ffff:11.1.2.3'), false);
  assert.equal(found('::ffff:10.0.0.0/104', '10.1.2.3'), true);
  assert.equal(found('::ffff:10.1.2.3', '::ffff:10.1.2.3'), true);
  assert.equal(found('::/0', '10.1.2.3'), true);
  assert.equal(found('::1', '0.0.0.1'), false);
});

test('ACLs of one name are alternatives, and several patterns too', () => {
  const acls = ' acl ok path /a /b\n acl ok method HEAD GET\n acl no path /a\n';
  assert.equal(holds('ok !no', acls), true);
  assert.equal(holds('no or !ok', acls), false);
});

test('what is not understood is said, and where', () => {
  const wrong: [string, string][] = [
    ['{ nothing }', 'unsupported-sample'],
    ['{ status 200 }', 'bad-condition'],
    ['{ srv_name s1 }', 'bad-condition'],
    ['{ path,md5 x }', 'unsupported-sample'],
    ['{ path,mod(0) 1 }', 'bad-sample'],
    ['{ path,field(0,/) x }', 'bad-sample'],
    ['{ src,ipmask(33) 10.0.0.0 }', 'bad-sample'],
    ['{ src,ipmask(255.0.0) 10.0.0.0 }', 'bad-sample'],
    ['{ path,sha1,add(1) 1 }', 'bad-sample'],
    ['{ ipv4(10.0.0) 10.0.0.0 }', 'bad-sample'],
    ['{ bin(6) 61 }', 'bad-sample'],
    ['{ hdr x }', 'bad-sample'],
    ['{ path }', 'bad-condition'],
    ['{ path /a', 'bad-condition'],
    ['{ nbsrv(web) many }', 'bad-condition'],
    ['{ src 10.0.0.0/33 }', 'bad-pattern'],
    ['{ path_reg ( }', 'bad-pattern'],
    ['{ path -f file }', 'unreadable-file'],
    ['{ path -m bin 0 }', 'bad-pattern'],
    ['is_apy', 'unknown-acl'],
    ['{ nbsrv(wob) 1 }', 'unknown-backend'],
    ['{ srv_is_up(web/s3) }', 'unknown-server'],
    ['', 'bad-condition'],
  ];
  for (const [condition, code] of wrong) {
    const { config, diagnostics } = load(condition, ' acl is_api path /api\n');
    assert.equal(config, undefined, condition);
    assert.deepEqual(
      diagnostics.filter(({ severity }) => severity === 'error').map((diagnostic) => diagnostic.code),
      [code],
      `${condition}: ${JSON.stringify(diagnostics)}`,
    );
  }
});

test('no expression that is accepted takes longer than its text is long, however it is written', () => {
  const text = 'a'.repeat(16_000);
  for (const pattern of ['^(a+)+$', '(a|a)*b', '(.*a){12}b', '^(([a-z])+.)+[A-Z]([a-z])+$', '(a?){50}a{50}b']) {
    const expression = regularExpression(pattern, false);
    const begin_ms = performance.now();
    assert.equal(expression?.test(`${text}!`), false, pattern);
    assert.ok(performance.now() - begin_ms < 30_000, pattern); // JavaScript's own would take longer than the universe is old
  }
});

test('an expression that would need backtracking is refused, with its place', () => {
  for (const condition of [
    '{ path_reg (?=x)a }',
    '{ path_reg (a)\\\\1 }',
    '{ path,regsub((?!a),b) x }',
    '{ path -m bin 2f5 }',
  ]) {
    const { config, diagnostics } = load(condition);
    assert.equal(config, undefined, condition);
    assert.equal(diagnostics.find(({ severity }) => severity === 'error')?.code, 'bad-pattern', condition);
  }
});
