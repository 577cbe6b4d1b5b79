/** What people set of TCP itself, asked of the kernel. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, connect } from 'node:net';
import { test } from 'node:test';
import { loadConfig } from '#src/config/load.js';
import * as libc from '#src/system/libc.js';
import { localAddress } from '#src/system/peer-address.js';
import { openTcpListener } from '#src/system/tcp-listener.js';
import { KINDS, ProxyRig } from '../harness.js';
import { nobody, RawServer, response } from '../wire.js';

const SOL_SOCKET = 1;
const IPPROTO_TCP = 6;
const [SO_KEEPALIVE, TCP_KEEPIDLE, TCP_KEEPINTVL, TCP_KEEPCNT, TCP_USER_TIMEOUT] = [9, 4, 5, 6, 18];
const TCP_FASTOPEN = 23;
const GET = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n';
const room = libc.allocatePinned(8);

function read(fd: number, level: number, name: number): number {
  room.words[1] = 4;
  assert.equal(libc.getsockopt(fd, level, name, room.address, room.address + 4), 0);
  return room.words[0] as number;
}

function settings(fd: number): number[] {
  const tcp = [TCP_KEEPIDLE, TCP_KEEPINTVL, TCP_KEEPCNT, TCP_USER_TIMEOUT].map((name) => read(fd, IPPROTO_TCP, name));
  return [read(fd, SOL_SOCKET, SO_KEEPALIVE), ...tcp];
}

for (const kind of KINDS) {
  test(`${kind}: connections to servers have their source, keep-alive and user timeout`, async () => {
    const server = await RawServer.start();
    const lines = ['option srvtcpka', 'srvtcpka-idle 7s', 'srvtcpka-intvl 3s', 'srvtcpka-cnt 2', 'source 127.0.0.9'];
    const rig = new ProxyRig(kind, [server], { backend: ` ${lines.join('\n ')}\n`, server: 'tcp-ut 4s' });
    const client = await rig.client();
    client.write(GET);
    const wire = await server.wire(0);
    assert.equal((wire.socket.address() as AddressInfo).address, '127.0.0.1');
    assert.equal(wire.socket.remoteAddress, '127.0.0.9');
    const found: number[][] = [];
    rig.reactor.forEachSocket(({ fd }) => found.push(settings(fd)));
    assert.ok(
      found.some((values) => values.join() === '1,7,3,2,4000'),
      JSON.stringify(found),
    );
    await wire.takesHead();
    wire.write(response('x'));
    await client.takes('x');
    await rig.everythingIsHome();
  });

  test(`${kind}: a source that is not this host's is as a server that cannot be reached`, async () => {
    const rig = new ProxyRig(kind, [await nobody()], { backend: ' retries 0\n source 192.0.2.1\n' });
    const client = await rig.client();
    client.write(GET);
    assert.match(await client.takesHead(), /^HTTP\/1\.1 503 /);
    await rig.everythingIsHome();
  });
}

test('a listener has what its clients are to have', () => {
  const lines = 'option clitcpka\n clitcpka-idle 9s\n bind 127.0.0.1:80 tcp-ut 5s mss 1200 defer-accept interface lo';
  const text = `listen l\n mode http\n ${lines}\n server s 127.0.0.1:81\n`;
  const { config, diagnostics } = loadConfig([{ file: 'haproxy.cfg', text }]);
  const bind = config?.frontends[0]?.binds[0];
  assert.ok(bind, JSON.stringify(diagnostics));
  const fd = openTcpListener({ address: '127.0.0.1', port: 0, backlog: 1, freebind: false, tcp: bind.tcp });
  const [keep_alive, idle_s, , , user_timeout_ms] = settings(fd);
  libc.close(fd);
  assert.deepEqual([keep_alive, idle_s, user_timeout_ms], [1, 9, 5000]);
});

test('usesrc is refused, with what to do instead', () => {
  const text = 'backend b\n source 0.0.0.0 usesrc clientip\n';
  const { diagnostics } = loadConfig([{ file: 'haproxy.cfg', text }]);
  assert.ok(diagnostics.some(({ code, message }) => code === 'unsupported-keyword' && message.includes('usesrc')));
});

function bindOf(words: string) {
  const text = `listen l\n mode http\n bind ${words}\n server s 127.0.0.1:81\n`;
  const { config, diagnostics } = loadConfig([{ file: 'haproxy.cfg', text }]);
  return {
    bind: config?.frontends[0]?.binds[0],
    problems: diagnostics.map(({ code }) => code).filter((code) => code !== 'missing-timeout'),
  };
}

/** Whether an IPv4 client reaches a listener on `::` with such words. */
async function takesIpv4(words: string): Promise<boolean> {
  const { tcp } = bindOf(`:::80 ${words}`).bind!;
  const fd = openTcpListener({ address: '::', port: 0, backlog: 1, freebind: false, tcp });
  const socket = connect(localAddress(fd)!.port, '127.0.0.1');
  try {
    await once(socket, 'connect');
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
    libc.close(fd);
  }
}

test('a listener on :: takes IPv4 clients where `v4v6` says so, unless `v6only` stands beside it', async () => {
  assert.equal(await takesIpv4('v4v6'), true);
  assert.equal(await takesIpv4(''), false);
  assert.equal(await takesIpv4('v6only v4v6'), false);
});

test('a listener with `tfo` takes first bytes in a SYN, and one with `transparent` opens where the address is not here', () => {
  const { tcp } = bindOf('192.0.2.7:80 tfo transparent').bind!;
  const fd = openTcpListener({ address: '192.0.2.7', port: 0, backlog: 7, freebind: false, tcp });
  const queue = read(fd, IPPROTO_TCP, TCP_FASTOPEN);
  libc.close(fd);
  assert.equal(queue, 7);
  const { tcp: plain } = bindOf('192.0.2.7:80').bind!;
  assert.throws(
    () => openTcpListener({ address: '192.0.2.7', port: 0, backlog: 7, freebind: false, tcp: plain }),
    /EADDRNOTAVAIL/,
  );
});

test("a listener's id is one number, which no other listener of the section has", () => {
  assert.equal(bindOf(':80 id 7').bind?.id, 7);
  assert.deepEqual(bindOf(':80,:81 id 7').problems, ['bad-value']);
  assert.deepEqual(bindOf(':80 id 7\n bind :81 id 7').problems, ['duplicate-name']);
  assert.deepEqual(bindOf(':80 nice 5 thread 1/1-2 process 1/all shards by-thread').problems, [
    ...new Array(4).fill('no-effect'),
  ]);
});
