/**
 * Ends the TCP connections of an address that leaves this host: they would go on from here with nobody to talk to, and
 * hang until a time-out. The kernel answers each peer with a reset (sock_diag(7), SOCK_DESTROY, as `ss -K` does).
 *
 *   inet_diag_req_v2   | family 8 | protocol 8 | extensions 8 | 0 | states 32 | id, 48 bytes |
 *   inet_diag_msg      | family 8 | state 8 | timer 8 | retransmits 8 | id, 48 bytes | …
 *   id                 | port | peer port | address, 16 | peer address, 16 | interface 32 | cookie 64 |
 *
 * First a dump of the connections (of one address with a filter in the kernel, of many without, once for all), then a
 * SOCK_DESTROY for each in batches. Needs CAP_NET_ADMIN and a kernel with CONFIG_INET_DIAG_DESTROY.
 */
import { AF_INET, AF_INET6, EINTR, IPPROTO_TCP, SOCK_CLOEXEC, SOL_SOCKET } from './abi/linux.ts';
import { byReference } from './arguments.ts';
import { check } from './errors.ts';
import * as libc from './libc.ts';
import {
  HEADER_LENGTH,
  LITTLE_ENDIAN,
  MessageBuilder,
  NLM_F_ACK,
  NLM_F_DUMP,
  NLM_F_REQUEST,
  NLMSG_DONE,
  NLMSG_ERROR,
} from './netlink-message.ts';

const AF_NETLINK = 16;
const SOCK_RAW = 3;
const NETLINK_SOCK_DIAG = 4;
const SO_RCVTIMEO = 20;
const SOCK_DIAG_BY_FAMILY = 20;
const SOCK_DESTROY = 21;
const INET_DIAG_REQ_BYTECODE = 1;
const INET_DIAG_BC_S_COND = 7;
/** Every state but LISTEN, CLOSE and TIME_WAIT: those have nobody who waits. */
const OPEN_STATES = 0xfff & ~((1 << 10) | (1 << 7) | (1 << 6) | 1);
const ID_BYTES = 48;
const BUFFER_BYTES = 65536;
/** In one call to the kernel; each answer is a datagram in the receive buffer. */
const BATCH = 128;
const ANSWER_WAIT_US = 20_000n;
const EOPNOTSUPP = 95;

export type Reset = {
  /** Connections that were ended. */
  readonly count: number;
  /** There were more than `limit`, or the time ran out. */
  readonly incomplete: boolean;
};

export class ConnectionReset {
  readonly #fd: number;
  readonly #out = libc.allocatePinned(BUFFER_BYTES);
  readonly #in = libc.allocatePinned(BUFFER_BYTES);
  readonly #view = new DataView(this.#in.bytes.buffer);
  readonly #builder = new MessageBuilder(this.#out.bytes);
  readonly #now_ns: () => number;
  #sequence = 1;
  /** False after the kernel said that it cannot end connections. */
  supported = true;

