/** What HAProxy and carpool log of connections that fail before they are a request: the same lines at the same level. */
import assert from 'node:assert/strict';
import { connect, type Socket } from 'node:net';
import { type TestContext, test } from 'node:test';
import { type Program, startBalancer, until } from '../helpers/balancers.js';
import { needs } from '../helpers/peers.js';
import { freePort } from '../helpers/ports.js';

type Act = (client: Socket) => void;
const say =
  (text: string): Act =>
  (client) =>
    void client.write(text);

/** `announced`: to the port where a PROXY protocol header must come first. The brief ones are those that wait in silence. */
type Place = 'plain' | 'announced' | 'brief' | 'brief_announced';
const CASES: Readonly<Record<string, readonly [Place, Act]>> = {
  'no HTTP': ['plain', say('no request at all\r\n\r\n')],
  'half a head, then FIN': ['plain', (client) => void client.end('GET / HT')],
  'half a head, then silence': ['brief', say('GET / HT')],
  'no byte, then FIN': ['plain', (client) => void client.end()],
  'a request without a server': ['plain', say('GET / HTTP/1.0\r\n\r\n')],
  'no header': ['announced', say('GET / HTTP/1.1\r\n\r\n')],
  'a wrong header': ['announced', say('PROXY TCP4 1.2.3.4 x 1 2\r\n')],
  'part of a header, then FIN': ['announced', (client) => void client.end('PROXY TCP4 1.2')],
  'no header, then FIN': ['announced', (client) => void client.end()],
  'no header, then silence': ['brief_announced', () => {}],
};
const LAST = 'GET /last HTTP/1.0\r\n\r\n';

/** Lines of the frontend. */
const SETTINGS: Readonly<Record<string, string>> = {
  'the usual formats': 'option httplog',
  'a format of their own': 'option httplog\n  error-log-format "%ci %ft %ST %ts %[fc_err] %{+Q}[fc_err_str] %r %[src]"',
  'a level of their own': 'option httplog\n  option log-separate-errors\n  error-log-format "failed %[fc_err]"',
  'nothing about those who say nothing': 'option httplog\n  option dontlognull',
  'a level and no lines of what went well': 'option httplog\n  option log-separate-errors\n  option dontlog-normal',
};

for (const [name, lines] of Object.entries(SETTINGS)) {
  test(`HAProxy and carpool log failures alike: ${name}`, { skip: needs('haproxy') }, async (t) => {
    const [theirs, ours] = await Promise.all([linesOf(t, 'haproxy', lines), linesOf(t, 'carpool', lines)]);
    assert.deepEqual(ours, theirs);
  });
}

/** By case what it logged; a request that comes last tells that there is no more. */
async function linesOf(t: TestContext, program: Program, lines: string): Promise<Record<string, string[]>> {
  const ports = {
    plain: await freePort(),
    announced: await freePort(),
    brief: await freePort(),
    brief_announced: await freePort(),
    probed: await freePort(),
  };
  const balancer = await startBalancer(t, program, configOf(lines, ports), ports.probed);
  const logged = () =>
    balancer
      .log()
      .split('\n')
      .slice(0, -1)
      .filter((line) => line.startsWith('<'));
  const found: Record<string, string[]> = {};
  for (const [name, [port, act]] of Object.entries(CASES)) {
    const before = logged().length;
    const client = connect(ports[port], '127.0.0.1');
    const closed = new Promise((resolve) => client.once('close', resolve));
    client.on('error', () => {}).resume();
    client.once('connect', () => act(client));
    await closed;
    connect(ports.plain, '127.0.0.1')
      .on('error', () => {})
      .resume()
      .write(LAST);
    await until(`${program} logs ${name}`, () =>
      logged()
        .slice(before)
        .some((line) => line.includes('/last')),
    );
    found[name] = logged()
      .slice(before)
      .filter((line) => !line.includes('/last'))
      .map(normal);
  }
  return found;
}

function configOf(
  lines: string,
  { plain, announced, brief, brief_announced, probed }: Record<Place | 'probed', number>,
): string {
  return `global
  nbthread 1
defaults
  mode http
  timeout client 20s
  timeout connect 20s
  timeout server 20s
frontend www
  log stderr format short local0
  bind 127.0.0.1:${plain}
  bind 127.0.0.1:${announced} name pp accept-proxy
  ${lines}
  default_backend none
frontend soon
  log stderr format short local0
  timeout client 400ms
  bind 127.0.0.1:${brief}
  bind 127.0.0.1:${brief_announced} name pp accept-proxy
  ${lines}
  default_backend none
backend none
frontend probed
  bind 127.0.0.1:${probed}
`;
}

/** Without dates, ports, times and sizes. */
function normal(line: string): string {
  return line
    .replaceAll(/127\.0\.0\.1:\d+ \[[^\]]*\]/g, 'CLIENT [DATE]')
    .replaceAll(/\d+\/-?\d+\/-?\d+\/-?\d+\/\d+ (-?\d+) \d+/g, 'TIMES $1 BYTES')
    .replaceAll(/(?<= \S{4} )\d+\/\d+(?=\/\d+\/\d+\/\d+ )/g, 'CLIENTS');
}
