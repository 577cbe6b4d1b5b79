/** Names that dnsmasq answers for: addresses that change, services with their targets, answers too long for a datagram. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { createHost, MAIN, needsRoot } from '../control/host.js';
import { type Balancer, startBalancer, until } from '../helpers/balancers.js';
import { DNSMASQ_WORDS, startDnsmasq } from '../helpers/dnsmasq.js';
import { needs, peerPath } from '../helpers/peers.js';
import { freePort } from '../helpers/ports.js';

const MANY = Array.from({ length: 60 }, (_, index) => `127.0.1.${index + 1}`);

async function startCarpool(t: TestContext, address: string, servers: string): Promise<Balancer> {
  const port = await freePort();
  const config = `resolvers lan
    nameserver dns1 ${address}
    timeout resolve 100ms
    timeout retry 300ms
    hold nx 0s
    hold refused 0s
    hold other 0s
defaults
    mode tcp
    timeout connect 1s
    timeout client 5s
    timeout server 5s
frontend www
    bind 127.0.0.1:${port}
    default_backend web
backend web
    default-server resolvers lan resolve-prefer ipv4 init-addr none
${servers}
`;
  return startBalancer(t, 'carpool', config, port);
}

const skip = needs('dnsmasq');

test('a server follows what dnsmasq reads from its hosts file, and a service brings its ports', { skip }, async (t) => {
  const service = '--srv-host=_http._tcp.lan,one.lan,8081,0,512';
  const names = await startDnsmasq(t, service, '--host-record=one.lan,127.0.0.5', '--cname=www.lan,app.lan');
  names.setHosts(['127.0.0.2 app.lan']);
  const lines = '    server a www.lan:80\n    server b _http._tcp.lan';
  const { log } = await startCarpool(t, `127.0.0.1:${names.port}`, lines);
  await until('the alias resolves', () =>
    /web\/a changed its IP from \(none\) to 127\.0\.0\.2 by lan\/dns1/.test(log()),
  );
  await until('the service resolves', () =>
    /web\/b changed its IP from \(none\) to 127\.0\.0\.5 by lan\/dns1/.test(log()),
  );
  names.setHosts(['127.0.0.3 app.lan']);
  await until('the server moves', () => /web\/a changed its IP from 127\.0\.0\.2 to 127\.0\.0\.3/.test(log()));
  names.setHosts([]);
  await until('the name is gone', () => /Server web\/a is going DOWN for maintenance/.test(log()));
});

for (const way of ['udp', 'tcp']) {
  test(`sixty addresses do not fit into a datagram, and all arrive (nameserver over ${way})`, { skip }, async (t) => {
    const names = await startDnsmasq(t);
    names.setHosts(MANY.map((address) => `${address} many.lan`));
    const { log } = await startCarpool(t, `${way}@127.0.0.1:${names.port}`, '    server-template s 60 many.lan:80');
    const seen = () => new Set([...log().matchAll(/changed its IP from \(none\) to (\S+) by/g)].map(([, one]) => one));
    await until('all are there', () => seen().size === MANY.length);
    assert.deepEqual([...seen()].sort(), [...MANY].sort());
  });
}

test('in a chroot the nameservers of the host are found at the start and at a reload', {
  skip: skip || needsRoot,
}, async (t) => {
  const host = createHost(t);
  await host.serve(9001, 'hello').listening;
  const root = join(host.directory, 'root');
  mkdirSync(root);
  const resolv = host.file('resolv.conf', 'nameserver 10.10.0.5\n');
  const words = [
    ...DNSMASQ_WORDS,
    '--listen-address=10.10.0.5',
    '--bind-interfaces',
    '--host-record=app.lan,10.10.0.5',
  ];
  const dnsmasq = host.inside(() => spawn(peerPath('dnsmasq'), words, { stdio: 'ignore' }));
  const file = host.file(
    'a.cfg',
    `global
    chroot ${root}
resolvers host
    parse-resolv-conf
    timeout resolve 100ms
listen web
    mode tcp
    bind 10.10.0.5:8080
    timeout connect 1s
    timeout client 5s
    timeout server 5s
    server app app.lan:9001 resolvers host resolve-prefer ipv4 init-addr none
`,
  );
  // a file system view of its own, in which the host's resolv.conf is ours
  const command = `mount --bind ${resolv} /etc/resolv.conf && exec ${process.execPath} ${MAIN} -f ${file}`;
  const env = { ...process.env, CARPOOL_SOCKET: host.socket };
  const stdio = ['ignore', 'ignore', 'pipe'] as const;
  const carpool = host.inside(() => spawn('unshare', ['--mount', 'sh', '-c', command], { env, stdio: [...stdio] }));
  t.after(() => {
    dnsmasq.kill('SIGKILL');
    carpool.kill('SIGKILL');
  });
  let log = '';
  carpool.stderr!.setEncoding('utf8').on('data', (text: string) => {
    log += text;
  });
  const found = () =>
    [...log.matchAll(/web\/app changed its IP from \(none\) to 10\.10\.0\.5 by host\/10\.10\.0\.5\./g)].length;
  await until('the name is found', () => found() === 1);
  assert.equal(await host.get('http://10.10.0.5:8080/'), '200 hello');
  carpool.kill('SIGHUP');
  await until('it is found again', () => found() === 2);
});
