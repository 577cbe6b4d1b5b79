/**
 * Adverts to one peer instead of the group. A unicast frame needs the peer's MAC, or its router's; the kernel knows how
 * to find both. So the packet is given to it whole, IP header included, and it resolves, queues and retries: sending
 * never waits, and a missing ARP entry costs the time of one question and no advert.
 *
 *   Ethernet frame as the engine builds it   | 14 bytes, unused | IP header | 36 bytes |
 *   what is sent                                                | IP header | 36 bytes |
 *
 * The packet goes through the firewall's output chain, and only out of this interface. The socket hears nothing (the
 * packet sockets do), but that it is there keeps the kernel from answering adverts with "protocol unreachable".
 */
import { AF_INET, AF_INET6, IPPROTO_IP, IPPROTO_IPV6, SOCK_CLOEXEC, SOCK_NONBLOCK, SOL_SOCKET } from './abi/linux.ts';
import { byReference } from './arguments.ts';
import { check } from './errors.ts';
import * as libc from './libc.ts';
import { LITTLE_ENDIAN } from './netlink-message.ts';
import { attachFilter, BPF_RETURN } from './packet-filter.ts';

const SOCK_RAW = 3;
const CARP_PROTOCOL = 112;
const IP_HDRINCL = 3;
const IPV6_HDRINCL = 36;
const SO_BINDTOIFINDEX = 62;
const ETHERNET_BYTES = 14;
const PACKET_BYTES = 2048;
const SOCKADDR_IN = 16;
const SOCKADDR_IN6 = 28;
/** In an Ethernet frame: where the destination stands in the IP header. */
const DESTINATION_AT_IPV4 = 30;
const DESTINATION_AT_IPV6 = 38;
const TYPE_LOW = 13;
const IPV6_TYPE_LOW = 0xdd;

export class RawIpSocket {
  readonly fd: number;
  readonly #family: number;
  readonly #index: number;
  readonly #packet = libc.allocatePinned(PACKET_BYTES);
  readonly #to = libc.allocatePinned(32);

  /** Throws a SystemError: EPERM without CAP_NET_RAW. */
  constructor(family: 4 | 6, index: number) {
    this.#family = family === 4 ? AF_INET : AF_INET6;
    this.#index = index;
    const kind = SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK;
    this.fd = check(libc.socket(this.#family, kind, CARP_PROTOCOL), 'raw IP socket');
    try {
      attachFilter(this.fd, [[BPF_RETURN, 0, 0, 0]]);
      if (family === 4) this.#set(IPPROTO_IP, IP_HDRINCL, 1);
      else this.#set(IPPROTO_IPV6, IPV6_HDRINCL, 1);
      this.#set(SOL_SOCKET, SO_BINDTOIFINDEX, index);
    } catch (error) {
      this.close();
      throw error;
    }
  }

  /** Sends a frame's IP packet to the destination that its IP header says; 0 or the errno. Never blocks. */
  send(frame: Uint8Array): number {
    const length = frame.length - ETHERNET_BYTES;
    const bytes = this.#packet.bytes;
    for (let at = 0; at < length; at++) bytes[at] = frame[ETHERNET_BYTES + at];
    const size = this.#address(frame);
    return libc.sendto(this.fd, this.#packet.address, length, 0, this.#to.address, size) < 0 ? libc.errno() : 0;
  }

  close(): void {
    libc.close(this.fd);
    libc.munmap(this.#packet.address, PACKET_BYTES);
    libc.munmap(this.#to.address, 32);
  }

  #set(level: number, option: number, value: number): void {
    check(libc.setsockopt(this.fd, level, option, byReference(Int32Array.of(value)), 4), `raw IP option ${option}`);
  }

  /** Writes the destination's socket address; its size. */
  #address(frame: Uint8Array): number {
    const { bytes, words } = this.#to;
    bytes.fill(0);
    bytes[LITTLE_ENDIAN ? 0 : 1] = this.#family;
    if (this.#family === AF_INET) {
      for (let at = 0; at < 4; at++) bytes[4 + at] = frame[DESTINATION_AT_IPV4 + at];
      return SOCKADDR_IN;
    }
    for (let at = 0; at < 16; at++) bytes[8 + at] = frame[DESTINATION_AT_IPV6 + at];
    words[6] = this.#index; // the zone, which link-local peers need
    return SOCKADDR_IN6;
  }
}

/** 4 or 6, by the frame's EtherType. */
export function familyOf(frame: Uint8Array): 4 | 6 {
  return frame[TYPE_LOW] === IPV6_TYPE_LOW ? 6 : 4;
}
