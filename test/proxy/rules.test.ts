/** Rules that choose backends and servers, over real sockets. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { KINDS, ProxyRig } from './harness.js';
import { RawServer, response, type Wire } from './wire.js';

const get = (path: string, fields = '') => `GET ${path} HTTP/1.1\r\nHost: www.example.org\r\n${fields}\r\n`;

for (const kind of KINDS) {
  /** Which of the servers gets the request. */
  async function serverOf(rig: ProxyRig, servers: readonly RawServer[], request: string): Promise<number> {
    const before = servers.map((server) => server.wires.length);
    const client = await rig.client();
    client.write(request);
    const arrived = () => servers.findIndex((server, index) => server.wires.length > (before[index] as number));
    await rig.until('a server is asked', () => arrived() >= 0);
    const number = arrived();
    const wire = (servers[number] as RawServer).wires.at(-1) as Wire;
    await wire.takesHead();
    wire.write(response('x', 'Connection: close\r\n'));
    await client.takes('x');
    wire.close();
    return number;
  }

  test(`${kind}: use-server sends where its condition says, and passes a server over that is down`, async () => {
    const servers = [await RawServer.start(), await RawServer.start()] as const;
    const rules = [
      'balance first',
      'acl is_api path_beg /api/',
      'acl is_api hdr(x-api) -m found',
      'use-server s1 if is_api !{ url_param(to) s0 } or METH_POST LOCALHOST',
    ];
    const rig = new ProxyRig(kind, servers, { backend: ` ${rules.join('\n ')}\n` });
    assert.equal(await serverOf(rig, servers, get('/')), 0);
    assert.equal(await serverOf(rig, servers, get('/api/users')), 1);
    assert.equal(await serverOf(rig, servers, get('/api/users?to=s0')), 0);
    assert.equal(await serverOf(rig, servers, get('/', 'X-Api: \r\n')), 1);
    assert.equal(await serverOf(rig, servers, get('/').replace('GET', 'POST')), 1);
    rig.setServer(1, false);
    assert.equal(await serverOf(rig, servers, get('/api/users')), 0);
    await rig.everythingIsHome();
  });

  test(`${kind}: use-server goes before the cookie; ignore-persist and force-persist say what the cookie may`, async () => {
    const servers = [await RawServer.start(), await RawServer.start()] as const;
    const rules = [
      'balance first',
      'cookie S',
      'ignore-persist if { path_end .png }',
      'force-persist if { hdr(host) -i ADMIN.example.org }',
      'use-server s0 if { path /first }',
    ];
    const options = { backend: ` ${rules.join('\n ')}\n`, server: (number: number) => `cookie c${number}` };
    const rig = new ProxyRig(kind, servers, options);
    const COOKIE = 'Cookie: a=b; S=c1\r\n';
    assert.equal(await serverOf(rig, servers, get('/', COOKIE)), 1);
    assert.equal(await serverOf(rig, servers, get('/first', COOKIE)), 0);
    assert.equal(await serverOf(rig, servers, get('/a.png', COOKIE)), 0);
    rig.setServer(1, false);
    assert.equal(await serverOf(rig, servers, get('/', COOKIE)), 0);
    assert.equal(await serverOf(rig, servers, get('/', COOKIE).replace('www', 'admin')), 1);
    await rig.everythingIsHome();
  });

  test(`${kind}: use_backend leads elsewhere, and nowhere is 503`, async () => {
    const server = await RawServer.start();
    const rig = new ProxyRig(kind, [server], { frontend: ' use_backend empty if { path /empty }\nbackend empty\n' });
    const client = await rig.client();
    client.write(get('/empty'));
    assert.match(await client.takesHead(), /^HTTP\/1\.1 503 /);
    assert.equal(await serverOf(rig, [server], get('/other')), 0);
    await rig.everythingIsHome();
  });

  test(`${kind}: a monitor hears 200 while monitor fail does not hold, and no server is asked`, async () => {
    const server = await RawServer.start();
    const frontend = ' monitor-uri /alive?yes\n monitor fail if { nbsrv(back) lt 1 }\n';
    const rig = new ProxyRig(kind, [server], { frontend });
    assert.match(await rig.exchange(get('/alive?yes')), /^HTTP\/1\.1 200 OK\r\n/);
    rig.setServer(0, false);
    assert.match(await rig.exchange(get('/alive?yes')), /^HTTP\/1\.1 503 /);
    assert.equal(server.wires.length, 0);
    rig.setServer(0, true);
    assert.equal(await serverOf(rig, [server], get('/alive')), 0);
    await rig.everythingIsHome();
  });

  test(`${kind}: in mode tcp the address decides`, async () => {
    const servers = [await RawServer.start(), await RawServer.start()] as const;
    const backend = ' balance first\n use-server s1 if { src 127.0.0.0/8 } { dst_port gt 0 }\n';
    const rig = new ProxyRig(kind, servers, { mode: 'tcp', backend });
    const client = await rig.client();
    client.write('hello');
    const wire = await servers[1].wire(0);
    await wire.takes('hello');
    wire.close();
    await rig.everythingIsHome();
  });
}
