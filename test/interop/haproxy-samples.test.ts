/** What converters and fetches make of the same values in HAProxy and in carpool: one request, and its line in the log. */
import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { type TestContext, test } from 'node:test';
import { type Program, startBalancer, until } from '../helpers/balancers.js';
import { needs } from '../helpers/peers.js';
import { freePort } from '../helpers/ports.js';

/** Of constants and of the connection: HAProxy takes them in log-format. */
const OF_VALUES: readonly string[] = [
  ...['5,_', '1,_', '2,_,0', '2,_,2', '-1,_', '-2,_,3', '-3,_,0', '9,_', '3,_,9', '-9,_'].map(
    (args) => `str(f1_f2_f3__f5),field(${args})`,
  ),
  ...['4,_', '2,_,0', '3,_,2', '-1,_', '-2,_,3', '-3,_,0', '9,_'].map((args) => `str(f1_f2_f3__f5),word(${args})`),
  'str(/f1/f2/f3/f4),word(1,/)',
  'str(abcdef),bytes(2)',
  'str(abcdef),bytes(2,3)',
  'str(abcdef),bytes(9)',
  'str(abcdef),bytes(4,9)',
  'str(a-B),upper,hex',
  'str(a-B),lower,base64',
  'str(YS1i),b64dec',
  'str(YS1i!),b64dec',
  'str(a>?b),ub64enc',
  'str(YT4_Yg),ub64dec',
  'str(xxabcxx),ltrim(x)',
  'str(xxabcxx),rtrim(x)',
  'str(a%20b+c?d+e),url_dec',
  'str(a%20b+c),url_dec(1)',
  'str(a%2),url_dec',
  'str(a b/c?d=!),url_enc',
  ...['Example.org:8080', 'Example.org', '[::1]:80', '[::1]', '127.0.0.1:9'].flatMap((host) => [
    `str(${host}),host_only`,
    `str(${host}),port_only`,
  ]),
  ...['crc32', 'crc32c', 'djb2', 'sdbm', 'wt6'].flatMap((hash) => [
    `str(carpool),${hash}`,
    `str(carpool),${hash}(1)`,
    `src,${hash}`,
    `int(7),${hash}`,
  ]),
  ...['', '(1)', '(4000000000)'].flatMap((seed) => [
    `str(carpool),xxh32${seed}`,
    `str(carpool),xxh64${seed}`,
    `str(a longer text than sixteen or even thirty-two bytes are),xxh32${seed}`,
    `str(a longer text than sixteen or even thirty-two bytes are),xxh64${seed}`,
  ]),
  'str(carpool),sha1,hex',
  'str(carpool),xxh64,mod(1000)',
  'src,hex',
  'src,ipmask(8)',
  'src,ipmask(255.255.0.0)',
  'src,ipmask(24,64)',
  'src,mod(10)',
  'ipv6(2001:db8:1:2:3::4),ipmask(24,48)',
  'ipv6(2001:db8:1:2:3::4),ipmask(24)',
  'str(10.1.2.3),ipmask(16)',
  'str(ten),ipmask(16)',
  'int(260),hex',
  'str(1f),hex2i',
  'str(xyz),hex2i',
  'bin(6162),hex',
  ...[
    'add(3)',
    'sub(20)',
    'mul(-4)',
    'div(4)',
    'mod(4)',
    'and(10)',
    'or(5)',
    'xor(6)',
    'neg',
    'cpl',
    'even',
    'odd',
    'not',
  ].map((step) => `int(13),${step}`),
  'int(-13),div(4)',
  'int(-13),mod(4)',
  'int(9000000000000000000),add(1)',
  'str(12abc),add(1)',
  'str(abc),add(1)',
  'bool(true),iif(yes,no)',
  'int(0),iif(yes,no)',
  'ipv4(10.0.0.1),length',
  'meth(GET),lower',
];

