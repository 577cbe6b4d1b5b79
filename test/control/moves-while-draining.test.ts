/** Servers that move after a reload: clients of the earlier configuration follow them as well. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { type TestContext, test } from 'node:test';
import { promisify } from 'node:util';
import { startBalancer, until } from '../helpers/balancers.js';
import { PATIENCE_MS } from '../helpers/patience.js';
import { freePort } from '../helpers/ports.js';
import { MAIN } from './host.js';

test('who waited for a server when the configuration was read anew goes where it has moved to', async (t) => {
  const held: ServerResponse[] = [];
  const first = await serve(t, (response) => held.push(response));
  const second = await serve(t, (response) => response.end('moved'));
  const [port, stats] = [await freePort(), await freePort()];
  const config = `global
    stats socket ipv4@127.0.0.1:${stats} level admin
defaults
    mode http
    timeout connect 5s
    timeout client 20s
    timeout server 20s
    timeout queue 20s
listen web
    bind 127.0.0.1:${port}
    server s 127.0.0.1:${first} maxconn 1
`;
  const balancer = await startBalancer(t, 'carpool', config, port);
  const holder = ask(port);
  await until('the first one is served', () => held.length === 1);
  const waiting = ask(port);
  await until('the second one waits', async () => /^web,BACKEND,1,/m.test(await command(stats, 'show stat')));
  const env = { ...process.env, CARPOOL_SOCKET: balancer.socket };
  await promisify(execFile)(process.execPath, [MAIN, 'reload'], { env });
  await command(stats, `set server web/s addr 127.0.0.1 port ${second}`);
  held[0]!.end('first');
  assert.match(await holder, /first$/);
  assert.match(await waiting, /moved$/);
});

async function serve(t: TestContext, answer: (response: ServerResponse) => void): Promise<number> {
  const server = createServer((_request, response) => answer(response));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return (server.address() as AddressInfo).port;
}

function ask(port: number): Promise<string> {
  return talk(port, 'GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n');
}

function command(port: number, line: string): Promise<string> {
  return talk(port, `${line}\n`);
}

async function talk(port: number, said: string): Promise<string> {
  const socket = connect(port, '127.0.0.1');
  let heard = '';
  socket.setEncoding('utf8').on('data', (text: string) => {
    heard += text;
  });
  socket.write(said);
  await once(socket, 'close', { signal: AbortSignal.timeout(PATIENCE_MS) });
  return heard;
}
