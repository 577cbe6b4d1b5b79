/** Sockets that carry one connection after the other, and ends that travel with the last bytes: what saves the kernel work. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Socket } from '#src/reactor/socket.js';
import { AF_INET, EMFILE } from '#src/system/abi/linux.js';
import * as libc from '#src/system/libc.js';
import { countDescriptors, KINDS, Recorder, Rig, sendBytes, sequence } from './harness.js';
import { listenOnLoopback, loopback, Peer } from './peer.js';
import { packetsReceived, packetsSent } from './tcp-info.js';

for (const kind of KINDS) {
  test(`${kind}: a socket that was reset carries the next connection, which knows nothing of the one before`, () => {
    const rig = new Rig(kind);
    const { fd, port } = listenOnLoopback(8);
    const descriptors: number[] = [];
    for (let turn = 0; turn < 4; turn++) {
      const { socket, owner } = connect(rig, port);
      descriptors.push(socket.fd);
      assert.equal(owner.connected, 0, `turn ${turn}`);
      assert.ok(sendBytes(socket, sequence(100)));
      const peer = accept(rig, fd);
      let read = 0;
      rig.until('the peer has read', () => {
        read += peer.read().length;
        return read >= 100;
      });
      assert.equal(packetsSent(socket.fd), 2, 'the first bytes end the handshake each time');
      peer.write(sequence(50 + turn));
      rig.until('the answer is there', () => owner.received === 50 + turn);
      if (turn % 2 === 1) peer.write(sequence(10)); // lies unread when the connection goes
      socket.reset();
      rig.until('the peer hears of it', () => owner.closed === 1 && peer.isOver());
      assert.equal(peer.over, 'reset');
      assert.equal(read, 100);
    }
    assert.equal(new Set(descriptors).size, 1);
    libc.close(fd);
    rig.everythingIsHome();
  });

  test(`${kind}: a socket with settings of its own carries no other connection`, () => {
    const rig = new Rig(kind);
    const { fd, port } = listenOnLoopback(8);
    const before = countDescriptors();
    const prepared = rig.reactor.connect(new Recorder(), AF_INET, loopback(port), 16, 'request', () => true)!;
    const dialogue = rig.reactor.connect(new Recorder(), AF_INET, loopback(port), 16, 'dialogue')!;
    rig.until('both are connected', () => !prepared.connecting && !dialogue.connecting);
    prepared.reset();
    dialogue.reset();
    rig.until('both are closed', () => rig.reactor.socket_count === 0);
    rig.until('their descriptors too', () => countDescriptors() === before);
    libc.close(fd);
    rig.everythingIsHome();
  });

  test(`${kind}: spare sockets are given up when the system is short of descriptors`, () => {
    const rig = new Rig(kind);
    const { fd, port } = listenOnLoopback(8);
    const before = countDescriptors();
    const { socket } = connect(rig, port);
    socket.reset();
    rig.until('it is closed', () => rig.reactor.socket_count === 0);
    assert.equal(countDescriptors(), before + 1, 'it is kept');
    rig.reactor.ranShort(EMFILE);
    assert.equal(countDescriptors(), before);
    // and kept again when it is not short any more, whoever was told of the shortage or not
    const again = connect(rig, port);
    again.socket.reset();
    rig.until('it is closed', () => rig.reactor.socket_count === 0);
    rig.pass(0);
    assert.equal(countDescriptors(), before + 1, 'it is kept');
    rig.reactor.ranShort(EMFILE);
    libc.close(fd);
    rig.everythingIsHome();
  });

  test(`${kind}: the end that follows at once travels with the last bytes`, () => {
    const packets = [false, true].map((ends_next) => {
      const rig = new Rig(kind);
      const owner = new Recorder();
      let socket: Socket | undefined;
      const { port } = rig.listen((one) => {
        socket = one;
        one.ends_next = ends_next;
        one.notify_drain = true;
        assert.ok(sendBytes(one, sequence(100)));
        return owner;
      });
      owner.onDrain = () => socket?.close();
      const peer = Peer.connect(port);
      let read = 0;
      rig.until('the peer has everything', () => {
        read += peer.read().length;
        return peer.over !== 'no';
      });
      assert.equal(read, 100);
      assert.equal(peer.over, 'end');
      const count = packetsReceived(peer.fd);
      rig.everythingIsHome();
      return count;
    });
    assert.equal(packets[0]! - packets[1]!, 1);
  });
}

function connect(rig: Rig, port: number): { socket: Socket; owner: Recorder } {
  const owner = new Recorder();
  const socket = rig.reactor.connect(owner, AF_INET, loopback(port), 16, 'request')!;
  socket.receive();
  rig.until('it is connected', () => owner.connected !== undefined);
  return { socket, owner };
}

function accept(rig: Rig, fd: number): Peer {
  let peer: Peer | undefined;
  rig.until('the connection is there', () => {
    peer = Peer.accept(fd);
    return peer !== undefined;
  });
  return peer!;
}
