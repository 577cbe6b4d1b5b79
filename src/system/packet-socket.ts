/**
 * Whole Ethernet frames of one kind on one interface (packet(7)). The socket stands before the firewall and rp_filter,
 * so what arrives is unchecked: the CARP engine looks at every field. A filter in the kernel drops the rest, so that
 * traffic never wakes the thread.
 *
 *   ipv4   | destination 6 | source 6 | 0x0800 | IPv4 header, protocol 112 at byte 23   |
 *   ipv6   | destination 6 | source 6 | 0x86dd | IPv6 header, next header 112 at byte 20 |
 *   arp    | destination 6 | source 6 | 0x0806 | operation (16) 1 = request at byte 20, target address at byte 38 |
 *   nd     | destination 6 | source 6 | 0x86dd | next header 58 at byte 20, ICMP type 135 at 54, target at 62     |
 */
import { ICMPV6, NEIGHBOUR_SOLICITATION, solicitedNodeGroup } from '../carp/announce.ts';
import { GROUP_IPV4, GROUP_IPV6, groupMac } from '../carp/frame.ts';
import { SOCK_CLOEXEC, SOCK_NONBLOCK } from './abi/linux.ts';
import { byReference } from './arguments.ts';
import { check } from './errors.ts';
import * as libc from './libc.ts';
import { MessageHeaders } from './message-headers.ts';
import { joinGroup, joinMac } from './multicast-group.ts';
import { LITTLE_ENDIAN } from './netlink-message.ts';
import {
  attachFilter,
  BPF_JUMP_EQUAL,
  BPF_LOAD_BYTE,
  BPF_LOAD_HALF,
  BPF_LOAD_WORD,
  BPF_RETURN,
  BPF_WHOLE,
  type FilterStep,
} from './packet-filter.ts';

export const AF_PACKET = 17;
export const SOCK_RAW = 3;
export const SOL_PACKET = 263;
export const PACKET_IGNORE_OUTGOING = 23;
const EINTR = 4;

const ETH_P_IP = 0x0800;
export const ETH_P_ARP = 0x0806;
export const ETH_P_IPV6 = 0x86dd;
const CARP_PROTOCOL = 112;
const ARP_REQUEST = 1;

/** Longer frames are cut; the engine drops by the length in the IP header. */
const FRAME_LENGTH = 2048;
/** Frames that one call takes: a host's adverts come in bursts. */
export const FRAMES_AT_ONCE = 32;
/** As many targets fit one filter, whose jumps are 8 bits wide. */
const MAX_TARGETS = 200;

const KEEP: FilterStep = [BPF_RETURN, 0, 0, BPF_WHOLE];
const DROP: FilterStep = [BPF_RETURN, 0, 0, 0];

export type PacketSocketOptions = {
  /** Bytes 12 and 13 of every frame that is heard. */
  readonly ethertype: number;
  readonly filter: readonly FilterStep[];
  /** IP groups to join. */
  readonly groups: readonly Uint8Array[];
};

/** Adverts over IPv4, to 224.0.0.18 or to other groups. */
export function ipv4Adverts(groups: readonly Uint8Array[] = [GROUP_IPV4]): PacketSocketOptions {
  return { ethertype: ETH_P_IP, filter: protocolFilter(ETH_P_IP, 23), groups };
}

/** Adverts over IPv6, to ff02::12. */
export function ipv6Adverts(): PacketSocketOptions {
  return { ethertype: ETH_P_IPV6, filter: protocolFilter(ETH_P_IPV6, 20), groups: [GROUP_IPV6] };
}

/** ARP requests that ask for one of `targets` (four bytes each); where there are very many, all requests. */
export function arpRequests(targets: readonly Uint8Array[]): PacketSocketOptions {
  const words = targets.map((bytes) => new DataView(bytes.buffer, bytes.byteOffset, 4).getUint32(0));
  if (words.length > MAX_TARGETS) return { ethertype: ETH_P_ARP, filter: [KEEP], groups: [] };
  const filter = [
    [BPF_LOAD_HALF, 0, 0, 20],
    [BPF_JUMP_EQUAL, 1, 0, ARP_REQUEST],
    DROP,
    [BPF_LOAD_WORD, 0, 0, 38],
    ...oneOf(words),
  ] as const;
  return { ethertype: ETH_P_ARP, filter, groups: [] };
}

/** Neighbour solicitations (RFC 4861 4.3) for one of `targets`, 16 bytes each; they come to the targets' own groups. */
export function neighbourSolicitations(targets: readonly Uint8Array[]): PacketSocketOptions {
  const words = targets.map((bytes) => new DataView(bytes.buffer, bytes.byteOffset, 16).getUint32(12));
  const filter = [
    [BPF_LOAD_BYTE, 0, 0, 20],
    [BPF_JUMP_EQUAL, 1, 0, ICMPV6],
    DROP,
    [BPF_LOAD_BYTE, 0, 0, 54],
    [BPF_JUMP_EQUAL, 1, 0, NEIGHBOUR_SOLICITATION],
    DROP,
    [BPF_LOAD_WORD, 0, 0, 74],
    ...(words.length > MAX_TARGETS ? [KEEP] : oneOf(words)),
  ] as const;
  return { ethertype: ETH_P_IPV6, filter, groups: targets.map(solicitedNodeGroup) };
}

