/** Servers whose names a nameserver of ours answers for: they come, move and go without a reload, as with HAProxy. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { type TestContext, test } from 'node:test';
import { type Balancer, type Program, startBalancer, until } from '../helpers/balancers.js';
import { NameServer } from '../helpers/name-server.js';
import { freePort } from '../helpers/ports.js';
import { MAIN } from './host.js';

/** Web servers on one port of 127.0.0.2, 127.0.0.3 and 127.0.0.4, which answer their address. */
async function webServers(t: TestContext, addresses = ['127.0.0.2', '127.0.0.3', '127.0.0.4']): Promise<number> {
  let port = 0;
  for (const address of addresses) {
    const server = createServer((_request, response) => response.end(address)).listen(port, address);
    await once(server, 'listening');
    port = (server.address() as { port: number }).port;
    t.after(() => server.close().closeAllConnections());
  }
  return port;
}

type Setup = { names: NameServer; ask(): Promise<string>; balancer: Balancer; config: string };

/** `servers`: the lines of the backend, in which PORT is that of the web servers. */
async function setUp(
  t: TestContext,
  servers: string,
  {
    zone = {},
    resolvers = '',
    program = 'carpool' as Program,
  }: { zone?: Record<string, readonly string[]>; resolvers?: string; program?: Program } = {},
): Promise<Setup> {
  const names = await new NameServer().start(t);
  for (const [key, told] of Object.entries(zone)) names.zone.set(key, told);
  const port = await webServers(t);
  const front = await freePort();
  const config = `global
    log stderr format raw local0
resolvers mydns
    nameserver dns1 127.0.0.1:${names.port}
    timeout resolve 100ms
    timeout retry 500ms
    hold valid 100ms
    hold obsolete 0s
    hold nx 0s
    hold other 0s
    hold refused 0s
    hold timeout 60s
${resolvers}
defaults
    mode http
    log global
    timeout connect 1s
    timeout client 5s
    timeout server 5s
frontend www
    bind 127.0.0.1:${front}
    default_backend web
backend web
    default-server resolvers mydns resolve-prefer ipv4 init-addr none
${servers.replaceAll('PORT', String(port))}
`;
  const balancer = await startBalancer(t, program, config, front);
  // HAProxy goes on with a connection to where the server was, for the client for whom it was in use when the server moved
  const headers: Record<string, string> = program === 'haproxy' ? { connection: 'close' } : {};
  const ask = async () => {
    const response = await fetch(`http://127.0.0.1:${front}/`, { headers });
    const text = await response.text();
    return response.status === 200 ? text : String(response.status);
  };
  return { names, ask, balancer, config };
}

/** Not spawnSync: the nameserver answers meanwhile. */
async function run({ socket }: Balancer, ...words: string[]): Promise<string> {
  const env = { ...process.env, CARPOOL_SOCKET: socket };
  const child = spawn(process.execPath, [MAIN, ...words], { env, stdio: ['ignore', 'pipe', 'inherit'] });
  let text = '';
  for await (const part of child.stdout.setEncoding('utf8')) text += part;
  return text;
}

function status(balancer: Balancer): Promise<string> {
  return run(balancer, 'status');
}

/** Every address that answers, in order; a turn of the servers is a few requests. */
async function answering(ask: () => Promise<string>): Promise<string[]> {
  const seen = new Set<string>();
  for (let request = 0; request < 6; request++) seen.add(await ask());
  return [...seen].sort();
}

for (const program of ['haproxy', 'carpool'] as const) {
  test(`${program}: a server follows its name, and is in maintenance while there is none`, async (t) => {
    const { names, ask, balancer } = await setUp(t, '    server s1 app.test:PORT', {
      program,
      zone: { 'app.test A': ['127.0.0.2'] },
    });
    await until('it answers', async () => (await ask()) === '127.0.0.2');
    names.zone.set('app.test A', ['127.0.0.3']);
    await until('it has moved', async () => (await ask()) === '127.0.0.3');
    await until('it is logged', () =>
      /web\/s1 changed its IP from 127\.0\.0\.2 to 127\.0\.0\.3 by mydns\/dns1\./.test(balancer.log()),
    );
    names.zone.set('app.test A', 'nx');
    await until('it is gone', async () => (await ask()) === '503');
    await until('that is logged', () =>
      /Server web\/s1 is going DOWN for maintenance \(DNS NX status\)/.test(balancer.log()),
    );
    names.zone.set('app.test A', ['127.0.0.4']);
    // HAProxy 2.6 now and then comes back where the server was before, and stays there
    const isBack = (answer: string) => (program === 'haproxy' ? answer !== '503' : answer === '127.0.0.4');
    await until('it is back', async () => isBack(await ask()));
  });
}

