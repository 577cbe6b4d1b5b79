/** The other end of a connection: a kernel socket on loopback that reads and writes exactly when the test says. */
import assert from 'node:assert/strict';
import {
  AF_INET,
  EAGAIN,
  ECONNRESET,
  EINPROGRESS,
  EPIPE,
  MSG_DONTWAIT,
  MSG_NOSIGNAL,
  SHUT_WR,
  SO_LINGER,
  SOCK_CLOEXEC,
  SOCK_DGRAM,
  SOCK_NONBLOCK,
  SOCK_STREAM,
  SOL_SOCKET,
} from '#src/system/abi/linux.js';
import * as libc from '#src/system/libc.js';

const SO_SNDBUF = 7;
const SO_RCVBUF = 8;
const CHUNK = 256 * 1024;
const SOCKADDR_BYTES = 16;

const chunk = libc.allocatePinned(CHUNK);
const scratch = libc.allocatePinned(64);

export type PeerOptions = {
  /** SO_RCVBUF in bytes: how little the kernel takes for a peer that does not read. */
  readonly receive_bytes?: number;
  readonly send_bytes?: number;
};

const open_peers = new Set<Peer>();

export class Peer {
  readonly fd: number;
  /** How reading ended: by FIN, by RST, or not yet. */
  over: 'no' | 'end' | 'reset' = 'no';

  constructor(fd: number) {
    this.fd = fd;
    open_peers.add(this);
  }

  get is_open(): boolean {
    return open_peers.has(this);
  }

  /** Begins a connection; loopback finishes it before this returns unless the backlog is full. */
  static connect(port: number, options: PeerOptions = {}): Peer {
    const fd = libc.socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    assert.ok(fd >= 0, `socket: ${libc.errnoName(libc.errno())}`);
    if (options.receive_bytes) setOption(fd, SO_RCVBUF, options.receive_bytes);
    if (options.send_bytes) setOption(fd, SO_SNDBUF, options.send_bytes);
    const result = libc.connect(fd, loopback(port), SOCKADDR_BYTES);
    assert.ok(result === 0 || libc.errno() === EINPROGRESS, `connect: ${libc.errnoName(libc.errno())}`);
    return new Peer(fd);
  }

  /** Takes a waiting connection of a listening descriptor, if there is one. */
  static accept(listening_fd: number): Peer | undefined {
    const fd = libc.accept4(listening_fd, 0, 0, SOCK_CLOEXEC | SOCK_NONBLOCK);
    return fd < 0 ? undefined : new Peer(fd);
  }

  /** How many of the bytes the kernel took; 0 when its buffer is full or the connection is gone. */
  write(bytes: Uint8Array): number {
    const part = bytes.subarray(0, CHUNK);
    chunk.bytes.set(part);
    const sent = libc.send(this.fd, chunk.address, part.length, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent >= 0) return sent;
    assert.ok([EAGAIN, EPIPE, ECONNRESET].includes(libc.errno()), `send: ${libc.errnoName(libc.errno())}`);
    return 0;
  }

  /** What has come, at most `most` bytes of it, as a copy; empty when nothing has, or `over`. */
  read(most = CHUNK): Uint8Array {
    if (this.over !== 'no') return new Uint8Array(0);
    const length = libc.recv(this.fd, chunk.address, Math.min(most, CHUNK), MSG_DONTWAIT);
    if (length > 0) return chunk.bytes.slice(0, length);
    if (length === 0) this.over = 'end';
    else if (libc.errno() === ECONNRESET) this.over = 'reset';
    else assert.equal(libc.errno(), EAGAIN, `recv: ${libc.errnoName(libc.errno())}`);
    return new Uint8Array(0);
  }

  /** True as soon as FIN or RST came. Throws away data before it. */
  isOver(): boolean {
    this.read();
    return this.over !== 'no';
  }

  end(): void {
    libc.shutdown(this.fd, SHUT_WR);
  }

  close(): void {
    if (open_peers.delete(this)) libc.close(this.fd);
  }

