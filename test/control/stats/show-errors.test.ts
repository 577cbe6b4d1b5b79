/** `show errors` beside HAProxy's: the bytes of what was refused, and where it went wrong. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { type AddressInfo, connect, createServer } from 'node:net';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { type Program, startBalancer } from '../../helpers/balancers.js';
import { needs } from '../../helpers/peers.js';
import { freePort } from '../../helpers/ports.js';
import { askRuntime } from './runtime.js';

type Rig = { readonly port: number; readonly socket: string };

/** `answers`: what the server of each path says, before it closes. */
async function start(t: TestContext, program: Program, answer: string): Promise<Rig> {
  const directory = mkdtempSync('/tmp/carpool-errors-');
  t.after(() => rmSync(directory, { recursive: true }));
  const server = createServer((client) =>
    client.on('error', () => {}).once('data', () => client.end(answer, 'latin1')),
  );
  server.listen(0, '127.0.0.1');
  t.after(() => void server.close());
  await once(server, 'listening');
  const port = await freePort();
  const socket = join(directory, 'socket');
  await startBalancer(
    t,
    program,
    `global
 nbthread 2
 stats socket ${socket} level admin
defaults
 mode http
 timeout connect 1s
 timeout client 5s
 timeout server 5s
frontend web
 bind 127.0.0.1:${port}
 default_backend app
backend app
 server a 127.0.0.1:${(server.address() as AddressInfo).port}
`,
    port,
  );
  return { port, socket };
}

async function send(port: number, text: string): Promise<string> {
  const client = connect(port, '127.0.0.1').setEncoding('latin1');
  let answer = '';
  client.on('data', (more: string) => {
    answer += more;
  });
  client.write(text, 'latin1');
  await once(client, 'close');
  return answer;
}

/** What both can say: HAProxy tells of flags and sizes of its own as well. */
function comparable(answer: string): string[] {
  return answer
    .replace(/\[\d\d\/\w{3}\/\d{4}:\d\d:\d\d:\d\d\.\d{3}\]/g, '[date]')
    .replace(/src 127\.0\.0\.1:\d+/g, 'src 127.0.0.1:port')
    .replace(/, \d+ free,/g, ', many free,')
    .replace(/wraps at \d+/g, 'wraps at the end')
    .split('\n')
    .filter((line) => !/^ {2}H1 (connection flags|chunk len)/.test(line))
    .map((line) => line.replace(/^( {2}H1 msg state \S+\)).*$/, '$1'));
}

const REQUESTS = [
  'GET /x HTTP/1.1\r\nHost: a\r\nBad Header: x\\y\x01\xff\tz\r\nMore: yes\r\n\r\nbody',
  `GET /y${'x'.repeat(150)}\x1b\x07?a HTTP/1.1\r\nHost: a\r\n\r\n`,
  'GET /y HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nContent-Length: 6\r\nX: y\r\n\r\n',
  `GE\x02T /y HTTP/1.1\r\nHost: ${'\x05'.repeat(40)}\r\n\r\n`,
];

test('a refused request is shown as HAProxy shows it', { skip: needs('haproxy') }, async (t) => {
  const rigs = [await start(t, 'carpool', ''), await start(t, 'haproxy', '')];
  for (const request of REQUESTS) {
    const [ours, theirs] = await Promise.all(
      rigs.map(async ({ port, socket }) => {
        assert.match(await send(port, request), /^HTTP\/1\.[01] 400 /);
        return comparable(await askRuntime(socket, 'show errors'));
      }),
    );
    assert.deepEqual(ours, theirs, JSON.stringify(request));
  }
  for (const words of ['web', '2 request', 'web response', 'app', '77', 'zz', '-1 response']) {
    const [ours, theirs] = await Promise.all(
      rigs.map(async ({ socket }) => comparable(await askRuntime(socket, `show errors ${words}`))),
    );
    assert.deepEqual(ours, theirs, words);
  }
});

const RESPONSES = ['garbage \x01\x02\r\nmore: x\r\n\r\n', 'HTTP/1.1 200 OK\r\nA\x80b: c\r\n\r\n'];

test('a refused response is shown as HAProxy shows it', { skip: needs('haproxy') }, async (t) => {
  for (const response of RESPONSES) {
    const rigs = [await start(t, 'carpool', response), await start(t, 'haproxy', response)];
    const [ours, theirs] = await Promise.all(
      rigs.map(async ({ port, socket }) => {
        assert.match(await send(port, 'GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n'), /^HTTP\/1\.[01] 502 /);
        return comparable(await askRuntime(socket, 'show errors'));
      }),
    );
    assert.deepEqual(ours, theirs, JSON.stringify(response));
  }
});

test('chunks that make no sense are shown too, with their place where their beginning is there', async (t) => {
  const { port, socket } = await start(t, 'carpool', '');
  const head = 'POST /y HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n';
  await send(port, `${head}5\r\nhelloxx\r\n`);
  assert.match(
    await askRuntime(socket, 'show errors'),
    /error at position 65\n {2}H1 msg state MSG_CHUNK_SIZE\(26\) :\n/,
  );
  await send(port, 'POST http://a/ HTTP/1.1\r\nHost: b\r\n\r\n');
  assert.match(await askRuntime(socket, 'show errors'), /error at position 5\n/);
  assert.equal((await askRuntime(socket, 'show errors')).match(/ captured on .* : 2$/m)?.length, 1);
});
