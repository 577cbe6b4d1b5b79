/**
 * The kernel's network configuration through one rtnetlink socket: every call sends a request and waits for the
 * kernel's answer, which comes at once. The socket belongs to the network namespace that its thread was in when
 * it was opened, for ever. Failures are SystemErrors, except where a function says that it returns the errno.
 */
import { byReference } from './arguments.ts';
import { check, SystemError } from './errors.ts';
import * as libc from './libc.ts';
import {
  AF_INET,
  AF_INET6,
  decodeAddress,
  encodeDeleteAddress,
  encodeNewAddress,
  type InterfaceAddress,
  type NewAddress,
} from './netlink-address.ts';
import {
  type BridgePortChange,
  decodeLink,
  encodeDeleteLink,
  encodeNewBridge,
  encodeNewMacvlan,
  encodeNewVeth,
  encodeSetBridgePort,
  encodeSetLink,
  type Ipv4Conf,
  type Link,
  type LinkChange,
  type LinkEnd,
} from './netlink-link.ts';
import {
  HEADER_LENGTH,
  LITTLE_ENDIAN,
  type Message,
  MessageBuilder,
  NLM_F_DUMP,
  NLM_F_REQUEST,
  NLMSG_DONE,
  NLMSG_ERROR,
  parseError,
  parseMessages,
  RTM_GETADDR,
  RTM_GETLINK,
  RTM_NEWADDR,
} from './netlink-message.ts';
import {
  attachFilter,
  BPF_JUMP_EQUAL,
  BPF_LOAD_HALF,
  BPF_RETURN,
  BPF_WHOLE,
  type FilterStep,
} from './packet-filter.ts';

export type { InterfaceAddress, Ipv4Conf, Link, LinkChange, LinkEnd, NewAddress };
export { decodeAddress, decodeLink };

const AF_NETLINK = 16;
const SOCK_RAW = 3;
const SOCK_CLOEXEC = 0o2000000;
const SOCK_NONBLOCK = 0o4000;
const NETLINK_ROUTE = 0;
const SOL_SOCKET = 1;
const SO_RCVTIMEO = 20;
const SO_RCVBUF = 8;
const SOL_NETLINK = 270;
const NETLINK_CAP_ACK = 10;
const NETLINK_EXT_ACK = 11;
const TYPE_AT = 4;
const EINTR = 4;
const EAGAIN = 11;
const ENOBUFS = 105;

const BUFFER_LENGTH = 65536;
const ANSWER_WAIT_S = 2;
/** Datagrams of one dump or one batch of answers: a bound against a kernel that never says "done". */
const MAX_DATAGRAMS = 4096;

/** rtnetlink multicast groups, as bits of `nl_groups`. */
export const GROUP_LINK = 1;
export const GROUP_IPV4_ADDRESS = 0x10;
export const GROUP_IPV6_ADDRESS = 0x100;

export class Netlink {
  readonly fd: number;
  readonly #out: libc.Pinned;
  readonly #in: libc.Pinned;
  readonly #builder: MessageBuilder;
  #sequence = 1;

  constructor() {
    this.fd = openSocket(0, 0);
    this.#out = libc.allocatePinned(BUFFER_LENGTH);
    this.#in = libc.allocatePinned(BUFFER_LENGTH);
    this.#builder = new MessageBuilder(this.#out.bytes);
    const timeout = BigInt64Array.of(BigInt(ANSWER_WAIT_S), 0n);
    check(libc.setsockopt(this.fd, SOL_SOCKET, SO_RCVTIMEO, byReference(timeout), 16), 'netlink receive timeout');
    setOption(this.fd, SOL_NETLINK, NETLINK_CAP_ACK, 1);
    setOption(this.fd, SOL_NETLINK, NETLINK_EXT_ACK, 1);
  }

