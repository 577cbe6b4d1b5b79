/** Names that dnsmasq answers for: addresses that change, services with their targets, answers too long for a datagram. */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { type Balancer, canConnect, startBalancer, until } from '../helpers/balancers.js';
import { needs, peerPath } from '../helpers/peers.js';
import { freePort } from '../helpers/ports.js';

const MANY = Array.from({ length: 60 }, (_, index) => `127.0.1.${index + 1}`);

type NameServer = { readonly port: number; setHosts(lines: readonly string[]): void };

async function startDnsmasq(t: TestContext, ...words: string[]): Promise<NameServer> {
  const folder = mkdtempSync('/tmp/carpool-dnsmasq-');
  const hosts = join(folder, 'hosts');
  writeFileSync(hosts, '');
  const port = await freePort();
  const usual = [
    '--keep-in-foreground',
    '--conf-file=/dev/null',
    '--no-resolv',
    '--no-hosts',
    '--user=root',
    '--pid-file=',
  ];
  const place = [`--port=${port}`, '--listen-address=127.0.0.1', '--bind-interfaces', `--addn-hosts=${hosts}`];
  const child: ChildProcess = spawn(peerPath('dnsmasq'), [...usual, ...place, ...words], { stdio: 'ignore' });
  t.after(() => {
    child.kill('SIGKILL');
    rmSync(folder, { recursive: true });
  });
  // before that SIGHUP would end it
  await until('dnsmasq listens', () => canConnect(port));
  return {
    port,
    setHosts(lines) {
      writeFileSync(hosts, lines.map((line) => `${line}\n`).join(''));
      child.kill('SIGHUP');
    },
  };
}

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
