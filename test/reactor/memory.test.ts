/** When buffers, slices, operations or completions run short: who waits, who goes first, and that nothing spins. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Buffers, SMALL_BYTES } from '#src/reactor/buffers.js';
import { ALLOWANCE, NO_OWNER, type Socket, type SocketOwner } from '#src/reactor/socket.js';
import { AF_INET } from '#src/system/abi/linux.js';
import * as libc from '#src/system/libc.js';
import { echo, KINDS, Recorder, Rig, sequence } from './harness.js';
import { listenOnLoopback, loopback, Peer } from './peer.js';

test('memory that the system does not give is said so', () => {
  assert.throws(() => libc.allocatePinned(2 ** 50), /no memory: mmap of 1125899906842624 bytes: ENOMEM/);
});

test('free buffers give their memory back to the system, and those in use keep their bytes', () => {
  const buffers = new Buffers({ small_count: 4, large_count: 1, reserve: 0, pipe_count: 0 });
  const [kept, free] = [buffers.takeSmall(), buffers.takeSmall()];
  buffers.bytes.fill(7);
  buffers.release(free);
  buffers.trim();
  assert.equal(buffers.bytes[buffers.offsetOf(free)], 0, 'the system has given a new page');
  const at = buffers.offsetOf(kept);
  assert.ok(buffers.bytes.subarray(at, at + SMALL_BYTES).every((byte) => byte === 7));
  buffers.destroy();
});

for (const kind of KINDS) {
  test(`${kind}: connections that find no buffer are served in the order they came, and nothing spins meanwhile`, () => {
    const rig = new Rig(kind, { small_count: ALLOWANCE, large_count: 1, reserve: 0 });
    const hoard = new Hoard();
    const served: number[] = [];
    const owners = [hoard, ...[1, 2, 3].map((number) => orderKeeper(number, served))];
    const peers = acceptAll(rig, owners);
    assert.ok(peers[0]!.write(sequence(ALLOWANCE * SMALL_BYTES)) > 0);
    rig.until('all buffers are hoarded', () => hoard.buffers.length === ALLOWANCE);
    for (const peer of peers.slice(1)) {
      peer.write(sequence(10));
      rig.passesWithin(15, 5);
    }
    assert.ok(rig.passesWithin(300, 50) < 20, 'nothing spins');
    assert.deepEqual(served, []);
    rig.reactor.buffers.release(hoard.buffers.pop()!);
    rig.until('all three are served', () => served.length === 3);
    assert.deepEqual(served, [1, 2, 3]);
    hoard.release(rig);
    rig.everythingIsHome();
  });

  test(`${kind}: a connection that leaves or pauses while it waits for a buffer keeps nobody waiting`, () => {
    const rig = new Rig(kind, { small_count: ALLOWANCE, large_count: 1, reserve: 0 });
    const hoard = new Hoard();
    const served: number[] = [];
    const sockets: Socket[] = [];
    const owners = [hoard, ...[1, 2, 3].map((number) => orderKeeper(number, served))];
    const peers = acceptAll(rig, owners, sockets);
    assert.ok(peers[0]!.write(sequence(ALLOWANCE * SMALL_BYTES)) > 0);
    rig.until('all buffers are hoarded', () => hoard.buffers.length === ALLOWANCE);
    for (const peer of peers.slice(1)) {
      peer.write(sequence(10));
      rig.passesWithin(15, 5);
    }
    sockets[1]!.close();
    sockets[2]!.pause();
    rig.reactor.buffers.release(hoard.buffers.pop()!);
    rig.until('the third is served', () => served.includes(3));
    sockets[2]!.receive();
    rig.until('so is the second, when it asks again', () => served.includes(2));
    assert.deepEqual(served, [3, 2]);
    hoard.release(rig);
    rig.everythingIsHome();
  });

  test(`${kind}: connections without data that wait for a buffer do not hold up the one behind them that has some`, () => {
    const rig = new Rig(kind, { small_count: ALLOWANCE, large_count: 1, reserve: 0 });
    const hoard = new Hoard();
    const served: number[] = [];
    const sockets: Socket[] = [];
    const idle = Array.from({ length: 10 }, (_, index) => orderKeeper(index, served));
    const peers = acceptAll(rig, [hoard, ...idle, orderKeeper(99, served)], sockets);
    assert.ok(peers[0]!.write(sequence(ALLOWANCE * SMALL_BYTES)) > 0);
    rig.until('all buffers are hoarded', () => hoard.buffers.length === ALLOWANCE);
    for (const socket of sockets.slice(1)) socket.pause();
    rig.passesWithin(20, 5);
    for (const socket of sockets.slice(1)) socket.receive();
    peers.at(-1)!.write(sequence(10));
    rig.passesWithin(20, 5);
    rig.reactor.buffers.release(hoard.buffers.pop()!);
    const begin_ms = performance.now();
    for (let passes = 0; passes < 40 && served.length === 0; passes++) rig.pass(5000);
    assert.ok(performance.now() - begin_ms < 2500, `it took ${performance.now() - begin_ms} ms`);
    assert.deepEqual(served, [99]);
    hoard.release(rig);
    rig.everythingIsHome();
  });

  test(`${kind}: bulk leaves the reserve to heads`, () => {
    const reserve = 40;
    const rig = new Rig(kind, { small_count: 400, large_count: 2, reserve });
    const hoards = Array.from({ length: 50 }, () => new Hoard());
    const sockets: Socket[] = [];
    const peers = acceptAll(rig, hoards, sockets);
    for (const socket of sockets) socket.setBulk(true);
    for (const peer of peers) while (peer.write(sequence(64 * 1024)) > 0);
    let held = -1;
    for (let quiet = 0; quiet < 5; ) {
      rig.passesWithin(20, 5);
      const now = hoards.reduce((sum, hoard) => sum + hoard.buffers.length, 0);
      quiet = now === held ? quiet + 1 : 0;
      held = now;
    }
    assert.ok(rig.passesWithin(300, 50) < 20, 'nothing spins');
    assert.ok(held > 2, 'bulk gets small buffers when the large ones are gone');
    assert.ok(rig.buffersAway().small <= 400 - reserve, `bulk took ${rig.buffersAway().small} small buffers`);
    const [head] = acceptAll(rig, [echo]);
    const begin_ms = performance.now();
    head!.write(sequence(100));
    rig.until('the head is answered', () => head!.read().length > 0);
    assert.ok(performance.now() - begin_ms < 1000);
    for (const hoard of hoards) hoard.release(rig);
    rig.everythingIsHome();
  });

  test(`${kind}: with more senders than buffers everybody's bytes arrive, in turn`, () => {
    const rig = new Rig(kind, { small_count: 4, large_count: 1, reserve: 0 });
    const owners = Array.from({ length: 24 }, () => new Recorder());
    const peers = acceptAll(rig, owners);
    const size = 300_000;
    const bytes = sequence(size);
    const sent = peers.map(() => 0);
    rig.until('all is received', () => {
      for (const [index, peer] of peers.entries()) sent[index]! += peer.write(bytes.subarray(sent[index]));
      return owners.every((owner) => owner.received === size);
    });
    rig.everythingIsHome();
  });

  test(`${kind}: a socket that changes to large buffers while it waits for a small one waits among the others`, () => {
    const rig = new Rig(kind, { small_count: ALLOWANCE, large_count: 2, reserve: ALLOWANCE });
    const hoard = new Hoard();
    const served: number[] = [];
    const sockets: Socket[] = [];
    const peers = acceptAll(rig, [hoard, orderKeeper(1, served)], sockets);
    assert.ok(peers[0]!.write(sequence(ALLOWANCE * SMALL_BYTES)) > 0);
    rig.until('all small buffers are hoarded', () => hoard.buffers.length === ALLOWANCE);
    peers[1]!.write(sequence(10));
    rig.passesWithin(20, 5);
    assert.deepEqual(served, []);
    sockets[1]!.setBulk(true);
    rig.until('it is served from a large one', () => served.length === 1);
    hoard.release(rig);
    rig.everythingIsHome();
  });

  test(`${kind}: more operations than the submission queue holds, more completions than theirs: none is lost`, () => {
    const sizes = { entries: 8, completion_entries: 16, pass_budget: 4 };
    const rig = new Rig(kind, { sizes, socket_count: 128 });
    const owners = Array.from({ length: 60 }, () => new Recorder());
    const sockets: Socket[] = [];
    const peers = acceptAll(rig, owners, sockets);
    for (let round = 1; round <= 5; round++) {
      for (const peer of peers) peer.write(sequence(500, round));
      for (const socket of sockets) {
        const buffer = rig.reactor.buffers.takeSmall();
        assert.ok(socket.send(buffer, rig.reactor.buffers.offsetOf(buffer), 700));
      }
      const answered = peers.map(() => 0);
      rig.until('everybody has everything', () => {
        for (const [index, peer] of peers.entries()) answered[index]! += peer.read().length;
        return answered.every((bytes) => bytes === 700) && owners.every((owner) => owner.received === round * 500);
      });
    }
    for (const socket of sockets) socket.close();
    rig.until('all are closed', () => owners.every((owner) => owner.closed === 1));
    rig.everythingIsHome();
  });

  test(`${kind}: one connection that always has more gets no more than its share of a pass`, () => {
    const rig = new Rig(kind);
    let in_pass = 0;
    let most = 0;
    const greedy: SocketOwner = {
      ...NO_OWNER,
      onEnd: (socket) => socket.close(),
      onData: (socket, buffer) => {
        socket.reactor.buffers.release(buffer);
        most = Math.max(most, ++in_pass);
      },
    };
    const [peer] = acceptAll(rig, [greedy]);
    const bytes = sequence(256 * 1024);
    for (let round = 0; round < 200; round++) {
      while (peer!.write(bytes) > 0);
      in_pass = 0;
      rig.pass(2);
    }
    assert.ok(most >= 1 && most <= ALLOWANCE + rig.on_their_way, `${most} buffers in one pass`);
    rig.everythingIsHome();
  });

  test(`${kind}: out of slices a send is refused, and its reference is gone`, () => {
    const rig = new Rig(kind, { small_count: 300, large_count: 1, reserve: 0 });
    const sockets: Socket[] = [];
    acceptAll(rig, [new Recorder()], sockets);
    const { buffers, slices } = rig.reactor;
    const buffer = buffers.takeSmall();
    let taken = 0;
    for (let sends = 0; sends < slices.capacity + 10; sends++) {
      buffers.retain(buffer);
      // every other byte, so that no slice can join the one before
      if (sockets[0]!.send(buffer, buffers.offsetOf(buffer) + 2 * sends, 1)) taken++;
    }
    assert.equal(slices.left, 0);
    assert.equal(taken, slices.capacity + 1, 'one in flight, the others wait');
    buffers.release(buffer);
    sockets[0]!.close();
    rig.everythingIsHome();
  });

  test(`${kind}: a connection that came to K buffers reads on at K/2, not before`, () => {
    const rig = new Rig(kind);
    const hoard = new Hoard();
    const sockets: Socket[] = [];
    const [peer] = acceptAll(rig, [hoard], sockets);
    const socket = sockets[0]!;
    rig.until('it has its allowance', () => peer!.write(sequence(64 * 1024)) === 0 && socket.full && !socket.armed);
    while (socket.held > ALLOWANCE / 2 + 1) {
      rig.reactor.buffers.release(hoard.buffers.pop()!);
      rig.passesWithin(4, 2);
      assert.equal(socket.armed, false, `holds ${socket.held}`);
    }
    rig.reactor.buffers.release(hoard.buffers.pop()!);
    assert.ok(socket.armed);
    hoard.release(rig);
    rig.everythingIsHome();
  });

  test(`${kind}: slices that touch become one, short ones are copied behind the last, never over bytes of others`, () => {
    const rig = new Rig(kind);
    const { fd, port } = listenOnLoopback(8);
    const { buffers } = rig.reactor;
    const socket = rig.reactor.connect(new Recorder(), AF_INET, loopback(port), 16)!;
    const [shared, short, other] = [buffers.takeSmall(), buffers.takeSmall(), buffers.takeSmall()];
    const at = buffers.offsetOf(shared);
    const bytes = sequence(400);
    buffers.bytes.set(bytes, at);
    for (const buffer of [short, other]) buffers.bytes.set(bytes, buffers.offsetOf(buffer));
    for (let references = 0; references < 2; references++) buffers.retain(shared);
    socket.send(shared, at, 100);
    socket.send(shared, at + 100, 100);
    assert.equal(socket.queue_count, 1, 'they touch');
    socket.send(short, buffers.offsetOf(short), 10);
    assert.equal(socket.queue_count, 2, 'behind the shared one stand bytes of somebody else');
    socket.send(other, buffers.offsetOf(other) + 10, 10);
    assert.equal(socket.queue_count, 2, 'copied behind the short one');
    assert.ok(Buffer.from(buffers.bytes.subarray(at, at + 400)).equals(bytes));
    buffers.release(shared);
    let peer: Peer | undefined;
    let received: Uint8Array = new Uint8Array(0);
    rig.until('all came', () => {
      peer ??= Peer.accept(fd);
      if (peer) received = Buffer.concat([received, peer.read()]);
      return received.length >= 220;
    });
    assert.ok(Buffer.from(received).equals(Buffer.concat([bytes.subarray(0, 200), bytes.subarray(0, 20)])));
    socket.close();
    libc.close(fd);
    rig.everythingIsHome();
  });
}

test('a buffer that is released once too often is a mistake that shows', () => {
  const buffers = new Buffers({ small_count: 2, large_count: 1, reserve: 0, pipe_count: 0 });
  const buffer = buffers.takeSmall();
  buffers.retain(buffer);
  assert.ok(buffers.isShared(buffer));
  buffers.release(buffer);
  buffers.release(buffer);
  assert.throws(() => buffers.release(buffer), /released once too often/);
  buffers.destroy();
});

test('released buffers are poisoned where tests ask for it, and only they', () => {
  const buffers = new Buffers({ small_count: 2, large_count: 1, reserve: 0, pipe_count: 0 });
  buffers.poison = true;
  const [one, other] = [buffers.takeSmall(), buffers.takeSmall()];
  assert.equal(buffers.takeSmall(), -1);
  for (const buffer of [one, other])
    buffers.bytes.fill(1, buffers.offsetOf(buffer), buffers.offsetOf(buffer) + SMALL_BYTES);
  buffers.release(one);
  const bytesOf = (buffer: number) =>
    new Set(buffers.bytes.subarray(buffers.offsetOf(buffer), buffers.offsetOf(buffer) + SMALL_BYTES));
  assert.deepEqual([...bytesOf(one)], [0xdb]);
  assert.deepEqual([...bytesOf(other)], [1]);
  buffers.release(other);
  buffers.destroy();
});

test('more buffers than the kernel can name are a mistake that shows', () => {
  assert.throws(() => new Buffers({ small_count: 65_536, large_count: 1, reserve: 0, pipe_count: 0 }), /65536 buffers/);
});

/** Keeps every buffer that it gets, until `release`. */
class Hoard extends Recorder {
  readonly buffers: number[] = [];
  private given_up = false;

  override onData(socket: Socket, buffer: number): void {
    if (this.given_up) socket.reactor.buffers.release(buffer);
    else this.buffers.push(buffer);
  }

  release(rig: Rig): void {
    this.given_up = true;
    while (this.buffers.length > 0) rig.reactor.buffers.release(this.buffers.pop()!);
  }
}

function orderKeeper(number: number, served: number[]): SocketOwner {
  return {
    ...NO_OWNER,
    onEnd: (socket) => socket.close(),
    onData: (socket, buffer) => {
      socket.reactor.buffers.release(buffer);
      served.push(number);
    },
  };
}

/** One connection for each owner, receiving; returns the peers' ends, in order. */
function acceptAll(rig: Rig, owners: readonly SocketOwner[], sockets: Socket[] = []): Peer[] {
  let count = 0;
  const { port, listener } = rig.listen((socket) => {
    socket.receive();
    sockets.push(socket);
    return owners[count++]!;
  });
  const peers = owners.map((_, index) => {
    const peer = Peer.connect(port);
    rig.until('it is accepted', () => count > index);
    return peer;
  });
  rig.release(listener);
  return peers;
}
