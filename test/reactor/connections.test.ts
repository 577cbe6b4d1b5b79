/** How connections begin and end: refused, reset, timed out, closed with operations under way, closed from inside a callback. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LARGE_BYTES } from '#src/reactor/buffers.js';
import type { Socket, SocketOwner } from '#src/reactor/socket.js';
import { Timer } from '#src/reactor/timers.js';
import { AF_INET, ECONNREFUSED, ECONNRESET } from '#src/system/abi/linux.js';
import * as libc from '#src/system/libc.js';
import { echo, KINDS, type Kind, Recorder, Rig, sendBytes, sequence } from './harness.js';
import { listenOnLoopback, loopback, Peer, setSendBytes, socketAddress } from './peer.js';
import { packetsSent } from './tcp-info.js';

const ENETUNREACH = 101;
const PROMPT_MS = 1000;

for (const kind of KINDS) {
  test(`${kind}: a refused connection is told with its errno and closes itself`, () => {
    const rig = new Rig(kind);
    const owner = new Recorder();
    rig.reactor.connect(owner, AF_INET, loopback(unusedPort()), 16);
    rig.until('it is closed', () => owner.closed === 1);
    assert.equal(owner.connected, ECONNREFUSED);
    rig.everythingIsHome();
  });

  test(`${kind}: a request saves the packet that only ends the handshake`, () => {
    const rig = new Rig(kind);
    const { fd, port } = listenOnLoopback(8);
    const packets = (['dialogue', 'request'] as const).map((manner) => {
      const owner = new Recorder();
      const socket = rig.reactor.connect(owner, AF_INET, loopback(port), 16, manner)!;
      rig.until('it is connected', () => owner.connected === 0);
      assert.ok(sendBytes(socket, sequence(100)));
      rig.until('it is sent', () => socket.idle);
      const count = packetsSent(socket.fd);
      socket.close();
      return count;
    });
    assert.deepEqual(packets, [3, 2]);
    libc.close(fd);
    rig.everythingIsHome();
  });

  test(`${kind}: a connection that fails at once is told like any other`, () => {
    const rig = new Rig(kind);
    const owner = new Recorder();
    rig.reactor.connect(owner, AF_INET, socketAddress([255, 255, 255, 255], 80), 16);
    rig.until('it is closed', () => owner.closed === 1);
    assert.equal(owner.connected, ENETUNREACH);
    rig.everythingIsHome();
  });

  test(`${kind}: a connection that nobody answers is given up by its owner's timer`, () => {
    const rig = new Rig(kind);
    const { fd, port } = listenOnLoopback(0);
    const first = Peer.connect(port); // fills the accept queue: what comes now is not answered
    const second = Peer.connect(port);
    const owner = new Recorder();
    const socket = rig.reactor.connect(owner, AF_INET, loopback(port), 16)!;
    assert.ok(sendBytes(socket, sequence(100)), 'a slice may wait for the connection');
    const timer = new Timer(() => socket.close());
    const begin_ms = rig.reactor.now_ms; // as of the last pass, which may be a while ago
    rig.reactor.timers.arm(timer, begin_ms + 150);
    rig.until('it is closed', () => owner.closed === 1);
    const time_ms = rig.reactor.now_ms - begin_ms;
    assert.ok(time_ms > 140 && time_ms < 150 + PROMPT_MS, `after ${time_ms} ms`);
    assert.equal(owner.connected, undefined);
    first.close();
    second.close();
    libc.close(fd);
    rig.everythingIsHome();
  });

  test(`${kind}: a reset by the peer is told as ECONNRESET, also while a send is blocked`, () => {
    const rig = new Rig(kind);
    for (const blocked of [false, true]) {
      const { socket, owner, peer } = accepted(rig);
      if (blocked) blockSend(rig, socket);
      peer.reset();
      rig.until('it is closed', () => owner.closed === 1);
      assert.equal(owner.error, ECONNRESET);
    }
    rig.everythingIsHome();
  });

  test(`${kind}: a reset by us reaches the peer as RST at once, with a receive armed and a send blocked`, () => {
    const rig = new Rig(kind);
    for (const blocked of [false, true]) {
      const { socket, owner, peer } = accepted(rig);
      if (blocked) blockSend(rig, socket);
      socket.reset();
      rig.until('the peer sees it', () => owner.closed === 1 && peer.isOver(), PROMPT_MS);
      assert.equal(peer.over, 'reset');
    }
    rig.everythingIsHome();
  });

  test(`${kind}: a close reaches the peer as FIN at once, with a receive armed and a send blocked`, () => {
    const rig = new Rig(kind);
    for (const blocked of [false, true]) {
      const { socket, owner, peer } = accepted(rig);
      if (blocked) blockSend(rig, socket);
      socket.close();
      socket.close();
      assert.equal(socket.send(rig.reactor.buffers.takeSmall(), 0, 10), true, 'a slice too late is dropped');
      rig.until('it is closed', () => owner.closed === 1, PROMPT_MS);
      rig.until('the peer sees it', () => peer.isOver(), PROMPT_MS);
      assert.equal(peer.over, 'end');
      assert.equal(owner.closed, 1);
    }
    rig.everythingIsHome();
  });

  test(`${kind}: the end of a connection that lies idle is heard`, () => {
    const rig = new Rig(kind);
    const { owner, peer } = accepted(rig);
    rig.passesWithin(20, 10);
    peer.close();
    rig.until('it is closed', () => owner.closed === 1, PROMPT_MS);
    assert.ok(owner.ended);
    rig.everythingIsHome();
  });

  test(`${kind}: data that came together with the end is told before it`, () => {
    const rig = new Rig(kind);
    const { socket, owner, peer } = accepted(rig, false);
    peer.write(sequence(40_000));
    peer.end();
    rig.passesWithin(20, 5);
    socket.receive();
    rig.until('the end is told', () => owner.ended);
    assert.equal(owner.received, 40_000);
    rig.until('it is closed', () => owner.closed === 1);
    rig.everythingIsHome();
  });

  test(`${kind}: slots and descriptors that are reused at once see nothing of their last connection`, () => {
    const rig = new Rig(kind);
    const { fd, port } = listenOnLoopback(64);
    for (let round = 0; round < 30; round++) {
      const owners = Array.from({ length: 4 }, () => new Recorder());
      for (const owner of owners) rig.reactor.connect(owner, AF_INET, loopback(port), 16)!.receive();
      rig.until('they are connected', () => owners.every((owner) => owner.connected === 0));
      const peers = owners.map(() => Peer.accept(fd)!);
      for (const peer of peers) peer.write(sequence(5000, round));
      if (round % 2 === 0) rig.pass(0);
      for (const owner of owners) owner.socket!.close();
      const next = new Recorder();
      const socket = rig.reactor.connect(next, AF_INET, loopback(port), 16)!;
      socket.receive();
      rig.until('the next one is connected', () => next.connected === 0);
      const peer = Peer.accept(fd)!;
      peer.write(sequence(100, 99));
      rig.until('its bytes are here', () => next.received > 0);
      assert.equal(next.received, 100);
      assert.ok(owners.every((owner) => owner.closed === 1 && owner.error === 0));
      socket.close();
      for (const one of [...peers, peer]) one.close();
      rig.until('it is closed', () => next.closed === 1);
    }
    libc.close(fd);
    rig.everythingIsHome();
  });

  test(`${kind}: an owner may close and connect anew from inside any callback`, () => {
    for (const where of ['onConnect', 'refused', 'onData', 'onEnd', 'onError', 'onDrain', 'onClosed'] as const) {
      connectAnewInside(kind, where);
    }
  });

  test(`${kind}: a slot is used again once, and only when the last buffer charged to it is home`, () => {
    for (const kept of [0, 1]) {
      const rig = new Rig(kind);
      const held: number[] = [];
      const release = (left: number) => {
        while (held.length > left) rig.reactor.buffers.release(held.pop()!);
      };
      const { socket, peer } = accepted(rig, true, {
        ...echo,
        onData: (_socket, buffer) => held.push(buffer),
        onClosed: () => release(kept),
      });
      peer.write(sequence(20_000));
      rig.until('it holds two buffers', () => held.length >= 2);
      const { slot } = socket;
      socket.close();
      rig.until('it is closed', () => rig.reactor.socket_count === 0);
      const { fd, port } = listenOnLoopback(8);
      const connect = () => rig.reactor.connect(new Recorder(), AF_INET, loopback(port), 16)!;
      const others = [connect()];
      assert.equal(others[0]!.slot === slot, kept === 0);
      release(0);
      others.push(connect(), connect());
      assert.equal(new Set(others.map((one) => one.slot)).size, 3, 'nobody shares a slot');
      assert.ok(others.some((one) => one.slot === slot));
      for (const one of others) one.close();
      libc.close(fd);
      rig.everythingIsHome();
    }
  });

  test(`${kind}: a reset that a send hears of first is not told as an end`, () => {
    const rig = new Rig(kind);
    const { socket, owner, peer } = accepted(rig);
    rig.passesWithin(10, 5);
    peer.reset();
    assert.ok(sendBytes(socket, sequence(10)));
    rig.until('it is closed', () => owner.closed === 1);
    assert.ok(owner.error > 0);
    assert.equal(owner.ended, false);
    rig.everythingIsHome();
  });
}

// ── what these tests share ──────────────────────────────────────────────────────────────────────

/** A connection to us with its owner, both ends at hand. */
function accepted(rig: Rig, receiving = true, given?: SocketOwner) {
  const owner = new Recorder();
  let socket: Socket | undefined;
  const { port, listener } = rig.listen((one) => {
    socket = one;
    if (receiving) one.receive();
    return given ?? owner;
  });
  const peer = Peer.connect(port, { receive_bytes: 4096 });
  rig.until('it is accepted', () => socket !== undefined);
  rig.release(listener);
  return { socket: socket!, owner, peer };
}