/** Of the request: HAProxy takes them in unique-id-format. */
const OF_REQUESTS: readonly string[] = [
  'base',
  'baseq',
  'path',
  'pathq',
  'url',
  'query',
  'url_param(b)',
  'url_param(n)',
  'urlp_val(n)',
  'url_param(none)',
  'req.hdr(x-list)',
  'req.hdr(x-list,1)',
  'req.hdr(x-list,-1),upper',
  'req.fhdr(x-list)',
  'req.hdr_cnt(x-list)',
  'req.fhdr_cnt(x-list)',
  'req.hdr_names',
  'req.hdr_names(;)',
  'req.cook(number)',
  'cook_val(number)',
  'req.hdr(host),host_only',
  'req.hdr(host),port_only',
  'path,word(-1,/)',
  'path,crc32,mod(16)',
  'method,lower',
  'req.hdr(x-forwarded-for,-1),ipmask(24)',
];

const REQUEST = [
  'GET /one/two/three?a=1&b=two&n=12x HTTP/1.1',
  'Host: Example.org:8080',
  'X-List: a, "b,c"',
  'X-List: d',
  'X-Forwarded-For: 192.0.2.77, 198.51.100.99',
  'Cookie: x=y; number=42abc',
  'Connection: close',
  '\r\n',
].join('\r\n');
const BETWEEN = '~';

const formatOf = (expressions: readonly string[]) =>
  expressions.map((expression) => `%[${expression.replace(/[ ]/g, '\\ ')}]`).join(BETWEEN);

/** HAProxy cuts unique ids off at 127 bytes. */
const IN_ONE_ID = 2;

for (const [what, expressions, size, linesFor] of [
  ['constants and connections', OF_VALUES, OF_VALUES.length, (format: string) => `log-format "%f${BETWEEN}${format}"`],
  [
    'requests',
    OF_REQUESTS,
    IN_ONE_ID,
    (format: string) => `unique-id-format "${format}"\n  log-format "%f${BETWEEN}%ID"`,
  ],
] as const) {
  test(`samples of ${what} have the values that HAProxy gives them`, { skip: needs('haproxy') }, async (t) => {
    const sections: string[] = [];
    for (let at = 0; at < expressions.length; at += size) {
      sections.push(linesFor(formatOf(expressions.slice(at, at + size))));
    }
    const [theirs, ours] = await Promise.all(
      (['haproxy', 'carpool'] as const).map(async (program) => {
        const values = await logged(t, program, sections);
        return expressions.map((expression, index) => `${expression} = ${values[index]}`);
      }),
    );
    assert.deepEqual(ours, theirs);
  });
}

/** The parts of the lines that one request in each section makes. */
async function logged(t: TestContext, program: Program, sections: readonly string[]): Promise<string[]> {
  const server = createServer((_request, response) => response.end('ok')).listen(0, '127.0.0.1');
  t.after(() => void server.close().closeAllConnections());
  const ports: number[] = [];
  for (const _ of sections) ports.push(await freePort());
  const listen = sections.map(
    (lines, index) => `listen n${index}
  bind 127.0.0.1:${ports[index]}
  ${lines}
  server s1 127.0.0.1:${(server.address() as AddressInfo).port}
`,
  );
  const config = `global
  log stderr len 8000 format raw local0
defaults
  mode http
  log global
  option dontlognull
  timeout connect 20s
  timeout client 20s
  timeout server 20s
${listen.join('')}`;
  const { log } = await startBalancer(t, program, config, ports.at(-1) as number);
  for (const port of ports) connect(port, '127.0.0.1').end(REQUEST);
  const lineOf = (_: unknown, index: number) => {
    const line = log()
      .split('\n')
      .slice(0, -1)
      .find((text) => text.startsWith(`n${index}${BETWEEN}`));
    return line === undefined ? [] : line.split(BETWEEN).slice(1);
  };
  await until(`${program} logs`, () => sections.every((_, index) => lineOf(_, index).length > 0));
  return sections.flatMap(lineOf);
}
