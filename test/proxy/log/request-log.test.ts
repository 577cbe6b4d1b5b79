/** What carpool logs of requests and sessions, read where a user would: on standard error and at a syslog server. */
import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as rest } from 'node:timers/promises';
import {
  AF_INET,
  AF_UNIX,
  SO_RCVTIMEO,
  SOCK_CLOEXEC,
  SOCK_DGRAM,
  SOCK_NONBLOCK,
  SOL_SOCKET,
} from '#src/system/abi/linux.js';
import { byReference } from '#src/system/arguments.js';
import { check } from '#src/system/errors.js';
import * as libc from '#src/system/libc.js';
import { encodeUnixAddress, socketAddressBytes } from '#src/system/socket-address.js';
import { createHost, needsRoot } from '../../control/host.js';
import { until } from '../../helpers/balancers.js';
import { PATIENCE_MS } from '../../helpers/patience.js';

const CONFIG = (target: string) => `global
    nbthread 1
    log ${target} local0
defaults
    mode http
    log global
    option httplog
    timeout connect 1s
    timeout client 5s
    timeout server 5s
frontend www
    bind 10.10.0.5:8080
    default_backend servers
frontend empty
    bind 10.10.0.5:8081
    default_backend none
frontend raw
    mode tcp
    option tcplog
    bind 10.10.0.5:8082
    default_backend raw-servers
backend servers
    server a 10.10.0.5:9001
backend none
backend raw-servers
    mode tcp
    server a 10.10.0.5:9001
`;

const DATE = String.raw`\[\d\d/\w{3}/\d{4}:\d\d:\d\d:\d\d\.\d{3}\]`;
const CLIENT = String.raw`10\.10\.0\.5:\d+ ${DATE}`;

test('each request and session is one line in its format', { skip: needsRoot }, async (t) => {
  const host = createHost(t);
  await host.serve(9001, 'hello').listening;
  const daemon = host.start('-f', host.file('a.cfg', CONFIG('stderr format raw')));
  await daemon.sees(/ ready/);

  await host.get('http://10.10.0.5:8080/path?q=1');
  await daemon.sees(
    new RegExp(
      `^${CLIENT} www servers/a \\d+/0/\\d+/\\d+/\\d+ 200 \\d+ - - ---- 1/1/\\d/\\d/0 0/0 "GET /path\\?q=1 HTTP/1\\.1"$`,
      'm',
    ),
  );
  await host.get('http://10.10.0.5:8081/');
  await daemon.sees(
    new RegExp(
      `^${CLIENT} empty none/<NOSRV> \\d+/-1/-1/-1/\\d+ 503 \\d+ - - SC-- 1/1/\\d/0/0 0/0 "GET / HTTP/1\\.1"$`,
      'm',
    ),
  );
  await host.get('http://10.10.0.5:8082/');
  await daemon.sees(new RegExp(`^${CLIENT} raw raw-servers/a 0/\\d+/\\d+ \\d+ -- 1/1/0/0/0 0/0$`, 'm'));
});

test('samples of a request and its response are in the line, though both are gone by then', {
  skip: needsRoot,
}, async (t) => {
  const host = createHost(t);
  await host.serve(9001, 'hello').listening;
  const config = CONFIG('stderr format raw').replace(
    'option httplog',
    'log-format "[%HM] %[req.hdr(host),lower] %[path,field(2,/)] %[res.fhdr(date),length] %[status] %[srv_name] %{+Q}[req.hdr(none)] %[urlp(q)]"',
  );
  const daemon = host.start('-f', host.file('a.cfg', config));
  await daemon.sees(/ ready/);
  await host.get('http://10.10.0.5:8080/path/x?q=%C3');
  await daemon.sees(/^\[GET\] 10\.10\.0\.5:8080 path 29 200 a "" %C3$/m);
});

test('a syslog server gets a datagram for each request, with priority, date and tag', {
  skip: needsRoot,
}, async (t) => {
  const host = createHost(t);
  await host.serve(9001, 'hello').listening;
  const fd = host.inside(() => listenForDatagrams('10.10.0.5', 5140));
  t.after(() => libc.close(fd));
  const daemon = host.start('-f', host.file('a.cfg', CONFIG('10.10.0.5:5140')));
  await daemon.sees(/ ready/);

  await host.get('http://10.10.0.5:8080/one');
  const lines = [receive(fd)];
  while (!lines.at(-1)!.includes('GET')) lines.push(receive(fd));
  assert.match(
    lines.at(-1)!,
    new RegExp(
      `^<134>\\w{3} [ \\d]\\d \\d\\d:\\d\\d:\\d\\d carpool\\[\\d+\\]: ${CLIENT} www servers/a .* "GET /one HTTP/1\\.1"$`,
    ),
  );
});

test('a syslog server that goes and comes back under its name gets lines again, and nobody waits meanwhile', {
  skip: needsRoot,
}, async (t) => {
  const host = createHost(t);
  await host.serve(9001, 'hello').listening;
  const path = join(host.directory, 'log.sock');
  const first = listenOnPath(path);
  const daemon = host.start('-f', host.file('a.cfg', CONFIG(path)));
  await daemon.sees(/ ready/);
  await host.get('http://10.10.0.5:8080/first');
  let line = '';
  await until('the line is there', () => (line = receiveRequest(first)) !== '');
  assert.match(line, /GET \/first/);

  libc.close(first);
  rmSync(path);
  for (let count = 0; count < 3; count++) assert.equal(await host.get('http://10.10.0.5:8080/lost'), '200 hello');
  const second = listenOnPath(path);
  t.after(() => libc.close(second));
  let found = '';
  for (const end_ms = performance.now() + PATIENCE_MS; !found.includes('/found') && performance.now() < end_ms; ) {
    await host.get('http://10.10.0.5:8080/found');
    await rest(300);
    found = drain(second).find((line) => line.includes('GET')) ?? '';
  }
  assert.match(found, /GET \/found/);
});

/** A bound unix datagram socket that does not wait. */
function listenOnPath(path: string): number {
  const fd = check(libc.socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), 'socket');
  const address = encodeUnixAddress(path)!;
  check(libc.bind(fd, byReference(address), address.length), 'bind');
  return fd;
}

/** All that waits. */
function drain(fd: number): string[] {
  const room = libc.allocatePinned(2048);
  const lines: string[] = [];
  for (let length = 0; length >= 0; ) {
    length = libc.recv(fd, room.address, 2048, 0);
    if (length > 0) lines.push(Buffer.from(room.bytes.subarray(0, length)).toString());
  }
  return lines;
}

function receiveRequest(fd: number): string {
  return drain(fd).find((line) => line.includes('GET')) ?? '';
}

function listenForDatagrams(address: string, port: number): number {
  const fd = check(libc.socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), 'socket');
  const name = socketAddressBytes({ address, port });
  check(libc.bind(fd, byReference(name), name.length), 'bind');
  check(
    libc.setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, byReference(BigInt64Array.of(BigInt(PATIENCE_MS / 1000), 0n)), 16),
    'setsockopt',
  );
  return fd;
}

function receive(fd: number): string {
  const room = libc.allocatePinned(2048);
  const length = check(libc.recv(fd, room.address, 2048, 0), 'recv');
  return Buffer.from(room.bytes.subarray(0, length)).toString();
}
