/**
 * Whole Ethernet frames of IP protocol 112 on one interface (packet(7)). The socket stands before the firewall and
 * rp_filter, so what arrives is unchecked: the CARP engine looks at every field.
 *
 *   frame    | destination 6 | source 6 | 0x0800 | IPv4 header, protocol at byte 23 | 36 bytes |
 *
 * Multicast needs two memberships: PACKET_MR_MULTICAST lets the network card pass the group's MAC, and
 * IP_ADD_MEMBERSHIP makes the kernel report 224.0.0.18 by IGMP so that switches forward it. Both belong to an
 * interface index, so a link that was deleted and made again needs a new PacketSocket.
 */
import { byReference } from './arguments.ts';
import { check, SystemError } from './errors.ts';
import * as libc from './libc.ts';
import { LITTLE_ENDIAN } from './netlink-message.ts';
import {
  attachFilter,
  BPF_JUMP_EQUAL,
  BPF_LOAD_BYTE,
  BPF_LOAD_HALF,
  BPF_RETURN,
  BPF_WHOLE,
  type FilterStep,
} from './packet-filter.ts';

const AF_INET = 2;
const AF_PACKET = 17;
const SOCK_DGRAM = 2;
const SOCK_RAW = 3;
const SOCK_CLOEXEC_NONBLOCK = 0o2004000;
const ETH_P_IP = 0x0800;
const SOL_PACKET = 263;
const PACKET_ADD_MEMBERSHIP = 1;
const PACKET_IGNORE_OUTGOING = 23;
const PACKET_MR_MULTICAST = 0;
const IPPROTO_IP = 0;
const IP_ADD_MEMBERSHIP = 35;
const EINTR = 4;

const CARP_PROTOCOL = 112;
const CARP_GROUP = Uint8Array.of(224, 0, 0, 18);
const CARP_GROUP_MAC = Uint8Array.of(0x01, 0x00, 0x5e, 0x00, 0x00, 0x12);

/** Longer frames are cut; the engine drops by the length in the IP header. */
const FRAME_LENGTH = 2048;

export class PacketSocket {
  readonly fd: number;
  /** The frame that `receive` left; valid until the next `receive`. */
  readonly frame: Uint8Array;
  readonly #in: libc.Pinned;
  readonly #out: libc.Pinned;
  readonly #membership: number;

  /** Throws a SystemError: EPERM without CAP_NET_RAW, ENODEV when the interface is gone. */
  constructor(index: number) {
    this.fd = check(libc.socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC_NONBLOCK, 0), 'packet socket');
    let membership = -1;
    try {
      // The filter goes on while the socket still hears nothing: not one other frame is ever queued.
      attachFilter(this.fd, CARP_ONLY);
      setInt(this.fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, 1);
      bindTo(this.fd, index);
      joinMac(this.fd, index);
      membership = joinGroup(index);
    } catch (error) {
      libc.close(this.fd);
      throw error;
    }
    this.#membership = membership;
    this.#in = libc.allocatePinned(FRAME_LENGTH);
    this.#out = libc.allocatePinned(FRAME_LENGTH);
    this.frame = this.#in.bytes;
  }

  /** Takes one frame into `frame`: its length, or -1 when none waits (or the link is down). Never blocks. */
  receive(): number {
    for (;;) {
      const length = libc.recv(this.fd, this.#in.address, FRAME_LENGTH, 0);
      if (length >= 0 || libc.errno() !== EINTR) return length;
    }
  }

  /** Sends one frame as it is; 0 or the errno (ENETDOWN, ENOBUFS, EAGAIN …). Never blocks. */
  send(frame: Uint8Array): number {
    this.#out.bytes.set(frame);
    if (libc.send(this.fd, this.#out.address, frame.length, 0) >= 0) return 0;
    return libc.errno();
  }

  close(): void {
    libc.close(this.#membership);
    libc.close(this.fd);
    libc.munmap(this.#in.address, FRAME_LENGTH);
    libc.munmap(this.#out.address, FRAME_LENGTH);
  }
}

/** IPv4 and protocol 112, else drop. */
const CARP_ONLY: readonly FilterStep[] = [
  [BPF_LOAD_HALF, 0, 0, 12], // EtherType
  [BPF_JUMP_EQUAL, 0, 3, ETH_P_IP],
  [BPF_LOAD_BYTE, 0, 0, 23], // the IPv4 header's protocol
  [BPF_JUMP_EQUAL, 0, 1, CARP_PROTOCOL],
  [BPF_RETURN, 0, 0, BPF_WHOLE],
  [BPF_RETURN, 0, 0, 0],
];

function bindTo(fd: number, index: number): void {
  const address = new Uint8Array(20);
  const view = new DataView(address.buffer);
  view.setUint16(0, AF_PACKET, LITTLE_ENDIAN);
  view.setUint16(2, ETH_P_IP);
  view.setInt32(4, index, LITTLE_ENDIAN);
  check(libc.bind(fd, byReference(address), address.length), 'bind packet socket');
}

function joinMac(fd: number, index: number): void {
  const request = new Uint8Array(16);
  const view = new DataView(request.buffer);
  view.setInt32(0, index, LITTLE_ENDIAN);
  view.setUint16(4, PACKET_MR_MULTICAST, LITTLE_ENDIAN);
  view.setUint16(6, CARP_GROUP_MAC.length, LITTLE_ENDIAN);
  request.set(CARP_GROUP_MAC, 8);
  check(libc.setsockopt(fd, SOL_PACKET, PACKET_ADD_MEMBERSHIP, byReference(request), 16), 'join multicast MAC');
}

/** The socket that holds the membership; it receives nothing. */
function joinGroup(index: number): number {
  const fd = check(libc.socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC_NONBLOCK, 0), 'membership socket');
  const request = new Uint8Array(12);
  request.set(CARP_GROUP, 0);
  new DataView(request.buffer).setInt32(8, index, LITTLE_ENDIAN);
  if (libc.setsockopt(fd, IPPROTO_IP, IP_ADD_MEMBERSHIP, byReference(request), 12) === 0) return fd;
  const error = libc.errno();
  libc.close(fd);
  throw new SystemError('join 224.0.0.18', error);
}

function setInt(fd: number, level: number, name: number, value: number): void {
  check(libc.setsockopt(fd, level, name, byReference(Int32Array.of(value)), 4), `packet socket option ${name}`);
}
