/** Two peers and a pair of a reactor's sockets between them, and bytes that go through. */
import { createHash } from 'node:crypto';
import type { Socket } from '#src/reactor/socket.js';
import { AF_INET } from '#src/system/abi/linux.js';
import * as libc from '#src/system/libc.js';
import { Pipe, type Rig } from './harness.js';
import { listenOnLoopback, loopback, Peer, type PeerOptions } from './peer.js';

/** Little room in the kernel before the reactor, so that its own bounds show. */
const READ_BY_US: PeerOptions = { receive_bytes: 512 * 1024 };

export type Through = { writer: Peer; reader: Peer; pipes: readonly Pipe[]; sockets: readonly Socket[] };

/** writer ── TCP ── reactor: socket, socket ── TCP ── reader */
export function pipeThrough(rig: Rig, reader_options: PeerOptions = {}): Through {
  const behind = listenOnLoopback(8, reader_options);
  const pipes: Pipe[] = [];
  const sockets: Socket[] = [];
  const { port, listener } = rig.listen((client) => {
    const [near, far] = [new Pipe(), new Pipe()];
    const server = rig.reactor.connect(far, AF_INET, loopback(behind.port), 16)!;
    near.leadTo(server);
    far.leadTo(client);
    pipes.push(near, far);
    sockets.push(client, server);
    client.receive();
    return near;
  }, READ_BY_US);
  const writer = Peer.connect(port);
  let reader: Peer | undefined;
  rig.until('both connections stand', () => {
    reader ??= Peer.accept(behind.fd);
    return reader !== undefined && sockets.length === 2 && !sockets[1]!.connecting;
  });
  libc.close(behind.fd);
  rig.release(listener);
  return { writer, reader: reader!, pipes, sockets };
}

/** Writes until the kernel and the reactor take no more for 60 ms. Returns how many bytes they took. */
export function writeUntilFull(rig: Rig, writer: Peer, bytes: Uint8Array): number {
  let sent = 0;
  for (let quiet_since_ms = performance.now(); performance.now() - quiet_since_ms < 60; rig.pass(2)) {
    const more = writer.write(bytes.subarray(sent));
    sent += more;
    if (more > 0) quiet_since_ms = performance.now();
  }
  return sent;
}

/** Writes the rest and the end, reads all of it, closes both. Returns the hash of what was read. */
export function copyThrough(rig: Rig, writer: Peer, reader: Peer, bytes: Uint8Array, already: number): string {
  const digest = createHash('sha256');
  let sent = already;
  rig.until(
    'the reader has it all',
    () => {
      if (sent < bytes.length) {
        sent += writer.write(bytes.subarray(sent));
        if (sent === bytes.length) writer.end();
      } else if (already === bytes.length) writer.end();
      for (let part = reader.read(); part.length > 0; part = reader.read()) digest.update(part);
      return reader.over === 'end';
    },
    15_000,
  );
  writer.close();
  reader.close();
  return digest.digest('hex');
}