  /** Closes with RST. */
  reset(): void {
    scratch.words[0] = 1;
    scratch.words[1] = 0;
    libc.setsockopt(this.fd, SOL_SOCKET, SO_LINGER, scratch.address, 8);
    this.close();
  }
}

/** For the end of a test. */
export function closePeers(): void {
  for (const peer of [...open_peers]) peer.close();
}

/** A listening descriptor on 127.0.0.1, with a port that the kernel chose. The caller closes it. */
export function listenOnLoopback(backlog: number, options: PeerOptions = {}): { fd: number; port: number } {
  const fd = libc.socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (options.receive_bytes) setOption(fd, SO_RCVBUF, options.receive_bytes);
  assert.equal(libc.bind(fd, loopback(0), SOCKADDR_BYTES), 0);
  assert.equal(libc.listen(fd, backlog), 0);
  return { fd, port: portOf(fd) };
}

/** A datagram socket on 127.0.0.1, and its port. */
export function datagramOnLoopback(): { peer: Peer; port: number } {
  const fd = libc.socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  assert.equal(libc.bind(fd, loopback(0), SOCKADDR_BYTES), 0);
  return { peer: new Peer(fd), port: portOf(fd) };
}

/** Another one that sends to that port. The caller closes it. */
export function datagramTo(port: number, flags: number): number {
  const fd = libc.socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | flags, 0);
  assert.equal(libc.connect(fd, loopback(port), SOCKADDR_BYTES), 0);
  return fd;
}

/** The port that a descriptor is bound to. */
function portOf(fd: number): number {
  scratch.words[8] = SOCKADDR_BYTES;
  assert.equal(libc.getsockname(fd, scratch.address + 16, scratch.address + 32), 0);
  return (scratch.bytes[18]! << 8) | scratch.bytes[19]!;
}

export function loopback(port: number): number {
  return socketAddress([127, 0, 0, 1], port);
}

const addresses = new Map<string, number>();

/** The address of a sockaddr_in, each in pinned memory of its own for as long as the process lives. */
export function socketAddress(ip: readonly number[], port: number): number {
  const name = `${ip.join('.')}:${port}`;
  const known = addresses.get(name);
  if (known !== undefined) return known;
  const { address, bytes } = libc.allocatePinned(SOCKADDR_BYTES);
  bytes.set([AF_INET, 0, port >> 8, port & 0xff, ...ip]);
  addresses.set(name, address);
  return address;
}

/**
 * Runs `body` while this process has no descriptor left: all that `limitDescriptors` allows are taken. Those that `body` closes
 * can be used again.
 */
export function withoutDescriptors(body: () => void): void {
  const filling: number[] = [];
  for (let fd = libc.eventfd(0, 0); fd >= 0; fd = libc.eventfd(0, 0)) filling.push(fd);
  try {
    body();
  } finally {
    for (const fd of filling) libc.close(fd);
  }
}

/** Sets this process's soft RLIMIT_NOFILE (prlimit64(2)). An accept that io_uring has armed already keeps the limit before. */
export function limitDescriptors(count: number): void {
  const SYS_prlimit64 = process.arch === 'x64' ? 302 : 261;
  const RLIMIT_NOFILE = 7;
  const limits = new BigUint64Array(scratch.bytes.buffer, 0, 2);
  assert.equal(libc.syscall(SYS_prlimit64, 0, RLIMIT_NOFILE, 0, scratch.address, 0, 0), 0);
  limits[0] = BigInt(count);
  assert.equal(libc.syscall(SYS_prlimit64, 0, RLIMIT_NOFILE, scratch.address, 0, 0, 0), 0);
}

/** SO_SNDBUF: how little the kernel takes for a peer that does not read. */
export function setSendBytes(fd: number, bytes: number): void {
  setOption(fd, SO_SNDBUF, bytes);
}

function setOption(fd: number, name: number, value: number): void {
  scratch.words[0] = value;
  assert.equal(libc.setsockopt(fd, SOL_SOCKET, name, scratch.address, 4), 0);
}