/** Keeps the frame when the word that was loaded is one of these. */
function oneOf(words: readonly number[]): FilterStep[] {
  return [...words.map((word, place): FilterStep => [BPF_JUMP_EQUAL, words.length - place, 0, word]), DROP, KEEP];
}

export class PacketSocket {
  readonly fd: number;
  /** The frame that `receive` left; valid until the next `receive`. */
  frame: Uint8Array;
  readonly #in: libc.Pinned;
  readonly #headers: MessageHeaders;
  readonly #frames: readonly Uint8Array[];
  /** Frames that the last call took, and how many of them `receive` has given. */
  #taken = 0;
  #given = 0;
  readonly #out: libc.Pinned;
  readonly #memberships: number[] = [];

  /** Throws a SystemError: EPERM without CAP_NET_RAW, ENODEV when the interface is gone. */
  constructor(index: number, options: PacketSocketOptions) {
    this.fd = check(libc.socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), 'packet socket');
    try {
      // The filter goes on while the socket still hears nothing: not one other frame is ever queued.
      attachFilter(this.fd, options.filter);
      check(
        libc.setsockopt(this.fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, byReference(Int32Array.of(1)), 4),
        'packet socket: ignore outgoing frames',
      );
      bindTo(this.fd, index, options.ethertype);
      for (const group of options.groups) {
        joinMac(this.fd, index, groupMac(group));
        this.#memberships.push(joinGroup(index, group));
      }
    } catch (error) {
      this.#closeDescriptors();
      throw error;
    }
    this.#in = libc.allocatePinned(FRAMES_AT_ONCE * FRAME_LENGTH);
    this.#out = libc.allocatePinned(FRAME_LENGTH);
    this.#headers = new MessageHeaders(FRAMES_AT_ONCE);
    this.#frames = Array.from({ length: FRAMES_AT_ONCE }, (_, index) => {
      this.#headers.set(index, this.#in.address + index * FRAME_LENGTH, FRAME_LENGTH);
      return this.#in.bytes.subarray(index * FRAME_LENGTH, (index + 1) * FRAME_LENGTH);
    });
    this.frame = this.#frames[0];
  }

  /**
   * Takes one frame into `frame`: its length, or -1 when none waits (or the link is down). Never blocks. Frames are taken
   * from the kernel by the handful, so go on until -1 before you wait for more.
   */
  receive(): number {
    if (this.#given === this.#taken && !this.#take()) return -1;
    this.frame = this.#frames[this.#given];
    return this.#headers.moved(this.#given++);
  }

  /** Whether there are frames to give. Fewer than fit were all that waited: then -1 needs no other call. */
  #take(): boolean {
    const were_all = this.#taken > 0 && this.#taken < FRAMES_AT_ONCE;
    this.#given = this.#taken = 0;
    if (were_all) return false;
    for (;;) {
      const count = libc.recvmmsg(this.fd, this.#headers.addressFrom(0), FRAMES_AT_ONCE, 0, 0);
      if (count < 0 && libc.errno() === EINTR) continue;
      this.#taken = Math.max(count, 0);
      return count > 0;
    }
  }

  /** Sends one frame as it is; 0 or the errno (ENETDOWN, ENOBUFS, EAGAIN …). Never blocks. */
  send(frame: Uint8Array): number {
    this.#out.bytes.set(frame);
    if (libc.send(this.fd, this.#out.address, frame.length, 0) >= 0) return 0;
    return libc.errno();
  }

  close(): void {
    this.#closeDescriptors();
    this.#headers.close();
    libc.munmap(this.#in.address, FRAMES_AT_ONCE * FRAME_LENGTH);
    libc.munmap(this.#out.address, FRAME_LENGTH);
  }

  #closeDescriptors(): void {
    for (const fd of this.#memberships) libc.close(fd);
    libc.close(this.fd);
  }
}

/** This EtherType, and protocol 112 in the byte at `at`, else drop. */
function protocolFilter(ethertype: number, at: number): readonly FilterStep[] {
  return [
    [BPF_LOAD_HALF, 0, 0, 12],
    [BPF_JUMP_EQUAL, 0, 3, ethertype],
    [BPF_LOAD_BYTE, 0, 0, at],
    [BPF_JUMP_EQUAL, 0, 1, CARP_PROTOCOL],
    KEEP,
    DROP,
  ];
}

/** `ethertype`: of the frames that it hears from now on. */
export function bindTo(fd: number, index: number, ethertype: number): void {
  const address = new Uint8Array(20);
  const view = new DataView(address.buffer);
  view.setUint16(0, AF_PACKET, LITTLE_ENDIAN);
  view.setUint16(2, ethertype);
  view.setInt32(4, index, LITTLE_ENDIAN);
  check(libc.bind(fd, byReference(address), address.length), 'bind packet socket');
}
