/** Log lines on their way out of a data thread: in order, each a datagram, and what cannot go is counted. */
import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import { test } from 'node:test';
import { DatagramSink } from '#src/proxy/log/sink.js';
import { AF_UNIX, MSG_DONTWAIT, SOCK_DGRAM } from '#src/system/abi/linux.js';
import { byReference } from '#src/system/arguments.js';
import * as libc from '#src/system/libc.js';
import { connectUnixDatagram } from '#src/system/log-socket.js';
import { encodeUnixAddress } from '#src/system/socket-address.js';
import { PATIENCE_MS } from '../../helpers/patience.js';
import { Rig } from '../../reactor/harness.js';
import { datagramOnLoopback, datagramTo } from '../../reactor/peer.js';

const encoder = new TextEncoder();

function log(rig: Rig, sink: DatagramSink, text: string): boolean {
  const offset = sink.room(1024);
  if (offset < 0) return false;
  rig.reactor.buffers.bytes.set(encoder.encode(text), offset);
  sink.put(text.length);
  return true;
}

function listenAt(path: string): number {
  rmSync(path, { force: true });
  const fd = libc.socket(AF_UNIX, SOCK_DGRAM, 0);
  const address = encodeUnixAddress(path)!;
  assert.equal(libc.bind(fd, byReference(address), address.length), 0);
  return fd;
}

const room = libc.allocatePinned(2048);

/** The oldest datagram that waits, or undefined. */
function read(fd: number): string | undefined {
  const length = libc.recv(fd, room.address, 2048, MSG_DONTWAIT);
  return length < 0 ? undefined : Buffer.from(room.bytes.subarray(0, length)).toString();
}

test('all lines of a pass leave as datagrams of their own, in order', () => {
  const rig = new Rig('epoll');
  const { peer, port } = datagramOnLoopback();
  const fd = datagramTo(port, 0);
  const sink = new DatagramSink(rig.reactor, () => fd, false);
  const sent = Array.from({ length: 200 }, (_, index) => `line ${index} ${'x'.repeat(index % 90)}`);
  for (const line of sent) assert.ok(log(rig, sink, line));
  sink.flush();
  const received = sent.map(() => Buffer.from(peer.read()).toString());
  assert.deepEqual(received, sent);
  assert.equal(sink.dropped, 0);
  libc.close(fd);
  rig.everythingIsHome();
});

test('where nobody listens lines are lost and counted, and later ones arrive again', () => {
  const rig = new Rig('epoll');
  const first = datagramOnLoopback();
  const fd = datagramTo(first.port, 0);
  const sink = new DatagramSink(rig.reactor, () => fd, false);
  first.peer.close();
  for (let pass = 0; pass < 6; pass++) {
    log(rig, sink, 'lost');
    sink.flush();
  }
  assert.ok(sink.dropped > 0, 'the kernel tells of some of them');
  libc.close(fd);
  rig.everythingIsHome();
});

test('a server that does not read costs lines, which are counted, and gets later ones when it reads again', () => {
  const rig = new Rig('epoll');
  const path = `/tmp/carpool-sink-${process.pid}.sock`;
  const server = listenAt(path);
  let fd = -1;
  const sink = new DatagramSink(rig.reactor, () => (fd = connectUnixDatagram(path)), true);
  let offered = 0;
  while (sink.dropped === 0 && offered < 10_000) log(rig, sink, `line ${offered++}`);
  assert.ok(sink.dropped > 0, 'a queue without end');
  let received = 0;
  for (let before = -1; before < received; sink.flush()) {
    before = received;
    while (read(server) !== undefined) received++;
  }
  assert.equal(received + sink.dropped, offered);
  log(rig, sink, 'later');
  sink.flush();
  assert.equal(read(server), 'later');
  libc.close(server);
  libc.close(fd);
  rmSync(path);
  rig.everythingIsHome();
});

test('a server that starts again under the same name is found again', () => {
  const rig = new Rig('epoll');
  const path = `/tmp/carpool-sink-again-${process.pid}.sock`;
  let server = listenAt(path);
  let fd = -1;
  const sink = new DatagramSink(rig.reactor, () => (fd = connectUnixDatagram(path)), true);
  log(rig, sink, 'one');
  sink.flush();
  assert.equal(read(server), 'one');
  libc.close(server);
  server = listenAt(path);
  const limit_ms = performance.now() + PATIENCE_MS;
  for (let line = read(server); line !== 'two'; line = read(server)) {
    assert.ok(performance.now() < limit_ms, 'it never arrived');
    rig.pass(20);
    log(rig, sink, 'two');
    sink.flush();
  }
  assert.ok(sink.dropped > 0);
  libc.close(server);
  libc.close(fd);
  rmSync(path);
  rig.everythingIsHome();
});
