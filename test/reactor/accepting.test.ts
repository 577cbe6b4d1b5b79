/** Listeners: out of descriptors, out of slots, too many at once, handed over. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ACCEPT_BUDGET } from '#src/reactor/listener.js';
import { NO_OWNER, type Socket, type SocketOwner } from '#src/reactor/socket.js';
import { AF_INET, SHUT_RDWR } from '#src/system/abi/linux.js';
import * as libc from '#src/system/libc.js';
import { echo, KINDS, Recorder, Rig, sequence } from './harness.js';
import { limitDescriptors, listenOnLoopback, loopback, Peer, withoutDescriptors } from './peer.js';

limitDescriptors(1024);

for (const kind of KINDS) {
  test(`${kind}: out of descriptors accepting pauses, nothing spins, and it goes on when one comes back`, () => {
    const rig = new Rig(kind);
    const { port } = rig.listen(receiveInto(echo));
    const first = Peer.connect(port);
    rig.until('the first is accepted', () => answers(first));
    const waiting = [Peer.connect(port), Peer.connect(port)];
    withoutDescriptors(() => {
      assert.ok(rig.passesWithin(300, 50) < 20, 'nothing spins');
      assert.equal(rig.reactor.socket_count, 1);
      assert.ok(answers(first) || rig.passesWithin(20, 5) > 0, 'others go on meanwhile');
      rig.until('the first is answered', () => answers(first));
      first.end();
      rig.until('the one descriptor that came back is used', () => first.isOver() && answers(waiting[0]!));
      assert.ok(rig.passesWithin(300, 50) < 20, 'nothing spins');
    });
    rig.until('the last is accepted too', () => answers(waiting[1]!));
    rig.everythingIsHome();
  });

  test(`${kind}: out of descriptors a listener can be released`, () => {
    const rig = new Rig(kind);
    const { port, listener } = rig.listen(receiveInto(echo));
    Peer.connect(port);
    withoutDescriptors(() => rig.passesWithin(50, 10));
    rig.release(listener);
    rig.everythingIsHome();
  });

  test(`${kind}: out of slots a connection is turned away, accepting pauses and goes on`, () => {
    const rig = new Rig(kind, { socket_count: 4 });
    const { port } = rig.listen(receiveInto(echo));
    const peers = Array.from({ length: 8 }, () => Peer.connect(port));
    assert.ok(rig.passesWithin(300, 50) < 40, 'nothing spins');
    const alive = peers.filter((peer) => !peer.isOver());
    assert.ok(alive.length >= 4 && rig.reactor.socket_count === 4);
    for (const peer of peers) peer.close();
    rig.until('the slots are free', () => rig.reactor.socket_count === 0);
    const late = Peer.connect(port);
    rig.until('a new one is answered', () => answers(late));
    rig.everythingIsHome();
  });

  test(`${kind}: an error of accept that stays does not make the loop spin`, () => {
    const rig = new Rig(kind);
    const { fd } = listenOnLoopback(8);
    const listener = rig.listenOn(fd, receiveInto(echo));
    rig.passesWithin(10, 5);
    libc.shutdown(fd, SHUT_RDWR);
    assert.ok(rig.passesWithin(500, 50) < 30, 'it tries again now and then');
    rig.release(listener);
    rig.everythingIsHome();
  });

  test(`${kind}: a pass accepts no more than its budget, and others get their turn`, () => {
    const rig = new Rig(kind, { socket_count: 1024 });
    const { fd, port } = listenOnLoopback(1024);
    let accepted = 0;
    const peers = Array.from({ length: 3 * ACCEPT_BUDGET }, () => Peer.connect(port));
    const listener = rig.listenOn(fd, (socket) => {
      accepted++;
      return receiveInto(echo)(socket);
    });
    const begin_ms = performance.now();
    while (accepted < peers.length) {
      const before = accepted;
      rig.pass(10_000);
      assert.ok(accepted - before <= 2 * ACCEPT_BUDGET, `${accepted - before} in one pass`);
      assert.ok(rig.passes < 200);
    }
    assert.ok(performance.now() - begin_ms < 9000, 'nobody waits while connections do');
    rig.release(listener);
    rig.everythingIsHome();
  });

  test(`${kind}: a release hands out what the kernel accepted beyond the budget, and leaves the rest to the kernel`, () => {
    const rig = new Rig(kind, { socket_count: 1024 });
    const { fd, port } = listenOnLoopback(1024);
    let accepted = 0;
    const peers = Array.from({ length: 3 * ACCEPT_BUDGET }, () => Peer.connect(port));
    const listener = rig.listenOn(fd, (socket) => {
      if (++accepted === 10) listener.release();
      return receiveInto(echo)(socket);
    });
    rig.until('it is released', () => !rig.knows(listener));
    let left = 0;
    while (Peer.accept(fd)) left++;
    assert.equal(accepted + left, peers.length, 'none is lost');
    libc.close(fd);
    rig.everythingIsHome();
  });

  test(`${kind}: a paused listener leaves connections in the kernel, resumed it takes them`, () => {
    const rig = new Rig(kind);
    const { port, listener } = rig.listen(receiveInto(echo));
    rig.pass(1);
    listener.pause();
    rig.passesWithin(10, 5);
    const peer = Peer.connect(port);
    assert.ok(rig.passesWithin(100, 20) < 10);
    assert.equal(rig.reactor.socket_count, 0);
    listener.resume();
    rig.until('it is answered', () => answers(peer));
    listener.pause();
    listener.resume();
    const other = Peer.connect(port);
    rig.until('so is another one', () => answers(other));
    rig.everythingIsHome();
  });

  test(`${kind}: an owner may release the listener, turn a connection away and connect from inside onAccept`, () => {
    const rig = new Rig(kind);
    const { fd, port } = listenOnLoopback(8);
    const away = new Recorder();
    const peers = [Peer.connect(port), Peer.connect(port)];
    let anew: Socket | undefined;
    const listener = rig.listenOn(fd, (socket) => {
      socket.close();
      if (anew) return NO_OWNER;
      anew = rig.reactor.connect(away, AF_INET, loopback(port), 16)!;
      return NO_OWNER;
    });
    rig.until('both are turned away', () => peers.every((peer) => peer.isOver()));
    rig.until('the connection from inside is made and ended', () => {
      if (away.connected === 0 && !anew!.armed && away.closed === 0) anew!.receive();
      return away.closed === 1;
    });
    assert.ok(away.ended);
    rig.release(listener);
    rig.everythingIsHome();
  });

  for (const next_kind of KINDS) {
    test(`${kind}: a listener handed over to ${next_kind} loses none of the connections that wait in it`, () => {
      const old = new Rig(kind);
      const { fd, port } = listenOnLoopback(64);
      const next = new Rig(next_kind);
      const listener = old.listenOn(fd, receiveInto(echo));
      const served = Peer.connect(port);
      old.until('the old one answers', () => answers(served));
      listener.release();
      const waiting = Array.from({ length: 20 }, () => Peer.connect(port)); // some before, some after the cancel
      old.passesWithin(30, 5);
      const late = Array.from({ length: 20 }, () => Peer.connect(port));
      next.listenOn(fd, receiveInto(echo));
      const all = [served, ...waiting, ...late];
      const answered = new Set<Peer>();
      next.until('all of them are answered', () => {
        old.pass(1);
        for (const peer of all) if (!answered.has(peer) && answers(peer)) answered.add(peer);
        return answered.size === all.length;
      });
      assert.ok(all.every((peer) => peer.over === 'no'));
      for (const peer of all) peer.close();
      next.everythingIsHome();
      old.everythingIsHome();
    });
  }
}

function receiveInto(owner: SocketOwner): (socket: Socket) => SocketOwner {
  return (socket) => {
    socket.receive();
    return owner;
  };
}

const asked = new WeakSet<Peer>();

/** Asks once; true when an echo's answer is here (which the next call asks for anew). */
function answers(peer: Peer): boolean {
  if (!asked.has(peer)) {
    if (peer.write(sequence(10)) > 0) asked.add(peer);
    return false;
  }
  if (peer.read().length === 0) return false;
  asked.delete(peer);
  return true;
}
