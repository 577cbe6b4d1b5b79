/** What the log says of servers that go and come, word for word as HAProxy: people's alerts look for these lines. */
import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { rmSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { type TestContext, test } from 'node:test';
import { askRuntime } from '../control/stats/runtime.js';
import { type Program, startBalancer, until } from '../helpers/balancers.js';
import { needs } from '../helpers/peers.js';
import { freePort } from '../helpers/ports.js';

/** Lines of both programs while two servers go and one comes back, without what differs by chance. */
async function linesOf(t: TestContext, program: Program): Promise<string[]> {
  const log = createSocket('udp4').bind(0, '127.0.0.1');
  await once(log, 'listening');
  t.after(() => log.close());
  const lines: string[] = [];
  log.on('message', (message) => lines.push(String(message)));
  const [port, first, second] = [await freePort(), await freePort(), await freePort()];
  const admin = `/tmp/carpool-log-servers-${port}`;
  t.after(() => rmSync(admin, { force: true }));
  // a check may take as long as `inter` on a busy machine
  const checked = 'check inter 900ms fastinter 100ms downinter 100ms rise 1 fall 1';
  const config = `global
    stats socket ${admin} level admin
defaults
    mode tcp
    timeout connect 2s
    timeout client 10s
    timeout server 10s
listen l
    bind 127.0.0.1:${port}
    log 127.0.0.1:${log.address().port} local0 notice
    server a 127.0.0.1:${first} ${checked}
    server b 127.0.0.1:${second} ${checked} backup
    server c 127.0.0.1:${second} track l/b backup
`;
  const servers = new Map<string, Server>();
  const serve = async (name: string, at: number) => {
    const server = createServer((socket) => socket.destroy()).listen(at, '127.0.0.1');
    servers.set(name, server);
    await once(server, 'listening');
  };
  t.after(() => servers.forEach((server) => void server.close()));
  await serve('a', first);
  await serve('b', second);
  await startBalancer(t, program, config, port);
  const seen = (pattern: RegExp) => until(`${program} logs ${pattern}`, () => lines.some((line) => pattern.test(line)));
  servers.get('a')!.close();
  await seen(/l\/a is DOWN/);
  servers.get('b')!.close();
  await seen(/no server available/);
  await seen(/l\/c is DOWN/);
  await serve('a', first);
  await seen(/l\/a is UP/);
  for (const order of ['state maint', 'state ready', 'state drain', 'state ready', 'health up'])
    await askRuntime(admin, `set server l/a ${order}`);
  await seen(/l\/a is UP \(leaving forced drain\)/);
  await askRuntime(admin, 'set server l/b state maint');
  await seen(/l\/c was DOWN and now enters maintenance/);
  return lines.map(withoutChance).filter((line) => !/started\.$/.test(line));
}

function withoutChance(line: string): string {
  return line
    .trimEnd()
    .replace(/^<(\d+)>.*?\]: /, '<$1> ')
    .replace(/check duration: \d+ms/, 'check duration: Nms');
}

test('servers that go down and come back are told in HAProxy words, at its levels', {
  skip: needs('haproxy'),
}, async (t) => {
  const [theirs, ours] = await Promise.all([linesOf(t, 'haproxy'), linesOf(t, 'carpool')]);
  assert.deepEqual(ours, theirs);
});

/** Of lines about a server and about a request, the tag, in `log global` and of proxies with one of their own. */
async function tagsOf(t: TestContext, program: Program): Promise<string[]> {
  const log = createSocket('udp4').bind(0, '127.0.0.1');
  await once(log, 'listening');
  t.after(() => log.close());
  const lines = new Set<string>();
  log.on('message', (message) => {
    const [, tag, text] =
      /^<\d+>.{15} (\S+)\[\d+\]: (?:Server )?(\w+\/\w+ is DOWN|.* front\b)/.exec(String(message)) ?? [];
    if (tag && text) lines.add(`${tag}: ${text.replace(/.*\] /, '')}`);
  });
  const [port, closed] = [await freePort(), await freePort()];
  const server = `server s 127.0.0.1:${closed} check inter 100ms fall 1`;
  const config = `global
    log 127.0.0.1:${log.address().port} local0
    log-tag whole
defaults
    mode tcp
    log global
    timeout connect 2s
    timeout client 10s
    timeout server 10s
frontend front
    bind 127.0.0.1:${port}
    log-tag ours
    option tcplog
    default_backend plain
backend plain
    ${server}
backend tagged
    log-tag shop
    ${server}
defaults customer
    mode tcp
    log global
    log-tag customer
    timeout connect 2s
    timeout server 10s
backend theirs from customer
    ${server}
`;
  await startBalancer(t, program, config, port);
  await until(`${program} logs all of it`, () => lines.size === 4);
  return [...lines].sort();
}

test('lines about servers carry the log-tag of their backend, lines about sessions that of the frontend', {
  skip: needs('haproxy'),
}, async (t) => {
  const ours = await tagsOf(t, 'carpool');
  assert.deepEqual(ours, await tagsOf(t, 'haproxy'));
  assert.deepEqual(ours, [
    'customer: theirs/s is DOWN',
    'ours: front',
    'shop: tagged/s is DOWN',
    'whole: plain/s is DOWN',
  ]);
});
