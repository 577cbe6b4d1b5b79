/** The same request through HAProxy and carpool, logged in every format: but for times, ports and sizes the lines are the same. */
import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { type TestContext, test } from 'node:test';
import { type Program, startBalancer, until } from '../helpers/balancers.js';
import { needs } from '../helpers/peers.js';
import { freePort } from '../helpers/ports.js';

const FIELDS = [
  '%B %CC %CS %H %HM %HP %HPO %HQ %HU %HV %ST %T %Ta %Tc %Td %Th %Ti %Tl %TR %Tq %Tr %Ts %Tt %Tu %Tw %U',
  '%ac %b %bc %bi %bp %bq %ci %cp %f %fc %fi %fp %ft %lc %hr %hrl %hs %hsl %ms %pid %r %rc %rt',
  '%s %sc %si %sp %sq %sslc %sslv %t %tr %trg %trl %ts %tsc',
].join(' ');

const SAMPLES = [
  '%[src] %{+Q}[src] %[dst] %[dst_port] %[status] %[method] %[fe_conn] %[nbsrv(www)] %[srv_is_up(www/s1)]',
  '%[capture.req.hdr(0)] %{+Q}[capture.req.hdr(0)] %{+E}[capture.req.hdr(0)] %[capture.req.hdr(1)] %{+Q}[capture.req.hdr(1)]',
  '%[capture.req.uri] %{+Q,+E}[capture.req.uri] %[capture.req.uri,upper,field(3,/)] %[capture.req.uri,word(1,/),length]',
  '%[capture.req.method] %[capture.req.ver] %[capture.res.hdr(0)] %[capture.res.ver] %[unique-id] %{+Q}[unique-id]',
  '%[fe_name] %[be_name] %[srv_name] %[bool(1)] %[bool(0)] %[str(a)] %[int(5)] %[fc_err] %[fc_err_str] %[date] %[hostname]',
].join(' ');
const CAPTURES =
  'capture request header User-Agent len 64\n  capture request header X-None len 9\n  capture response header Server len 20';

/** The format's lines of a `listen` section. */
const FORMATS: Readonly<Record<string, string>> = {
  // the first: no count has come to A yet
  'hexadecimal fields': 'log-format "%{+X}o %ci %fi %si %lc %rt %ST %B %ac %rc %b"',
  httplog: 'option httplog',
  'httplog with captures':
    'option httplog\n  capture request header User-Agent len 9\n  capture request header X-None len 9\n  capture response header Server len 20',
  'httplog with a cookie': 'option httplog\n  capture cookie SESS len 14',
  'httplog with a cookie that is no cookie': 'option httplog\n  capture cookie SESS= len 14',
  clf: 'option httplog clf\n  capture request header User-Agent len 64',
  tcplog: 'option tcplog',
  connect: '',
  'every field': `${CAPTURES}\n  log-format "${FIELDS}"`,
  'quoted fields': `${CAPTURES}\n  log-format "%{+Q}o ${FIELDS}"`,
  'escapes and flags': 'log-format "100%%\\ %{+Q}b%{-Q}s [%ci] %{+X}Ts %{+E}HU %{+Q,+E}HU"',
  'blanks without end': 'log-format "a   b  %hr   %hs  c "',
  samples: `${CAPTURES}\n  log-format "${SAMPLES}"`,
  'samples with escapes for all': `${CAPTURES}\n  log-format "%{+Q,+E}o ${SAMPLES}"`,
  'samples in structured data':
    'no log\n  log stderr format rfc5424 local0\n  log-format-sd "%{+Q,+E}o [id@1234 uri=%[capture.req.uri]]"\n  option httplog',
  logasap: 'option httplog\n  option logasap',
  'structured data':
    'option httplog\n  no log\n  log stderr format rfc5424 local0\n  log-format-sd "%{+Q,+E}o [id@1234 status=%ST path=%HU]"',
  'no structured data': 'option httplog\n  no log\n  log stderr format rfc5424 local0',
};
const REQUEST =
  'GET http://example.org/a/b?c="d"&e=\\] HTTP/1.1\r\nHost: example.org\r\nUser-Agent: a|b{c}"d\r\nCookie: SESS; a=1; SESSION=a"bcdefgh; SESSION=2\r\nConnection: close\r\n\r\n';

