/** Sockets that are no TCP ports: files, abstract names, and descriptors that a parent process leaves open. */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer, request } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { close } from '#src/system/libc.js';
import { localAddress } from '#src/system/peer-address.js';
import { openTcpListener } from '#src/system/tcp-listener.js';
import { until } from '../helpers/balancers.js';

const MAIN = fileURLToPath(new URL('../../../dist/main.js', import.meta.url));

const DEFAULTS = `
defaults
    mode http
    option forwardfor
    timeout connect 2s
    timeout client 10s
    timeout server 10s
`;

for (const reactor of ['ring', 'epoll']) {
  test(`a frontend on a socket's file, a server behind another one (${reactor})`, async (t) => {
    const place = directory(t);
    const server = await answers(t, join(place, 'server.sock'), 'from the file');
    const web = join(place, 'web.sock');
    const config = `global
    nbthread 2
${DEFAULTS}
frontend web
    bind ${web} mode 640
    default_backend servers
backend servers
    option httpchk
    server s ${server} check inter 200ms
`;
    const daemon = start(t, config, { reactor });
    await daemon.listens(web);
    assert.equal((statSync(web).mode & 0o777).toString(8), '640');
    for (let times = 0; times < 20; times++) assert.equal(await get({ socketPath: web }), 'from the file, for nobody');
  });
}

test('abstract names, and a file in place of one that an earlier process left', async (t) => {
  const place = directory(t);
  const left = join(place, 'web.sock');
  await answers(t, left, 'an earlier process');
  const name = `carpool-test-${process.pid}`;
  const port = await answers(t, 0, 'from TCP');
  const config = `${DEFAULTS}
frontend outer
    bind unix@${left}
    default_backend to-inner
backend to-inner
    server inner abns@${name}
frontend inner
    bind abns@${name}
    default_backend servers
backend servers
    server s 127.0.0.1:${port}
`;
  const daemon = start(t, config);
  await until('carpool has the name', async () => (await get({ socketPath: left })) === 'from TCP, for nobody');
  assert.equal(daemon.child.exitCode, null);
});

test('a listening descriptor of the parent is taken, for clients and for the stats socket', async (t) => {
  const [web, stats] = [tcpListener(t), tcpListener(t)];
  const port = await answers(t, 0, 'hello');
  const config = `global
    nbthread 2
    stats socket "fd@\${STATS}" level admin
${DEFAULTS}
frontend web
    bind "fd@\${WEB}"
    default_backend servers
backend servers
    server s 127.0.0.1:${port}
`;
  start(t, config, { env: { WEB: '3', STATS: '4' }, descriptors: [web.fd, stats.fd] });
  assert.equal(await get({ host: '127.0.0.1', port: web.port }), 'hello, for 127.0.0.1');
  assert.match(await ask(stats.port, 'show stat\n'), /^web,FRONTEND,/m);
});

