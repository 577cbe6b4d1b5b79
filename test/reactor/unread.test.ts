/** Clients that nobody reads for a while: a reset of theirs is heard all the same, and nothing else of them is. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RingMemory } from '#src/reactor/ring-memory.js';
import type { Socket } from '#src/reactor/socket.js';
import { AF_INET, ECONNRESET } from '#src/system/abi/linux.js';
import * as libc from '#src/system/libc.js';
import { KINDS, Recorder, Rig, sendBytes, sequence } from './harness.js';
import { listenOnLoopback, loopback, Peer } from './peer.js';

/** Long enough for the kernel to be asked. */
const LONG_MS = 250;
const BYTES = sequence(200_000);

/** Why nobody reads. */
const REASONS: Record<string, (socket: Socket) => void> = {
  'was read and is paused': (socket) => {
    socket.receive();
    socket.pause();
  },
  'has said once what was asked for': (socket) => socket.receiveOnce(),
  'holds all that it may': (socket) => socket.receive(),
  'holds all that it may, in bulk': (socket) => {
    socket.setBulk(true);
    socket.receive();
  },
  'holds all that it may, in pipes': (socket) => {
    socket.setBulk(true);
    socket.allowSplice(Number.POSITIVE_INFINITY);
    socket.receive();
  },
};

for (const kind of KINDS) {
  for (const lasts of [false, true])
    test(`${kind}: a client that resets ${lasts ? 'after' : 'before'} the kernel was asked to say so is heard, whyever nobody reads it`, () => {
      const rig = new Rig(kind);
      const clients = Object.values(REASONS).map((act) => {
        const one = client(rig);
        one.owner.keeps = true;
        one.peer.write(BYTES);
        act(one.socket);
        return one;
      });
      rig.passesWithin(lasts ? LONG_MS : 20, 50);
      for (const { peer, owner } of clients) {
        assert.equal(owner.error, 0);
        peer.reset();
      }
      rig.until('all is told', () => clients.every(({ owner }) => owner.closed === 1));
      for (const { owner } of clients) {
        assert.equal(owner.error, ECONNRESET);
        assert.equal(owner.ended, false);
        owner.releaseAll();
      }
      rig.everythingIsHome();
    });

  test(`${kind}: FIN behind unread bytes is no reset, not even with our own; a reset behind that is`, () => {
    const rig = new Rig(kind);
    const [open, both] = [unread(rig), unread(rig)];
    for (const { peer } of [open, both]) peer.end();
    both.socket.end();
    assert.ok(rig.passesWithin(LONG_MS, 50) < 20, 'nothing spins');
    for (const { owner } of [open, both]) assert.deepEqual([owner.error, owner.ended, owner.closed], [0, false, 0]);
    open.peer.reset();
    both.socket.receive();
    rig.until('both are told', () => open.owner.closed === 1 && both.owner.ended);
    assert.ok(open.owner.error > 0);
    assert.equal(both.owner.received, both.said);
    rig.everythingIsHome();
  });

  test(`${kind}: a client that is read again loses nothing, and the kernel is asked once for all its rests`, () => {
    const asked = countWatches();
    const rig = new Rig(kind);
    const { socket, owner, peer } = client(rig);
    let said = 0;
    for (let turn = 0; turn < 2; turn++) {
      socket.pause();
      said += peer.write(BYTES);
      if (kind === 'ring') rig.until('the kernel is asked', () => asked.count === 1);
      else rig.passesWithin(LONG_MS, 50);
      socket.receive();
      rig.until('all of it is there', () => owner.received === said);
    }
    asked.stop();
    assert.equal(asked.count, kind === 'ring' ? 1 : 0);
    peer.reset();
    rig.until('it is told', () => owner.closed === 1);
    assert.equal(owner.error, ECONNRESET);
    rig.everythingIsHome();
  });

  test(`${kind}: a reset that is announced while a client is read, or to a send, is told though its bytes find no room`, () => {
    const rig = new Rig(kind);
    const [read, sent] = [unread(rig), unread(rig)];
    for (const { owner } of [read, sent]) owner.keeps = true;
    sent.socket.receive();
    rig.passesWithin(LONG_MS, 50);
    read.socket.setBulk(true);
    read.socket.receive();
    for (const { peer } of [read, sent]) peer.reset();
    assert.ok(sendBytes(sent.socket, sequence(10)));
    rig.until('both are told', () => read.owner.closed === 1 && sent.owner.closed === 1);
    assert.equal(read.owner.error, ECONNRESET);
    assert.ok(sent.owner.error > 0);
    for (const { owner } of [read, sent]) owner.releaseAll();
    rig.everythingIsHome();
  });

  test(`${kind}: a socket that is closed while the kernel is asked leaves nothing to the next one of its slot`, () => {
    const rig = new Rig(kind);
    const { socket, owner } = unread(rig);
    const { slot } = socket;
    rig.passesWithin(LONG_MS, 50);
    socket.close();
    rig.until('it is closed', () => owner.closed === 1);
    const next = client(rig);
    assert.equal(next.socket.slot, slot);
    next.socket.receive();
    next.peer.write(BYTES.subarray(0, 100));
    rig.until('its bytes are there', () => next.owner.received === 100);
    next.socket.reset();
    rig.until('it is closed', () => next.owner.closed === 1);
    assert.equal(next.owner.error, 0);
    rig.everythingIsHome();
  });

  test(`${kind}: what a server said before it reset is not lost, however long it lies there`, () => {
    const rig = new Rig(kind);
    const { fd, port } = listenOnLoopback(8);
    const owner = new Recorder();
    const socket = rig.reactor.connect(owner, AF_INET, loopback(port), 16)!;
    rig.until('it is connected', () => owner.connected === 0);
    const peer = Peer.accept(fd)!;
    socket.receive();
    rig.pass(0);
    socket.pause();
    peer.write(BYTES.subarray(0, 50_000));
    peer.reset();
    rig.passesWithin(LONG_MS, 50);
    assert.equal(owner.closed, 0);
    socket.receive();
    rig.until('it is closed', () => owner.closed === 1);
    assert.equal(owner.received, 50_000);
    assert.equal(owner.error, ECONNRESET);
    libc.close(fd);
    rig.everythingIsHome();
  });
}

