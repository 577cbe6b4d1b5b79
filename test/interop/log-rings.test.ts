/** Rings: what HAProxy and carpool keep in them, show of them, and send to log servers over TCP. */
import assert from 'node:assert/strict';
import { existsSync, rmSync } from 'node:fs';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { type TestContext, test } from 'node:test';
import { askOnce, type Program, startBalancer, until } from '../helpers/balancers.js';
import { needs } from '../helpers/peers.js';
import { freePort } from '../helpers/ports.js';

const PROGRAMS: readonly Program[] = ['haproxy', 'carpool'];

type Places = {
  readonly port: number;
  readonly sock: string;
  readonly counted: number;
  readonly plain: number;
  readonly implied: number;
};

const configOf = ({ port, sock, counted, plain, implied }: Places) => `global
  stats socket ${sock} level admin
ring latest
  description "the latest lines"
  format rfc5424
  maxlen 200
  size 20000
  timeout connect 1s
  timeout server 2s
  server counted 127.0.0.1:${counted} log-proto octet-count
  server plain 127.0.0.1:${plain} log-proto legacy
ring bare
defaults
  mode http
  timeout client 1s
  timeout server 1s
  timeout connect 1s
  log-tag www
  option dontlognull
frontend f
  bind 127.0.0.1:${port}
  log ring@latest format short local1
  log ring@bare local1
  log tcp@127.0.0.1:${implied} local2
  log-format "%HM %HU"
  default_backend none
backend none
`;

test('HAProxy and carpool keep the same lines, show them, and send them to the same servers', {
  skip: needs('haproxy'),
}, async (t) => {
  const [theirs, ours] = await Promise.all(PROGRAMS.map((program) => observe(t, program)));
  assert.deepEqual(ours, theirs);
});

async function observe(t: TestContext, program: Program) {
  const [counted, plain, implied] = [await listen(t), await listen(t), await listen(t)];
  const places = { port: await freePort(), sock: `/tmp/carpool-rings-${process.pid}-${program}.sock` };
  t.after(() => rmSync(places.sock, { force: true }));
  const ports = { counted: counted.port, plain: plain.port, implied: implied.port };
  await startBalancer(t, program, configOf({ ...places, ...ports }), places.port);
  await until('its stats socket is there', () => existsSync(places.sock));
  await askOnce(places.port, '/one');
  const follower = connect(places.sock);
  let followed = '';
  follower.on('data', (text) => {
    followed += String(text);
  });
  follower.write('show events bare -w\n');
  await until('the follower has the first line', () => followed.includes('/one'));
  await askOnce(places.port, `/two${'x'.repeat(200)}`);
  await until(`${program} sends all`, () =>
    [counted.heard(), plain.heard(), implied.heard(), followed].every((text) => text.includes('/two')),
  );
  follower.destroy();
  const ask = async (command: string) => normal(await say(places.sock, command));
  const sinks = (await ask('show events')).split('\n').filter((line) => /^ {4}(latest|bare)/.test(line));
  return {
    counted: normal(counted.heard()),
    plain: normal(plain.heard()),
    implied: normal(implied.heard()),
    followed: normal(followed),
    sinks,
    latest: await ask('show events latest'),
    new_only: await ask('show events latest -n'),
    unknown: await ask('show events none'),
    wrong: await ask('show events latest -x'),
  };
}

test('lines wait in a ring for a log server that comes later, the oldest go first, and those that are lost are counted', async (t) => {
  const away = await freePort();
  const sock = `/tmp/carpool-rings-${process.pid}.sock`;
  t.after(() => rmSync(sock, { force: true }));
  const port = await freePort();
  const config = configOf({ port, sock, counted: away, plain: away, implied: away });
  const balancer = await startBalancer(t, 'carpool', config, port);
  await until('its stats socket is there', () => existsSync(sock));
  const client = connect(port, '127.0.0.1');
  client.on('error', () => {}).resume();
  const MANY = 200; // of 200 bytes each, where 20,000 have room
  for (let number = 0; number < MANY; number++)
    client.write(`GET /${number}${'x'.repeat(200)} HTTP/1.1\r\nHost: a\r\n\r\n`);
  await until('the last line is kept', async () => (await say(sock, 'show events latest')).includes(`/${MANY - 1}x`));
  client.destroy();
  const server = await listen(t, away);
  await askOnce(port, '/last'); // the next line looks for the server at the latest
  await until('the server has all that was left', () => server.heard().includes('/last'));
  const numbers = [...server.heard().matchAll(/GET \/(\d+)x/g)].map(([, number]) => Number(number));
  assert.ok(numbers.includes(MANY - 1) && !numbers.includes(0), numbers.join(' '));
  const [, dropped] = /latest +: type=buffer, (\d+) dropped/.exec(await say(sock, 'show events')) ?? [];
  assert.ok(Number(dropped) > 0);
  assert.ok(balancer.pid > 0);
});

/** A server that only listens. */
async function listen(t: TestContext, port = 0) {
  let heard = '';
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket
      .on('error', () => {})
      .on('data', (bytes) => {
        heard += String(bytes);
      });
  });
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  t.after(() => {
    server.close();
    for (const socket of sockets) socket.destroy();
  });
  return { port: (server.address() as AddressInfo).port, heard: () => heard };
}

async function say(sock: string, command: string): Promise<string> {
  const socket = connect(sock, () => socket.write(`${command}\n`));
  let text = '';
  for await (const piece of socket) text += String(piece);
  return text;
}

/** Without dates and pids; lengths tell how long the pid is. */
function normal(text: string): string {
  return text
    .replaceAll(/\d{4}-\d\d-\d\dT[\d:.+]+/g, 'DATE')
    .replaceAll(/\w{3} [ \d]\d \d\d:\d\d:\d\d/g, 'DATE')
    .replaceAll(/www \d+ - -/g, 'www PID - -')
    .replaceAll(/www\[\d+\]/g, 'www[PID]')
    .replaceAll(/^\d+ (?=<)/gm, 'LENGTH ')
    .replaceAll(/(?<=xxx)x+/g, 'X')
    .replaceAll(/(?<=[^\n])\d{2,3} <142>/g, 'LENGTH <142>');
}
