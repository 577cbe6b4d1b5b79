/** Replies from `errorfile` lines and `http-errors` sections: HAProxy and carpool send the same one for each status. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, connect, createServer } from 'node:net';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { startBalancer } from '../helpers/balancers.js';
import { needs } from '../helpers/peers.js';
import { freePort } from '../helpers/ports.js';

/** Lines of a `listen` section, and from which file 503 and 502 are then answered. */
const CASES: readonly { readonly lines: readonly string[]; readonly replies: readonly [string, string] }[] = [
  { lines: [], replies: ['of-defaults', 'of-defaults'] },
  { lines: ['errorfiles site'], replies: ['of-site', 'of-site'] },
  { lines: ['errorfiles site 503'], replies: ['of-site', 'of-defaults'] },
  { lines: ['errorfiles site', 'errorfile 503 own'], replies: ['own', 'of-site'] },
  { lines: ['errorfile 503 own', 'errorfiles site'], replies: ['of-site', 'of-site'] },
];

test('HAProxy and carpool answer with the same replies of the user', { skip: needs('haproxy') }, async (t) => {
  const directory = mkdtempSync('/tmp/carpool-error-files-');
  t.after(() => rmSync(directory, { recursive: true }));
  const server = await closingServer(t);
  const pathOf = (name: string) => join(directory, name);
  for (const name of ['of-defaults', 'of-site', 'own'])
    writeFileSync(pathOf(name), `HTTP/1.0 503 Mine\r\nContent-Type: text/plain\r\n\r\n${name}`);
  for (const program of ['haproxy', 'carpool'] as const) {
    const ports = await Promise.all(CASES.map(async () => [await freePort(), await freePort()] as const));
    const sections = CASES.map(({ lines }, index) => {
      const said = lines.map((line) => `  ${line.replace(/own$/, pathOf('own'))}\n`).join('');
      const [without, closing] = ports[index]!;
      const lost = `listen lost${index}\n  bind 127.0.0.1:${without}\n${said}`;
      return `${lost}listen cut${index}\n  bind 127.0.0.1:${closing}\n  server s 127.0.0.1:${server}\n${said}`;
    });
    const files = (name: string) => [503, 502].map((status) => `  errorfile ${status} ${pathOf(name)}\n`).join('');
    const config = `defaults
  mode http
  timeout connect 20s
  timeout client 20s
  timeout server 20s
  errorfiles other
${sections.join('')}http-errors site
${files('of-site')}http-errors other
${files('of-defaults')}`;
    await startBalancer(t, program, config, ports.at(-1)![1]);
    for (const [index, { replies }] of CASES.entries()) {
      const answers = await Promise.all(ports[index]!.map(replyFrom));
      assert.deepEqual(answers, replies, `${program}: ${CASES[index]!.lines.join(', ')}`);
    }
  }
});

/** Lines of a `listen` section without a server; `-` is the path of a file. */
const MADE: readonly string[] = [
  'errorloc 503 /sorry.html',
  'errorloc302 503 https://www.example.org/?a=b',
  'errorloc303 503 /sorry.html',
  'http-error status 503 content-type text/plain string "sorry %[src] 100%%" hdr x-a b hdr x-c 100%%',
  'http-error status 503 content-type text/plain lf-string "100%% sorry"',
  'http-error status 503 content-type text/plain file - hdr Retry-After 5',
  'http-error status 503 hdr x-a b',
  'http-error status 503 errorfile -',
  'http-error status 503',
];

test('HAProxy and carpool make the same replies of errorloc and http-error', { skip: needs('haproxy') }, async (t) => {
  const directory = mkdtempSync('/tmp/carpool-http-error-');
  t.after(() => rmSync(directory, { recursive: true }));
  const path = join(directory, 'reply');
  writeFileSync(path, 'HTTP/1.0 503 Mine\r\nContent-Type: text/plain\r\n\r\nof a file');
  const said: string[][] = [];
  for (const program of ['haproxy', 'carpool'] as const) {
    const ports = await Promise.all(MADE.map(freePort));
    const sections = MADE.map((line, index) => {
      return `listen made${index}\n  bind 127.0.0.1:${ports[index]}\n  ${line.replace(/ -(?= |$)/, ` ${path}`)}\n`;
    });
    const config = `defaults\n  mode http\n  timeout client 20s\n${sections.join('')}`;
    await startBalancer(t, program, config, ports.at(-1)!);
    const replies = await Promise.all(ports.map((port) => wholeReplyFrom(port!, 'Connection: close')));
    said.push(replies.map(comparable));
  }
  assert.deepEqual(said[1], said[0]);
  assert.match(said[0]![0]!, /^302 Found\n(.*\n)*location: \/sorry\.html\n/);
});

/** Field names in small letters and in order, without `connection` and HAProxy's HTTP version. */
function comparable(reply: string): string {
  const [head = '', body = ''] = reply.split('\r\n\r\n');
  const [first = '', ...fields] = head.split('\r\n');
  const names = fields.map((field) => field.replace(/^[^:]+/, (name) => name.toLowerCase()));
  const kept = names.filter((field) => !field.startsWith('connection:') && !field.startsWith('content-length:'));
  return [first.slice('HTTP/1.1 '.length), ...kept.sort(), body].join('\n');
}

/** Takes a request and says nothing. */
async function closingServer(t: TestContext): Promise<number> {
  const server = createServer((socket) => socket.on('error', () => {}).on('data', () => socket.end()));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => server.close());
  return (server.address() as AddressInfo).port;
}

/** The body of the reply. */
async function replyFrom(port: number): Promise<string> {
  return (await wholeReplyFrom(port, 'X-A: b')).split('\r\n\r\n')[1] ?? '';
}

function wholeReplyFrom(port: number, field: string): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = '';
    const socket = connect(port, '127.0.0.1', () => socket.write(`GET / HTTP/1.1\r\nHost: a\r\n${field}\r\n\r\n`));
    socket.setEncoding('latin1').on('data', (more: string) => {
      text += more;
    });
    socket.on('error', reject).on('close', () => resolve(text));
  });
}