  /** Throws a SystemError where the kernel has no sock_diag. `now_ns`: the monotonic clock, for the bound on time. */
  constructor(now_ns: () => number) {
    this.#now_ns = now_ns;
    this.#fd = check(libc.socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG), 'sock_diag socket');
    const timeout = BigInt64Array.of(0n, ANSWER_WAIT_US);
    check(libc.setsockopt(this.#fd, SOL_SOCKET, SO_RCVTIMEO, byReference(timeout), 16), 'sock_diag receive timeout');
  }

  /**
   * Ends the connections whose own end is one of `addresses` (4 or 16 bytes), at most `limit` and until `deadline_ns`. What one
   * datagram tells and one batch ends is ended however late: a thread that was held up would else leave all of them hanging.
   */
  reset(addresses: readonly Uint8Array[], limit: number, deadline_ns: number): Reset {
    if (!this.supported) return { count: 0, incomplete: true };
    const ids: Uint8Array[] = [];
    let incomplete = false;
    // An IPv4 connection may belong to an IPv6 socket that takes both.
    const families = addresses.some((address) => address.length === 4) ? [AF_INET, AF_INET6] : [AF_INET6];
    for (const family of families) {
      incomplete = !this.#collect(family, addresses, ids, limit, deadline_ns) || incomplete;
    }
    let count = 0;
    for (let start = 0; start < ids.length; start += BATCH) {
      if (start > 0 && this.#now_ns() > deadline_ns) return { count, incomplete: true };
      count += this.#destroy(ids.slice(start, start + BATCH));
    }
    return { count, incomplete };
  }

  close(): void {
    libc.close(this.#fd);
    libc.munmap(this.#out.address, BUFFER_BYTES);
    libc.munmap(this.#in.address, BUFFER_BYTES);
  }

  /** Appends family and id of every connection; false when there are more than the bounds allow. */
  #collect(
    family: number,
    addresses: readonly Uint8Array[],
    ids: Uint8Array[],
    limit: number,
    deadline_ns: number,
  ): boolean {
    const wanted = new Set(addresses.map((address) => keyOf(address)));
    const sequence = ++this.#sequence;
    const builder = this.#builder.clear().begin(SOCK_DIAG_BY_FAMILY, NLM_F_REQUEST | NLM_F_DUMP, sequence);
    builder.u8(family).u8(IPPROTO_TCP).u8(0).u8(0).u32(OPEN_STATES);
    for (let at = 0; at < ID_BYTES; at += 4) builder.u32(0);
    if (addresses.length === 1) builder.attribute(INET_DIAG_REQ_BYTECODE, hostCondition(addresses[0]));
    builder.end();
    if (libc.send(this.#fd, this.#out.address, builder.length, 0) < 0) return false;
    for (;;) {
      const length = this.#receive();
      if (length < 0) return false;
      for (let at = 0; at + HEADER_LENGTH <= length; at = this.#next(at)) {
        if (this.#view.getUint32(at + 8, LITTLE_ENDIAN) !== sequence) continue;
        const type = this.#view.getUint16(at + 4, LITTLE_ENDIAN);
        if (type === NLMSG_DONE || type === NLMSG_ERROR) return type === NLMSG_DONE;
        const body = at + HEADER_LENGTH;
        if (addresses.length > 1 && !wanted.has(ownAddressKey(this.#in.bytes, body))) continue;
        if (ids.length >= limit) return false;
        const id = new Uint8Array(1 + ID_BYTES);
        id[0] = this.#in.bytes[body];
        id.set(this.#in.bytes.subarray(body + 4, body + 4 + ID_BYTES), 1);
        ids.push(id);
      }
      if (this.#now_ns() > deadline_ns) return false;
    }
  }

  /** How many the kernel ended. */
  #destroy(ids: readonly Uint8Array[]): number {
    const builder = this.#builder.clear();
    const first = this.#sequence + 1;
    for (const id of ids) {
      builder.begin(SOCK_DESTROY, NLM_F_REQUEST | NLM_F_ACK, ++this.#sequence);
      builder.u8(id[0]).u8(IPPROTO_TCP).u8(0).u8(0).u32(0xffffffff);
      for (let at = 1; at < id.length; at++) builder.u8(id[at]);
      builder.end();
    }
    if (libc.send(this.#fd, this.#out.address, builder.length, 0) < 0) return 0;
    let ended = 0;
    for (let answers = 0; answers < ids.length; ) {
      const length = this.#receive();
      if (length < 0) return ended;
      for (let at = 0; at + HEADER_LENGTH + 4 <= length; at = this.#next(at)) {
        if (this.#view.getUint32(at + 8, LITTLE_ENDIAN) < first) continue;
        answers++;
        const error = -this.#view.getInt32(at + HEADER_LENGTH, LITTLE_ENDIAN);
        if (error === 0) ended++;
        if (error === EOPNOTSUPP) this.supported = false;
      }
    }
    return ended;
  }

  #receive(): number {
    for (;;) {
      const length = libc.recv(this.#fd, this.#in.address, BUFFER_BYTES, 0);
      if (length >= 0 || libc.errno() !== EINTR) return length;
    }
  }

  #next(at: number): number {
    return at + Math.max(HEADER_LENGTH, (this.#view.getUint32(at, LITTLE_ENDIAN) + 3) & ~3);
  }
}

/** The own address of the inet_diag_msg at `at`, an IPv4 one also when an IPv6 socket has it. */
function ownAddressKey(bytes: Uint8Array, at: number): string {
  const address = at + 8;
  if (bytes[at] === AF_INET) return keyOf(bytes.subarray(address, address + 4));
  const mapped = bytes[address + 10] === 0xff && bytes[address + 11] === 0xff && bytes[address] === 0;
  return keyOf(bytes.subarray(mapped ? address + 12 : address, address + 16));
}

function keyOf(address: Uint8Array): string {
  return String.fromCharCode(...address);
}

/**
 * Byte code for the kernel (linux/inet_diag.h): "the own address is this", else jump behind the end, which rejects.
 *
 *   operation | yes 8 | no 16 | hostcond | family 8 | prefix bits 8 | 0 | port 32, -1 any | address |
 */
function hostCondition(address: Uint8Array): Uint8Array {
  const length = 4 + 8 + address.length;
  const code = new Uint8Array(length);
  const view = new DataView(code.buffer);
  code[0] = INET_DIAG_BC_S_COND;
  code[1] = length;
  view.setUint16(2, length + 4, LITTLE_ENDIAN);
  code[4] = address.length === 4 ? AF_INET : AF_INET6;
  code[5] = address.length * 8;
  view.setInt32(8, -1, LITTLE_ENDIAN);
  code.set(address, 12);
  return code;
}
