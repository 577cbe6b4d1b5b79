/**
 * Memberships that let a packet socket hear a group. Two are needed: PACKET_MR_MULTICAST lets the network card pass
 * the group's MAC, and a membership of the kernel makes it report the group (IGMP, MLD) so that switches forward it.
 * Both belong to an interface index, so a link that was deleted and made again needs new ones.
 *
 *   packet_mreq  | index (32) | kind (16) | length (16) | MAC, 8 bytes |
 *   ip_mreqn     | group (32) | local (32) | index (32) |
 *   ipv6_mreq    | group (128) | index (32) |
 */
import { AF_INET, AF_INET6, IPPROTO_IP, IPPROTO_IPV6, SOCK_CLOEXEC, SOCK_DGRAM } from './abi/linux.ts';
import { byReference } from './arguments.ts';
import { check, SystemError } from './errors.ts';
import { formatAddress } from './ip-address.ts';
import * as libc from './libc.ts';
import { LITTLE_ENDIAN } from './netlink-message.ts';

const SOL_PACKET = 263;
const PACKET_ADD_MEMBERSHIP = 1;
const PACKET_MR_MULTICAST = 0;
const IP_ADD_MEMBERSHIP = 35;
const IPV6_ADD_MEMBERSHIP = 20;

/** For as long as the packet socket `fd` is open. */
export function joinMac(fd: number, index: number, mac: Uint8Array): void {
  const request = new Uint8Array(16);
  const view = new DataView(request.buffer);
  view.setInt32(0, index, LITTLE_ENDIAN);
  view.setUint16(4, PACKET_MR_MULTICAST, LITTLE_ENDIAN);
  view.setUint16(6, mac.length, LITTLE_ENDIAN);
  request.set(mac, 8);
  check(libc.setsockopt(fd, SOL_PACKET, PACKET_ADD_MEMBERSHIP, byReference(request), 16), 'join multicast MAC');
}

/** Returns the socket that holds the membership and receives nothing; the caller closes it. Throws a SystemError. */
export function joinGroup(index: number, group: Uint8Array): number {
  const v4 = group.length === 4;
  const fd = check(libc.socket(v4 ? AF_INET : AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0), 'membership socket');
  const request = new Uint8Array(v4 ? 12 : 20);
  request.set(group, 0);
  new DataView(request.buffer).setInt32(v4 ? 8 : 16, index, LITTLE_ENDIAN);
  const level = v4 ? IPPROTO_IP : IPPROTO_IPV6;
  const option = v4 ? IP_ADD_MEMBERSHIP : IPV6_ADD_MEMBERSHIP;
  if (libc.setsockopt(fd, level, option, byReference(request), request.length) === 0) return fd;
  const error = libc.errno();
  libc.close(fd);
  throw new SystemError(`join ${formatAddress(group)}`, error);
}