/** Sends until the kernel takes no more, which leaves one send in flight and slices behind it. */
function blockSend(rig: Rig, socket: Socket): void {
  setSendBytes(socket.fd, 32 * 1024);
  for (let index = 0; index < 4; index++) assert.ok(sendBytes(socket, sequence(LARGE_BYTES)));
  let left = -1;
  for (let passes = 0; passes < 50 && left !== socket.send_length; passes++) {
    left = socket.send_length;
    rig.passesWithin(20, 10);
  }
  assert.ok(!socket.idle && socket.in_flight > 0, 'the peer does not read');
}

/** One connection meets `where`, closes there and begins another one, which must live: it echoes. */
function connectAnewInside(kind: Kind, where: keyof SocketOwner | 'refused'): void {
  const rig = new Rig(kind);
  const { fd, port } = listenOnLoopback(8);
  const second = new Recorder();
  let begun = false;
  const again = (socket: Socket) => {
    if (begun) return;
    begun = true;
    socket.close();
    const anew = rig.reactor.connect(second, AF_INET, loopback(port), 16)!;
    anew.receive();
    assert.ok(sendBytes(anew, sequence(10)));
  };
  const callback = where === 'refused' ? 'onConnect' : where;
  const data = (socket: Socket, buffer: number) => socket.reactor.buffers.release(buffer);
  const owner: SocketOwner = { ...echo, onEnd: () => {}, onDrain: () => {}, onData: data, [callback]: again };
  if (where === 'onData') {
    owner.onData = (socket, buffer) => {
      data(socket, buffer);
      again(socket);
    };
  }
  const first = rig.reactor.connect(owner, AF_INET, loopback(where === 'refused' ? unusedPort() : port), 16)!;
  first.receive();
  first.notify_drain = true;
  assert.ok(sendBytes(first, sequence(10)));
  const peer = where === 'refused' ? undefined : waitForPeer(rig, fd);
  if (callback !== 'onConnect') rig.until('the first is connected', () => !first.connecting);
  if (where === 'onData') peer!.write(sequence(10));
  if (where === 'onEnd') peer!.end();
  if (where === 'onError') peer!.reset();
  if (where === 'onClosed') first.close();
  rig.until(`${where} was called`, () => begun);
  rig.until('the second is connected', () => second.connected !== undefined);
  assert.equal(second.connected, 0, `after ${where}`);
  const other = waitForPeer(rig, fd);
  let received = 0;
  rig.until('the second has sent', () => {
    received += other.read().length;
    return received === 10;
  });
  other.write(sequence(10));
  rig.until('the second has received', () => second.received === 10);
  assert.equal(rig.reactor.socket_count, 1, 'the first one is gone, the second is not');
  assert.equal(second.closed, 0);
  second.socket!.close();
  libc.close(fd);
  rig.everythingIsHome();
}

function waitForPeer(rig: Rig, fd: number): Peer {
  let peer: Peer | undefined;
  rig.until('the connection is there', () => {
    peer = Peer.accept(fd);
    return peer !== undefined;
  });
  return peer!;
}

function unusedPort(): number {
  const { fd, port } = listenOnLoopback(1);
  libc.close(fd);
  return port;
}