test('a server-template fills as many servers as there are addresses', async (t) => {
  const zone = { 'app.test A': ['127.0.0.2', '127.0.0.3'] };
  const { names, ask, balancer } = await setUp(t, '    server-template s 3 app.test:PORT', { zone });
  await until('two answer', async () => (await answering(ask)).join() === '127.0.0.2,127.0.0.3');
  assert.match(await status(balancer), /web\/s3 +app\.test:\d+ +DOWN .* app\.test: No IP for server/);
  names.zone.set('app.test A', ['127.0.0.3', '127.0.0.4']);
  await until('the other two answer', async () => (await answering(ask)).join() === '127.0.0.3,127.0.0.4');
  assert.match(await status(balancer), /web\/s1 +127\.0\.0\.4:\d+ \(mydns\/dns1\) +up/);
});

test('servers of a service have its ports and weights, and go when it is announced no more', async (t) => {
  const { names, ask, balancer } = await setUp(t, '    server-template s 2 _http._tcp.test');
  const port = await webServers(t);
  names.zone.set('a.test A', ['127.0.0.2']);
  names.zone.set('additional b.test', ['127.0.0.3']);
  names.zone.set('_http._tcp.test SRV', [`0 256 ${port} a.test`, `0 2560 ${port} b.test`]);
  await until('both answer', async () => (await answering(ask)).join() === '127.0.0.2,127.0.0.3');
  assert.match(await status(balancer), /web\/s1 +127\.0\.0\.2:\d+ \(mydns\/dns1\) +up +2 /);
  assert.match(await status(balancer), /web\/s2 +127\.0\.0\.3:\d+ \(mydns\/dns1\) +up +11 /);
  names.zone.set('_http._tcp.test SRV', [`0 256 ${port} a.test`]);
  await until('one is gone', async () => (await answering(ask)).join() === '127.0.0.2');
  names.zone.set('_http._tcp.test SRV', [`0 256 ${port} a.test`, `0 256 ${port} c.test`]);
  names.zone.set('c.test A', ['127.0.0.4']);
  await until('another one comes', async () => (await answering(ask)).join() === '127.0.0.2,127.0.0.4');
});

test('a service that changes its port and weight takes its server along', async (t) => {
  const { names, ask, balancer } = await setUp(t, '    server-template s 1 _http._tcp.test');
  const [port, other] = [await webServers(t, ['127.0.0.2']), await webServers(t, ['127.0.0.2'])];
  names.zone.set('a.test A', ['127.0.0.2']);
  names.zone.set('_http._tcp.test SRV', [`0 256 ${port} a.test`]);
  await until('it answers', async () => (await ask()) === '127.0.0.2');
  names.zone.set('_http._tcp.test SRV', [`0 2560 ${port} a.test`]);
  const stands = (at: number, weight: number) =>
    new RegExp(`web/s1 +127\\.0\\.0\\.2:${at} \\(mydns/dns1\\) +up +${weight} `);
  await until('its weight follows', async () => stands(port, 11).test(await status(balancer)));
  names.zone.set('_http._tcp.test SRV', [`0 2560 ${other} a.test`]);
  await until('its port follows', async () => stands(other, 11).test(await status(balancer)));
  assert.equal(await ask(), '127.0.0.2');
});

test('no request fails while a name moves from one address to another, again and again', async (t) => {
  const zone = { 'app.test A': ['127.0.0.2'] };
  const { names, ask } = await setUp(t, '    server s1 app.test:PORT', { zone });
  await until('it answers', async () => (await ask()) === '127.0.0.2');
  const answers = new Map<string, number>();
  let going = true;
  const client = async () => {
    while (going) {
      const answer = await ask();
      answers.set(answer, (answers.get(answer) ?? 0) + 1);
    }
  };
  const clients = Array.from({ length: 8 }, client);
  for (let turn = 0; turn < 6; turn++) {
    const address = ['127.0.0.3', '127.0.0.4', '127.0.0.2'][turn % 3] as string;
    const before = answers.get(address) ?? 0;
    names.zone.set('app.test A', [address]);
    await until('requests arrive there', () => (answers.get(address) ?? 0) > before + 8);
  }
  going = false;
  await Promise.all(clients);
  assert.deepEqual([...answers.keys()].sort(), ['127.0.0.2', '127.0.0.3', '127.0.0.4']);
});

