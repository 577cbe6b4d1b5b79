/** Bytes through a socket: in order, at everybody's own pace, to both ends of them. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { LARGE_BYTES } from '#src/reactor/buffers.js';
import { ALLOWANCE, type Socket } from '#src/reactor/socket.js';
import { AF_INET } from '#src/system/abi/linux.js';
import * as libc from '#src/system/libc.js';
import { echo, KINDS, Recorder, Rig, sendBytes, sequence, sha256 } from './harness.js';
import { listenOnLoopback, loopback, Peer } from './peer.js';
import { copyThrough, pipeThrough, writeUntilFull } from './through.js';

for (const kind of KINDS) {
  test(`${kind}: bytes stay in order with one send in flight, though the reader takes little at a time`, () => {
    const rig = new Rig(kind);
    const bytes = sequence(3 * 1024 * 1024);
    const owner = new Recorder();
    let socket: Socket | undefined;
    const { port } = rig.listen((accepted) => {
      socket = accepted;
      return owner;
    });
    const peer = Peer.connect(port, { receive_bytes: 4096 });
    rig.until('it is accepted', () => socket !== undefined);
    assert.ok(sendBytes(socket!, bytes), 'twelve large buffers hold it');
    socket!.end();
    const digest = createHash('sha256');
    let received = 0;
    rig.until(
      'the reader has it all',
      () => {
        assert.ok(socket!.in_flight <= 1, 'never two sends at once');
        const part = peer.read(1 + ((received * 7) % 50_000));
        digest.update(part);
        received += part.length;
        return peer.over === 'end';
      },
      15_000,
    );
    assert.equal(received, bytes.length);
    assert.equal(digest.digest('hex'), sha256(bytes));
    socket!.close();
    rig.everythingIsHome();
  });

  test(`${kind}: a slow reader stops the reads on the other side at K buffers, and gets every byte in the end`, () => {
    const rig = new Rig(kind);
    const { writer, reader, pipes } = pipeThrough(rig, { receive_bytes: 4096 });
    const bytes = sequence(16 * 1024 * 1024);
    const sent = writeUntilFull(rig, writer, bytes);
    assert.ok(sent < bytes.length, 'the writer was stopped');
    assert.ok(pipes[0]!.most_held >= ALLOWANCE, 'it came to K');
    assert.ok(
      pipes[0]!.most_held <= ALLOWANCE + rig.on_their_way,
      `K + what was on its way, not ${pipes[0]!.most_held}`,
    );
    assert.ok(rig.passesWithin(150, 50) <= 8, 'nothing spins while the reader sleeps');
    assert.equal(copyThrough(rig, writer, reader, bytes, sent), sha256(bytes));
    rig.everythingIsHome();
  });

  test(`${kind}: a slow reader of a long body stops it at K too, and gets every byte in the end`, () => {
    const rig = new Rig(kind);
    const { writer, reader, pipes, sockets } = pipeThrough(rig, { receive_bytes: 4096 });
    for (const socket of sockets) socket.setBulk(true);
    const bytes = sequence(16 * 1024 * 1024);
    const sent = writeUntilFull(rig, writer, bytes);
    assert.ok(sent < bytes.length, 'the writer was stopped');
    assert.ok(
      pipes[0]!.most_held <= ALLOWANCE + rig.on_their_way,
      `K + what was on its way, not ${pipes[0]!.most_held}`,
    );
    assert.equal(copyThrough(rig, writer, reader, bytes, sent), sha256(bytes));
    rig.everythingIsHome();
  });

  test(`${kind}: a slow writer's bytes arrive as they come`, () => {
    const rig = new Rig(kind);
    const { port } = rig.listen((socket) => {
      socket.receive();
      return echo;
    });
    const peer = Peer.connect(port);
    const bytes = sequence(60);
    for (const [index, byte] of bytes.entries()) {
      assert.equal(peer.write(Uint8Array.of(byte)), 1);
      let back = new Uint8Array(0);
      rig.until('the byte is back', () => {
        back = Uint8Array.from(peer.read());
        return back.length > 0;
      });
      assert.deepEqual([...back], [byte], `byte ${index} alone`);
      rig.pass(1);
    }
    peer.end();
    rig.until('the end is back', () => peer.isOver());
    rig.everythingIsHome();
  });

  test(`${kind}: one-byte segments through a pipe arrive whole and do not hoard buffers`, () => {
    const rig = new Rig(kind);
    const { writer, reader, pipes } = pipeThrough(rig);
    const bytes = sequence(3000);
    const digest = createHash('sha256');
    let [sent, received] = [0, 0];
    rig.until('all of it arrived', () => {
      for (let burst = 0; burst < 20 && sent < bytes.length; burst++) {
        sent += writer.write(bytes.subarray(sent, sent + 1));
      }
      const part = reader.read();
      digest.update(part);
      received += part.length;
      return received === bytes.length;
    });
    assert.equal(digest.digest('hex'), sha256(bytes));
    assert.ok(pipes[0]!.most_held <= ALLOWANCE + rig.on_their_way);
    writer.close();
    rig.everythingIsHome();
  });

  test(`${kind}: a stalled neighbour changes nothing for the others`, () => {
    const rig = new Rig(kind, { small_count: 600, reserve: 64 });
    const stalled = Array.from({ length: 8 }, () => pipeThrough(rig, { receive_bytes: 4096 }));
    const bytes = sequence(2 * 1024 * 1024);
    const sent = stalled.map(({ writer, sockets }) => {
      for (const socket of sockets) socket.setBulk(true);
      return writeUntilFull(rig, writer, bytes);
    });
    const { port } = rig.listen((socket) => {
      socket.receive();
      return echo;
    });
    const peer = Peer.connect(port);
    const times_ms: number[] = [];
    for (let round = 0; round < 300; round++) {
      const begin_ms = performance.now();
      peer.write(bytes.subarray(round * 4, round * 4 + 1000));
      let back = 0;
      rig.until('the answer is here', () => {
        back += peer.read().length;
        return back === 1000;
      });
      times_ms.push(performance.now() - begin_ms);
    }
    times_ms.sort((a, b) => a - b);
    assert.ok(times_ms[270]! < 50, `nine in ten answers within 50 ms, not ${times_ms[270]}`);
    for (const [index, { writer, reader }] of stalled.entries()) {
      assert.equal(copyThrough(rig, writer, reader, bytes, sent[index]!), sha256(bytes));
    }
    peer.end();
    rig.until('the end is back', () => peer.isOver());
    rig.everythingIsHome();
  });

  test(`${kind}: when the client has sent its end, the server's answer still comes through`, () => {
    const rig = new Rig(kind);
    const { writer: client, reader: server } = pipeThrough(rig);
    client.write(sequence(100));
    client.end();
    let received = 0;
    rig.until('the server heard the end', () => {
      received += server.read().length;
      return server.over === 'end';
    });
    assert.equal(received, 100);
    const answer = sequence(300_000, 7);
    assert.equal(copyThrough(rig, server, client, answer, 0), sha256(answer));
    rig.everythingIsHome();
  });

  test(`${kind}: when the server has sent its end, the client may still send`, () => {
    const rig = new Rig(kind);
    const { writer: client, reader: server } = pipeThrough(rig);
    server.end();
    rig.until('the client heard the end', () => client.isOver());
    const request = sequence(300_000, 9);
    assert.equal(copyThrough(rig, client, server, request, 0), sha256(request));
    rig.everythingIsHome();
  });

  test(`${kind}: an end waits for what is queued before it, even for the connection itself`, () => {
    const rig = new Rig(kind);
    const { fd, port } = listenOnLoopback(8);
    const owner = new Recorder();
    const socket = rig.reactor.connect(owner, AF_INET, loopback(port), 16)!;
    const bytes = sequence(2 * LARGE_BYTES);
    assert.ok(sendBytes(socket, bytes));
    socket.end();
    let peer: Peer | undefined;
    const digest = createHash('sha256');
    rig.until('the peer heard the end', () => {
      peer ??= Peer.accept(fd);
      if (peer) digest.update(peer.read());
      return peer?.over === 'end';
    });
    assert.equal(owner.connected, 0);
    assert.equal(digest.digest('hex'), sha256(bytes));
    socket.close();
    libc.close(fd);
    rig.until('it is closed', () => owner.closed === 1);
    rig.everythingIsHome();
  });

  test(`${kind}: drain is told once, when the queue ran empty`, () => {
    const rig = new Rig(kind);
    const { fd, port } = listenOnLoopback(8);
    const owner = new Recorder();
    const socket = rig.reactor.connect(owner, AF_INET, loopback(port), 16)!;
    rig.until('it is connected', () => owner.connected === 0);
    socket.notify_drain = true;
    assert.ok(sendBytes(socket, sequence(3 * LARGE_BYTES)));
    const peer = Peer.accept(fd)!;
    rig.until('drain is told', () => {
      assert.equal(owner.drained, 0);
      peer.read();
      rig.pass(0);
      return owner.drained > 0;
    });
    assert.ok(socket.idle);
    assert.ok(sendBytes(socket, sequence(10)));
    rig.until('the ten bytes are gone too', () => socket.idle);
    assert.equal(owner.drained, 1);
    socket.close();
    libc.close(fd);
    rig.everythingIsHome();
  });
}