test('HAProxy and carpool log alike in every format', { skip: needs('haproxy') }, async (t) => {
  const server = await startServer(t);
  const [theirs, ours] = await Promise.all(
    (['haproxy', 'carpool'] as const).map((program) => linesOf(t, program, server)),
  );
  assert.deepEqual(ours, theirs);
});

/** By format, its line; one after the other, so that each tells its own. */
async function linesOf(t: TestContext, program: Program, server: number): Promise<Record<string, string>> {
  const formats = Object.entries(FORMATS);
  const ports = await Promise.all(formats.map(freePort));
  const probed = await freePort();
  const sections = formats.map(([, lines], index) => sectionOf(`www${index}`, lines, ports[index]!, server));
  const { log } = await startBalancer(t, program, configOf(sections.join(''), probed), probed);
  const found: Record<string, string> = {};
  for (const [index, [name]] of formats.entries()) {
    ask(ports[index]!);
    await until(`${program} logs ${name}`, () => linesIn(log()).length > index);
    found[name] = normal(linesIn(log())[index]!);
  }
  return found;
}

test('HAProxy and carpool tell servers the same unique id, and log it', { skip: needs('haproxy') }, async (t) => {
  const told: string[] = [];
  const server = await startServer(t, told);
  const lines =
    'log-format "%ID of %HM"\n  unique-id-format "%{+X}o:%ci-%HU-%b-%[req.hdr(host)]-%[path,upper]-%[req.hdr(x)]-%[src]"\n  unique-id-header X-Id\n  option forwardfor';
  for (const program of ['haproxy', 'carpool'] as const) {
    const [port, probed] = [await freePort(), await freePort()];
    const { log } = await startBalancer(t, program, configOf(sectionOf('www', lines, port, server), probed), probed);
    ask(port);
    await until(`${program} logs`, () => linesIn(log()).length > 0);
    assert.equal(linesIn(log())[0], `${told.at(-1)} of GET`);
  }
  assert.equal(told[1], told[0]);
  assert.match(told[0]!, /^:7F000001-.*a\/b\?c=/);
});

function configOf(sections: string, probed: number): string {
  return `global
  log stderr format raw local0
defaults
  mode http
  timeout connect 20s
  timeout client 20s
  timeout server 20s
${sections}listen probed
  bind 127.0.0.1:${probed}
`;
}

function sectionOf(name: string, lines: string, port: number, server: number): string {
  return `listen ${name}
  log global
  bind 127.0.0.1:${port}
  ${lines.replaceAll('(www', `(${name}`)}
  log-tag ignored
  server s1 127.0.0.1:${server}
`;
}

/** Those that tell of a request, not of the program. */
function linesIn(log: string): string[] {
  const lines = log.split('\n').slice(0, -1);
  return lines.filter((line) => !/^\[(NOTICE|WARNING|ALERT)\]|^ +|^\d{4}-|\.cfg:/.test(line));
}

/** Numbers become 0, of any sign; months a word. */
function normal(line: string): string {
  return line
    .replaceAll(/0x[0-9A-F]+|[0-9A-F]{8}/g, '0')
    .replaceAll(/-?\d+/g, '0')
    .replaceAll(/\b[A-Z][a-z]{2}\b/g, 'Mon');
}

function ask(port: number): void {
  const socket = connect(port, '127.0.0.1', () => socket.write(REQUEST));
  socket.on('error', () => {}).resume();
}

async function startServer(t: TestContext, told: string[] = []): Promise<number> {
  const server = createServer((request, response) => {
    told.push(String(request.headers['x-id']));
    response.writeHead(200, { Server: 'one "two"', 'Set-Cookie': ['SESS; a=2', 'SESSION=xy; path=/'] }).end('body');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => server.close().closeAllConnections());
  return (server.address() as AddressInfo).port;
}