  close(): void {
    libc.close(this.fd);
    libc.munmap(this.#out.address, BUFFER_LENGTH);
    libc.munmap(this.#in.address, BUFFER_LENGTH);
  }

  listLinks(): Link[] {
    return this.#dump(RTM_GETLINK, 'list interfaces').flatMap((message) => decodeLink(message) ?? []);
  }

  /** IPv4 and IPv6. */
  listAddresses(): InterfaceAddress[] {
    return this.#dump(RTM_GETADDR, 'list addresses').flatMap((message) => decodeAddress(message) ?? []);
  }

  findLink(name: string): Link | undefined {
    return this.listLinks().find((link) => link.name === name);
  }

  /** The index of a link that must be there. */
  indexOf(name: string): number {
    const link = this.findLink(name);
    if (!link) throw new SystemError(`interface ${name}`, 19);
    return link.index;
  }

  createVeth(end: LinkEnd, peer: LinkEnd): void {
    this.#must(`create veth ${end.name}`, (builder, sequence) => encodeNewVeth(builder, sequence, end, peer));
  }

  createBridge(end: LinkEnd): void {
    this.#must(`create bridge ${end.name}`, (builder, sequence) => encodeNewBridge(builder, sequence, end));
  }

  /** On top of the link with index `parent`. */
  createMacvlan(end: LinkEnd, parent: number): void {
    this.#must(`create macvlan ${end.name}`, (builder, sequence) => encodeNewMacvlan(builder, sequence, end, parent));
  }

  setLink(index: number, change: LinkChange): void {
    this.#must(`change interface ${index}`, (builder, sequence) => encodeSetLink(builder, sequence, index, change));
  }

  setBridgePort(index: number, change: BridgePortChange): void {
    this.#must(`change port ${index}`, (builder, sequence) => encodeSetBridgePort(builder, sequence, index, change));
  }

  deleteLink(index: number): void {
    this.#must(`delete interface ${index}`, (builder, sequence) => encodeDeleteLink(builder, sequence, index));
  }

  addAddress(address: NewAddress): void {
    this.#must('add address', (builder, sequence) => encodeNewAddress(builder, sequence, address));
  }

  deleteAddress(address: Pick<NewAddress, 'index' | 'bytes' | 'prefix_length'>): void {
    this.#must('delete address', (builder, sequence) => encodeDeleteAddress(builder, sequence, address));
  }

  #must(what: string, encode: (builder: MessageBuilder, sequence: number) => void): void {
    const sequence = this.#nextSequence();
    encode(this.#builder.clear(), sequence);
    check(libc.send(this.fd, this.#out.address, this.#builder.length, 0), what);
    const answer = this.#receive(what, sequence).at(-1)!;
    const { errno, text } = parseError(answer);
    if (errno !== 0) throw new SystemError(what, errno, text);
  }

  #dump(type: number, what: string): Message[] {
    const sequence = this.#nextSequence();
    const family = 0;
    this.#builder.clear().begin(type, NLM_F_REQUEST | NLM_F_DUMP, sequence);
    this.#builder.u8(family).u8(0).u16(0).u32(0).u32(0).u32(0).end();
    check(libc.send(this.fd, this.#out.address, this.#builder.length, 0), what);
    return this.#receive(what, sequence);
  }

  /** Every message that answers `sequence`, the closing NLMSG_ERROR of a single request included. */
  #receive(what: string, sequence: number): Message[] {
    const messages: Message[] = [];
    for (let datagrams = 0; datagrams < MAX_DATAGRAMS; datagrams++) {
      const length = libc.recv(this.fd, this.#in.address, BUFFER_LENGTH, 0);
      if (length < 0 && libc.errno() === EINTR) continue;
      check(length, what);
      for (const message of parseMessages(this.#in.bytes.slice(0, length))) {
        if (message.sequence !== sequence) continue;
        if (message.type === NLMSG_DONE) return messages;
        messages.push(message);
        if (message.type === NLMSG_ERROR) return messages;
      }
    }
    throw new SystemError(what, ENOBUFS, 'the kernel did not end its answer');
  }

  #nextSequence(): number {
    this.#sequence = (this.#sequence + 1) >>> 0;
    return this.#sequence;
  }
}

/** What `NetlinkEvents.read` hands over. After `lost` the listener must list everything again. */
export type NetlinkEventHandler = {
  message(message: Message): void;
  lost(): void;
};

/** A socket that hears of changes. Its descriptor becomes readable; `read` never blocks. */
export class NetlinkEvents {
  readonly fd: number;
  readonly #in: libc.Pinned;

  /**
   * `groups`: GROUP_* bits. Messages of the types in `ignored` do not even wake the reader, nor do with `no host
   * addresses` new addresses that are a whole host (/32, /128): every renewal of a lease is one.
   */
  constructor(groups: number, ignored: readonly number[] | 'no host addresses' = []) {
    this.fd = openSocket(groups, SOCK_NONBLOCK);
    attachFilter(this.fd, ignored === 'no host addresses' ? NO_HOST_ADDRESSES : withoutTypes(ignored));
    this.#in = libc.allocatePinned(BUFFER_LENGTH);
    setOption(this.fd, SOL_SOCKET, SO_RCVBUF, 1 << 20);
  }

  /** Hands over at most `max_datagrams` datagrams; returns whether there may be more. */
  read(handler: NetlinkEventHandler, max_datagrams = 64): boolean {
    for (let count = 0; count < max_datagrams; count++) {
      const length = libc.recv(this.fd, this.#in.address, BUFFER_LENGTH, 0);
      if (length >= 0) {
        for (const message of parseMessages(this.#in.bytes.subarray(0, length))) handler.message(message);
        continue;
      }
      const error = libc.errno();
      if (error === EAGAIN) return false;
      if (error === ENOBUFS) handler.lost();
      else if (error !== EINTR) throw new SystemError('netlink events', error);
    }
    return true;
  }

  close(): void {
    libc.close(this.fd);
    libc.munmap(this.#in.address, BUFFER_LENGTH);
  }
}

/** A bound rtnetlink socket. */
export function openSocket(groups: number, flags: number): number {
  const fd = check(libc.socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | flags, NETLINK_ROUTE), 'netlink socket');
  const address = new Uint8Array(12);
  const view = new DataView(address.buffer);
  view.setUint16(0, AF_NETLINK, true);
  view.setUint32(8, groups, true);
  if (libc.bind(fd, byReference(address), 12) === 0) return fd;
  const error = libc.errno();
  libc.close(fd);
  throw new SystemError('bind netlink socket', error);
}

/** Classic BPF, which loads in network order: drop by the 16-bit type at byte 4 of the netlink header. */
function withoutTypes(types: readonly number[]): FilterStep[] {
  return [
    [BPF_LOAD_HALF, 0, 0, TYPE_AT],
    ...types.flatMap((type): FilterStep[] => [
      [BPF_JUMP_EQUAL, 0, 1, inNetworkOrder(type)],
      [BPF_RETURN, 0, 0, 0],
    ]),
    [BPF_RETURN, 0, 0, BPF_WHOLE],
  ];
}

/** By family and prefix length, the first two bytes behind the header. */
const NO_HOST_ADDRESSES: readonly FilterStep[] = [
  [BPF_LOAD_HALF, 0, 0, TYPE_AT],
  [BPF_JUMP_EQUAL, 0, 4, inNetworkOrder(RTM_NEWADDR)],
  [BPF_LOAD_HALF, 0, 0, HEADER_LENGTH],
  [BPF_JUMP_EQUAL, 1, 0, (AF_INET << 8) | 32],
  [BPF_JUMP_EQUAL, 0, 1, (AF_INET6 << 8) | 128],
  [BPF_RETURN, 0, 0, 0],
  [BPF_RETURN, 0, 0, BPF_WHOLE],
];

function inNetworkOrder(half: number): number {
  return LITTLE_ENDIAN ? ((half & 0xff) << 8) | (half >> 8) : half;
}

function setOption(fd: number, level: number, name: number, value: number): void {
  const word = Int32Array.of(value);
  check(libc.setsockopt(fd, level, name, byReference(word), 4), `netlink option ${name}`);
}