test('an answer that was cut off is asked for again over TCP', async (t) => {
  const { names, ask } = await setUp(t, '    server s1 big.test:PORT');
  names.truncated.add('big.test');
  names.zone.set('big.test A', ['127.0.0.2']);
  await until('it answers', async () => (await ask()) === '127.0.0.2');
  assert.ok(names.asked.includes('tcp big.test A'));
});

test('a nameserver may be asked over TCP only', async (t) => {
  const other = await new NameServer().start(t);
  other.zone.set('app.test A', ['127.0.0.3']);
  const { ask, names } = await setUp(t, '    server s1 app.test:PORT', {
    resolvers: `    nameserver dns2 tcp@127.0.0.1:${other.port}\n    timeout retry 100ms\n`,
  });
  names.zone.set('app.test A', 'silent');
  await until('it answers', async () => (await ask()) === '127.0.0.3');
  assert.ok(other.asked.every((asked) => asked.startsWith('tcp ')));
});

test('answers to another question are no answers, and the good one of another nameserver counts', async (t) => {
  const other = await new NameServer().start(t);
  other.zone.set('app.test A', ['127.0.0.3']);
  const { names, ask, balancer } = await setUp(t, '    server s1 app.test:PORT', {
    resolvers: `    nameserver dns2 127.0.0.1:${other.port}\n    timeout retry 100ms\n`,
  });
  names.zone.set('app.test A', 'foreign');
  await until('it answers', async () => (await ask()) === '127.0.0.3');
  names.zone.set('app.test A', 'nonsense');
  other.zone.set('app.test A', ['127.0.0.4']);
  await until('it answers elsewhere', async () => (await ask()) === '127.0.0.4');
  assert.doesNotMatch(balancer.log(), /127\.0\.0\.99/);
});

test('while hold says so, a nameserver that fails changes nothing', async (t) => {
  const zone = { 'app.test A': ['127.0.0.2'] };
  const resolvers = '    hold nx 30s\n';
  const { names, ask, balancer } = await setUp(t, '    server s1 app.test:PORT', { zone, resolvers });
  await until('it answers', async () => (await ask()) === '127.0.0.2');
  names.zone.set('app.test A', 'nx');
  const before = names.asked.length;
  await until('it was asked often', () => names.asked.length > before + 12);
  assert.equal(await ask(), '127.0.0.2');
  for (const type of ['A', 'AAAA']) names.zone.set(`app.test ${type}`, 'refused');
  await until('a refusal is held against it', async () => (await ask()) === '503');
  assert.match(balancer.log(), /Server web\/s1 is going DOWN for maintenance \(DNS refused status\)/);
});

test('a reload begins with the addresses that are known', async (t) => {
  const zone = { 'app.test A': ['127.0.0.2'] };
  const { names, ask, balancer, config } = await setUp(t, '    server s1 app.test:PORT', {
    zone,
    resolvers: '    timeout retry 100ms\n',
  });
  await until('it answers', async () => (await ask()) === '127.0.0.2');
  names.zone.set('app.test A', 'silent');
  writeFileSync(balancer.file, config.replace('init-addr none', 'init-addr last,none'));
  assert.match(await run(balancer, 'reload'), /configuration 2 holds/);
  assert.equal(await ask(), '127.0.0.2');
  assert.match(await status(balancer), /web\/s1 +127\.0\.0\.2:\d+ \(last\) +up/);
  names.zone.set('app.test A', ['127.0.0.3']);
  await until('it moves', async () => (await ask()) === '127.0.0.3');
});

test('a checked server is asked where it is now', async (t) => {
  const zone = { 'app.test A': ['127.0.0.9'] };
  const { names, ask, balancer } = await setUp(t, '    server s1 app.test:PORT check inter 50ms fall 1 rise 1', {
    zone,
  });
  await until('nobody answers there', async () => /127\.0\.0\.9.* DOWN .*refused/.test(await status(balancer)));
  names.zone.set('app.test A', ['127.0.0.2']);
  await until('it answers', async () => (await ask()) === '127.0.0.2');
});
