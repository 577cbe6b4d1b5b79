/** Bytes that pass from socket to socket in pipes: the same bytes, the same bounds, and all pipes are home after it. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PIPE_BYTES } from '#src/reactor/pipes.js';
import { ALLOWANCE } from '#src/reactor/socket.js';
import { KINDS, Rig, sequence, sha256 } from './harness.js';
import type { PeerOptions } from './peer.js';
import { copyThrough, pipeThrough, type Through, writeUntilFull } from './through.js';

for (const kind of KINDS) {
  test(`${kind}: a stream passes in pipes, and every byte of it arrives`, () => {
    const rig = new Rig(kind);
    const { writer, reader } = spliceThrough(rig);
    const copied = countCopies(rig);
    const bytes = sequence(16 * 1024 * 1024);
    assert.equal(copyThrough(rig, writer, reader, bytes, 0), sha256(bytes));
    assert.ok(copied() < bytes.length / 50, `nearly nothing was copied, not ${copied()} bytes`);
    rig.everythingIsHome();
  });

  test(`${kind}: a slow reader of a spliced stream stops the reads at one pipe, and gets every byte in the end`, () => {
    const rig = new Rig(kind);
    const { writer, reader, pipes } = spliceThrough(rig, { receive_bytes: 4096 });
    const bytes = sequence(16 * 1024 * 1024);
    const sent = writeUntilFull(rig, writer, bytes);
    assert.ok(sent < bytes.length, 'the writer was stopped');
    assert.ok(pipes[0]!.most_held <= ALLOWANCE, `one pipe, not a weight of ${pipes[0]!.most_held}`);
    assert.ok(rig.passesWithin(150, 50) <= 8, 'nothing spins while the reader sleeps');
    assert.equal(copyThrough(rig, writer, reader, bytes, sent), sha256(bytes));
    rig.everythingIsHome();
  });

  test(`${kind}: where no pipe is left, bytes are copied`, () => {
    const rig = new Rig(kind, { pipe_count: 1 });
    const stalled = spliceThrough(rig, { receive_bytes: 4096 });
    const bytes = sequence(8 * 1024 * 1024);
    const sent = writeUntilFull(rig, stalled.writer, bytes);
    assert.equal(rig.reactor.buffers.pipes.left, 0, 'the stalled one has the pipe');
    const other = spliceThrough(rig);
    assert.equal(copyThrough(rig, other.writer, other.reader, bytes, 0), sha256(bytes));
    assert.equal(copyThrough(rig, stalled.writer, stalled.reader, bytes, sent), sha256(bytes));
    rig.everythingIsHome();
  });

  test(`${kind}: only so many bytes as were allowed come in pipes; what follows can be looked at`, () => {
    const rig = new Rig(kind);
    const { writer, reader, sockets } = pipeThrough(rig);
    sockets[0]!.setBulk(true);
    sockets[0]!.allowSplice(1_000_000);
    const copied = countCopies(rig);
    const bytes = sequence(1_000_000 + 12_345);
    assert.equal(copyThrough(rig, writer, reader, bytes, 0), sha256(bytes));
    assert.ok(copied() >= 12_345, `${copied()}`);
    rig.everythingIsHome();
  });

  test(`${kind}: both ways at once, and back to short messages after it`, () => {
    const rig = new Rig(kind);
    const { writer, reader, sockets } = spliceThrough(rig);
    const bytes = sequence(4 * 1024 * 1024);
    const got = { there: 0, back: 0 };
    let [there, back] = [0, 0];
    rig.until('both have it all', () => {
      there += writer.write(bytes.subarray(there));
      back += reader.write(bytes.subarray(back));
      got.there += reader.read().length;
      got.back += writer.read().length;
      return got.there === bytes.length && got.back === bytes.length;
    });
    for (const socket of sockets) {
      socket.allowSplice(0);
      socket.setBulk(false);
    }
    for (let round = 0; round < 20; round++) {
      writer.write(bytes.subarray(round, round + 100));
      let arrived = 0;
      rig.until('the message is there', () => {
        arrived += reader.read().length;
        return arrived === 100;
      });
    }
    assert.ok(rig.passesWithin(100, 50) <= 6, 'nothing spins');
    writer.close();
    rig.everythingIsHome();
  });

  test(`${kind}: a reader that goes away with a pipe half sent leaves nothing behind`, () => {
    const rig = new Rig(kind);
    const { writer, reader } = spliceThrough(rig, { receive_bytes: 4096 });
    writeUntilFull(rig, writer, sequence(4 * PIPE_BYTES));
    reader.close();
    rig.until('the writer hears of it', () => {
      writer.write(sequence(10));
      return writer.isOver();
    });
    rig.until('the pipe is home', () => rig.reactor.buffers.pipes.left === 8);
    rig.everythingIsHome();
  });
}

function spliceThrough(rig: Rig, reader_options: PeerOptions = {}): Through {
  const through = pipeThrough(rig, reader_options);
  for (const socket of through.sockets) {
    socket.setBulk(true);
    socket.allowSplice(Number.POSITIVE_INFINITY);
  }
  return through;
}

/** Room of the buffers that bytes were copied into from now on. */
function countCopies(rig: Rig): () => number {
  const { buffers } = rig.reactor;
  const charge = buffers.charge.bind(buffers);
  let copied = 0;
  buffers.charge = (buffer, slot) => {
    copied += buffers.sizeOf(buffer);
    charge(buffer, slot);
  };
  return () => copied;
}