test("the socket of -S answers as HAProxy's master does, whose exit status tells the signal", async (t) => {
  const [web, master] = [tcpListener(t), tcpListener(t)];
  const config = `${DEFAULTS}
frontend web
    bind fd@3
    default_backend b
backend b
    server s 127.0.0.1:9
`;
  const daemon = start(t, config, { descriptors: [web.fd, master.fd], words: ['-W', '-S', 'fd@4'] });
  const processes = await ask(master.port, 'show proc\n');
  assert.match(
    processes,
    new RegExp(`^#<PID> +<type> +<reloads> +<uptime> +<version>\n${daemon.child.pid} +master +0 `),
  );
  const worker = daemon.child.pid;
  assert.match(await ask(master.port, `@1 show info; @!${worker} show env HOME\n`), /^Pid: \d+$[\s\S]*^HOME=/m);
  assert.match(await ask(master.port, '@!1 show info\n'), /Can't find the target PID matching the prefix '@!1'/);
  assert.equal(await ask(master.port, 'prompt\n@1\n@master\nquit\n'), `master> ${daemon.child.pid}> master> `);
  assert.match(await ask(master.port, 'reload\n'), /configuration 2/);
  assert.match(await ask(master.port, 'show proc\n'), new RegExp(`^${daemon.child.pid} +master +1 `, 'm'));
  daemon.child.kill('SIGINT');
  assert.deepEqual(await once(daemon.child, 'exit'), [130, null]);
});

test('the descriptor goes along to the background', async (t) => {
  const web = tcpListener(t);
  const port = await answers(t, 0, 'hello');
  const pidfile = join(directory(t), 'pid');
  const config = `${DEFAULTS}
frontend web
    bind fd@3
    default_backend servers
backend servers
    server s 127.0.0.1:${port}
`;
  const waiting = start(t, config, { descriptors: [web.fd], words: ['-D', '-p', pidfile] });
  assert.deepEqual(await once(waiting.child, 'exit'), [0, null], waiting.log());
  const pid = Number(readFileSync(pidfile, 'utf8'));
  t.after(() => process.kill(pid, 'SIGKILL'));
  assert.equal(await get({ host: '127.0.0.1', port: web.port }), 'hello, for 127.0.0.1');
});

test('a stats socket where no directory can be made is refused, and soon', async (t) => {
  const web = tcpListener(t);
  const config = `global
    stats socket /proc/no/such
${DEFAULTS}
frontend web
    bind fd@3
    default_backend b
backend b
    server s 127.0.0.1:9
`;
  const daemon = start(t, config, { descriptors: [web.fd] });
  assert.deepEqual(await once(daemon.child, 'close'), [1, null]);
  assert.match(daemon.log(), /a\.cfg:2:5: error: The stats socket \/proc\/no\/such cannot be opened/);
});

test('a descriptor that is no listening socket is refused with its place', async (t) => {
  const daemon = start(
    t,
    `${DEFAULTS}\nfrontend web\n    bind fd@41\n    default_backend b\nbackend b\n    server s 127.0.0.1:9\n`,
  );
  const [status] = await once(daemon.child, 'close');
  assert.equal(status, 1);
  assert.match(
    daemon.log(),
    /a\.cfg:10:5: error: Descriptor 41 is not a listening socket \(EBADF\)\. \[no-such-descriptor\]/,
  );
});

function directory(t: TestContext): string {
  const place = mkdtempSync('/tmp/carpool-sockets-');
  t.after(() => rmSync(place, { recursive: true, force: true }));
  return place;
}

type Given = {
  readonly reactor?: string;
  readonly env?: Record<string, string>;
  readonly descriptors?: readonly number[];
  readonly words?: readonly string[];
};

function start(t: TestContext, config: string, { reactor = '', env = {}, descriptors = [], words = [] }: Given = {}) {
  const place = directory(t);
  const file = join(place, 'a.cfg');
  writeFileSync(file, config);
  const child: ChildProcess = spawn(
    process.execPath,
    [MAIN, ...(words.includes('-D') ? [] : ['-d']), ...words, '-f', file],
    {
      env: { ...process.env, CARPOOL_SOCKET: join(place, 'c.sock'), CARPOOL_REACTOR: reactor, ...env },
      stdio: ['ignore', 'ignore', 'pipe', ...descriptors],
    },
  );
  t.after(() => void child.kill('SIGKILL'));
  let log = '';
  child.stderr!.setEncoding('utf8').on('data', (text: string) => {
    log += text;
  });
  return {
    child,
    log: () => log,
    listens: (path: string) => until(`something listens on ${path}`, () => canConnect(path)),
  };
}

function canConnect(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path, () => resolve(true)).on('error', () => resolve(false));
    socket.once('connect', () => socket.destroy());
  });
}

/** Nobody accepts here: the connections are for the process that gets the descriptor. */
function tcpListener(t: TestContext): { fd: number; port: number } {
  const fd = openTcpListener({ address: '127.0.0.1', port: 0, backlog: 16, freebind: false });
  t.after(() => close(fd));
  return { fd, port: localAddress(fd)!.port };
}

/** A web server that says `text` and whom the request was for. */
async function answers(t: TestContext, where: string | number, text: string): Promise<string> {
  const server = createServer((message, reply) => {
    reply.end(`${text}, for ${message.headers['x-forwarded-for'] ?? 'nobody'}`);
  });
  if (typeof where === 'string') server.listen(where);
  else server.listen(where, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    server.close();
    server.closeAllConnections();
  });
  return typeof where === 'string' ? where : String((server.address() as AddressInfo).port);
}

function get(where: { socketPath: string } | { host: string; port: number }): Promise<string> {
  return new Promise((resolve, reject) => {
    const asked = request({ ...where, path: '/', agent: false }, async (reply) => {
      let text = '';
      for await (const piece of reply.setEncoding('utf8')) text += piece;
      resolve(text);
    });
    asked.on('error', reject).end();
  });
}

async function ask(port: number, line: string): Promise<string> {
  const socket = connect(port, '127.0.0.1').setEncoding('utf8');
  socket.end(line);
  let text = '';
  for await (const piece of socket) text += piece;
  return text;
}
