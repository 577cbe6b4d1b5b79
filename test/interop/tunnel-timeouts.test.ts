/**
 * Tunnels in which nobody speaks any more, on HAProxy and on carpool with one configuration: both must end them for the same
 * reason and after the same time (manual 4.2: timeout client, server, tunnel, client-fin, server-fin).
 */
import assert from 'node:assert/strict';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { type TestContext, test } from 'node:test';
import { type Program, startBalancer, until } from '../helpers/balancers.js';
import { needs } from '../helpers/peers.js';
import { freePort } from '../helpers/ports.js';

/** Far enough apart to tell by how long a session, or the tunnel in it, took which of them it was, on a busy machine too. */
const TIMES_MS = { client: 700, server: 1900, tunnel: 3200, fin: 4600, 'other fin': 9200 };
const FIN = `${TIMES_MS.fin}ms`;

type Case = {
  readonly name: string;
  readonly lines?: string;
  readonly who_ends?: 'client' | 'server';
  readonly http?: boolean;
};

const TUNNEL = `timeout tunnel ${TIMES_MS.tunnel}ms`;
const CASES: readonly Case[] = [
  { name: 'silent' },
  { name: 'silent, with a time for tunnels', lines: TUNNEL },
  { name: 'a silent WebSocket', http: true },
  { name: 'a silent WebSocket, with a time for tunnels', lines: TUNNEL, http: true },
  { name: 'a client that ended', who_ends: 'client' },
  { name: 'a server that ended', who_ends: 'server' },
  { name: 'a tunnel whose client ended', lines: TUNNEL, who_ends: 'client' },
  { name: 'a tunnel whose server ended', lines: TUNNEL, who_ends: 'server' },
  { name: 'a client that ended, with server-fin', lines: `${TUNNEL}\n  timeout server-fin ${FIN}`, who_ends: 'client' },
  { name: 'a client that ended, with client-fin', lines: `${TUNNEL}\n  timeout client-fin ${FIN}`, who_ends: 'client' },
  { name: 'a server that ended, with client-fin', lines: `${TUNNEL}\n  timeout client-fin ${FIN}`, who_ends: 'server' },
  { name: 'a server that ended, with server-fin', lines: `${TUNNEL}\n  timeout server-fin ${FIN}`, who_ends: 'server' },
];

test('HAProxy and carpool end silent tunnels after the same time, for the same reason', {
  skip: needs('haproxy'),
}, async (t) => {
  const silent = await startServer(t, (socket) => void socket.write('it stands'));
  const polite = await startServer(t, (socket) => void socket.once('end', () => socket.end()));
  const ending = await startServer(t, (socket) => void socket.end());
  const switching = await startServer(t, (socket) => {
    socket.once('end', () => socket.end());
    socket.once('data', () => socket.write('HTTP/1.1 101 Switching\r\nConnection: upgrade\r\nUpgrade: other\r\n\r\n'));
  });
  const serverOf = ({ who_ends, http }: Case) =>
    http ? switching : who_ends === 'server' ? ending : who_ends === 'client' ? silent : polite;
  const [theirs, ours] = await Promise.all([endsOf(t, 'haproxy', serverOf), endsOf(t, 'carpool', serverOf)]);
  assert.deepEqual(ours, theirs);
});

/** `NAME: STATE TIMEOUT` of each case. */
async function endsOf(t: TestContext, program: Program, serverOf: (one: Case) => number): Promise<string[]> {
  const probed = await freePort();
  const ports = await Promise.all(CASES.map(() => freePort()));
  const sections = CASES.map(
    (one, index) => `listen case${index}
  bind 127.0.0.1:${ports[index]}
  mode ${one.http ? 'http' : 'tcp'}
  log global
  log-format "case${index}. %ts ${one.http ? '%Td' : '%Tt'}"
  ${one.lines ?? ''}
  server s 127.0.0.1:${serverOf(one)}
`,
  );
  const config = `global
  log stderr format raw local0
defaults
  timeout connect 5s
  timeout client ${TIMES_MS.client}ms
  timeout server ${TIMES_MS.server}ms
${sections.join('')}listen probed
  bind 127.0.0.1:${probed}
`;
  const balancer = await startBalancer(t, program, config, probed);
  return Promise.all(
    CASES.map(async (one, index) => {
      const client = connect({ port: ports[index]!, host: '127.0.0.1', allowHalfOpen: true });
      t.after(() => client.destroy());
      client.on('error', () => {}).on('data', () => {});
      if (one.http) client.write('GET / HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: other\r\n\r\n');
      if (one.who_ends === 'client') client.once('data', () => client.end());
      const line = new RegExp(`case${index}\\. (..) (\\d+)`);
      await until(`${program} logs "${one.name}"`, () => line.test(balancer.log()));
      const [, state, took_ms] = line.exec(balancer.log())!;
      return `${one.name}: ${state} ${nearest(Number(took_ms))}`;
    }),
  );
}

/** A busy machine is late, never early. */
function nearest(took_ms: number): string {
  return Object.entries(TIMES_MS).findLast(([, time_ms]) => took_ms >= time_ms - 50)?.[0] ?? `${took_ms} ms`;
}

async function startServer(t: TestContext, act: (socket: Socket) => void): Promise<number> {
  const sockets = new Set<Socket>();
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    sockets.add(socket);
    socket.on('error', () => {}).on('data', () => {});
    act(socket);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return (server.address() as AddressInfo).port;
}