test('ring: clients that are read in time cost the kernel nothing', () => {
  const rig = new Rig('ring');
  const asked = countWatches();
  for (let turn = 0; turn < 5; turn++) {
    const { socket, owner, peer } = client(rig);
    for (let request = 1; request <= 10; request++) {
      socket.receiveOnce();
      peer.write(BYTES.subarray(0, 100));
      rig.until('it is there', () => owner.received === request * 100);
      rig.pass(0);
    }
    socket.close();
    rig.until('it is closed', () => owner.closed === 1);
  }
  asked.stop();
  assert.equal(asked.count, 0);
  rig.everythingIsHome();
});

// ── what these tests share ──────────────────────────────────────────────────────────────────────

/** Keeps what it is given, if it is told to. */
class Keeper extends Recorder {
  keeps = false;
  private readonly kept: number[] = [];
  private readonly rig: Rig;

  constructor(rig: Rig) {
    super();
    this.rig = rig;
  }

  override onData(socket: Socket, buffer: number, offset: number, length: number): void {
    if (this.keeps) this.rig.reactor.buffers.retain(buffer);
    if (this.keeps) this.kept.push(buffer);
    super.onData(socket, buffer, offset, length);
  }

  releaseAll(): void {
    for (const buffer of this.kept.splice(0)) this.rig.reactor.buffers.release(buffer);
  }
}

/** Accepted, and not read yet. */
function client(rig: Rig): { socket: Socket; owner: Keeper; peer: Peer } {
  const owner = new Keeper(rig);
  let socket: Socket | undefined;
  const { port, listener } = rig.listen((one) => {
    socket = one;
    one.admitted_by = { leave: () => {} };
    return owner;
  });
  const peer = Peer.connect(port);
  rig.until('it is accepted', () => socket !== undefined);
  rig.release(listener);
  return { socket: socket!, owner, peer };
}

/** Accepted, paused, and with much to say. */
function unread(rig: Rig): { socket: Socket; owner: Keeper; peer: Peer; said: number } {
  const one = client(rig);
  one.socket.receive();
  rig.pass(0);
  one.socket.pause();
  rig.pass(0);
  return { ...one, said: one.peer.write(BYTES) };
}

/** How often a ring is asked to watch (operation 9 in user_data), until `stop`. */
function countWatches(): { count: number; stop(): void } {
  const { prepare } = RingMemory.prototype;
  const asked = { count: 0, stop: () => void Object.assign(RingMemory.prototype, { prepare }) };
  RingMemory.prototype.prepare = function (operation, fd, address, length, data_low, data_high) {
    if ((data_high & 15) === 9) asked.count++;
    return prepare.call(this, operation, fd, address, length, data_low, data_high);
  };
  return asked;
}
