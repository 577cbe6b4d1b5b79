/**
 * ICMP echo over a raw socket (RFC 792; needs CAP_NET_RAW in the socket's network namespace).
 *
 *   request   | 8 | 0 | checksum (16) | identifier (16) | sequence (16) |   8 bytes, no data
 *   reply     | 0 | 0 | …               behind an IPv4 header of IHL × 4 bytes
 */
import { check, SystemError } from './errors.ts';
import { parseIpv4 } from './ip-address.ts';
import * as libc from './libc.ts';

const AF_INET = 2;
const SOCK_RAW = 3;
const SOCK_NONBLOCK = 0o4000;
const SOCK_CLOEXEC = 0o2000000;
const IPPROTO_ICMP = 1;
const SOL_RAW = 255;
const ICMP_FILTER = 1;
const ECHO_REQUEST = 8;
const ECHO_REPLY = 0;
const MESSAGE_LENGTH = 8;
const BUFFER_LENGTH = 2048;
const EAGAIN = 11;
const EINTR = 4;
const POLLIN = 1;

/** What `receive` fills. `identifier` and `sequence` are those of the request; `from` is in network order. */
export type EchoReply = { identifier: number; sequence: number; from: number };

export class EchoSocket {
  readonly fd: number;
  readonly #out = libc.allocatePinned(4096);
  readonly #in = libc.allocatePinned(4096);

  /** Throws a SystemError (EPERM without CAP_NET_RAW). */
  constructor() {
    this.fd = check(libc.socket(AF_INET, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_ICMP), 'ICMP socket');
    const all_but_replies = Int32Array.of(~(1 << ECHO_REPLY));
    check(libc.setsockopt(this.fd, SOL_RAW, ICMP_FILTER, libc.addressOf(all_but_replies), 4), 'ICMP filter');
  }

  /** Returns 0, or the errno (EHOSTUNREACH, ENOBUFS …) when the kernel could not take the packet. */
  send(address: Uint8Array, identifier: number, sequence: number): number {
    const out = new DataView(this.#out.bytes.buffer);
    out.setUint32(0, ECHO_REQUEST << 24);
    out.setUint16(4, identifier);
    out.setUint16(6, sequence);
    out.setUint16(2, onesComplementSum(out, MESSAGE_LENGTH));
    const to = MESSAGE_LENGTH;
    out.setUint16(to, AF_INET, true);
    out.setUint16(to + 2, 0);
    this.#out.bytes.set(address, to + 4);
    out.setBigUint64(to + 8, 0n);
    const sent = libc.sendto(this.fd, this.#out.address, MESSAGE_LENGTH, 0, this.#out.address + to, 16);
    return sent < 0 ? libc.errno() : 0;
  }

  /** Takes the next reply; false when there is none. */
  receive(reply: EchoReply): boolean {
    for (let tries = 0; tries < 1000; tries++) {
      const length = libc.recv(this.fd, this.#in.address, BUFFER_LENGTH, 0);
      if (length < 0) {
        const error = libc.errno();
        if (error === EAGAIN) return false;
        if (error !== EINTR) throw new SystemError('receive ICMP', error);
        continue;
      }
      const view = new DataView(this.#in.bytes.buffer, 0, length);
      const start = (view.getUint8(0) & 15) * 4;
      if (length < start + MESSAGE_LENGTH || view.getUint8(start) !== ECHO_REPLY) continue;
      reply.from = view.getUint32(12);
      reply.identifier = view.getUint16(start + 4);
      reply.sequence = view.getUint16(start + 6);
      return true;
    }
    return false;
  }

  close(): void {
    libc.close(this.fd);
    libc.munmap(this.#out.address, 4096);
    libc.munmap(this.#in.address, 4096);
  }
}

/** The checksum of RFC 1071 over an even number of bytes. */
function onesComplementSum(view: DataView, length: number): number {
  let sum = 0;
  for (let offset = 0; offset < length; offset += 2) sum += view.getUint16(offset);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  return ~sum & 0xffff;
}

/** The four bytes of a dotted IPv4 address, for `send`. */
export function echoTarget(address: string): Uint8Array {
  const bytes = parseIpv4(address);
  if (!bytes) throw new Error(`not an IPv4 address: ${address}`);
  return bytes;
}

/** Waits until one of the descriptors has something to read (or its other end is gone), at most that long. */
export function waitReadable(fds: readonly number[], timeout_ns: number): boolean[] {
  const entries = new Int32Array(fds.length * 2);
  fds.forEach((fd, index) => {
    entries[index * 2] = fd;
    entries[index * 2 + 1] = POLLIN;
  });
  const time = BigInt64Array.of(BigInt(Math.floor(timeout_ns / 1e9)), BigInt(Math.floor(timeout_ns % 1e9)));
  libc.ppoll(libc.addressOf(entries), fds.length, libc.addressOf(time), 0);
  return fds.map((_, index) => entries[index * 2 + 1]! >>> 16 !== 0);
}
