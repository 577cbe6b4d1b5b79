/**
 * The sockets of one interface: what its vhids hear on and send from. They belong to an interface index.
 *
 *   IPv4 adverts ──> packet socket, joined to 224.0.0.18 (or other groups) ┐
 *   IPv6 adverts ──> packet socket, joined to ff02::12                     ├─> receive
 *   ARP requests and neighbour solicitations for shared VIPs ──> two more  ┘
 *   frames ──> the packet socket of their EtherType          packets to unicast peers ──> raw IP sockets
 */
import type { VhidSettings } from '../carp/events.ts';
import { GROUP_IPV4 } from '../carp/frame.ts';
import { parseAddress } from '../system/ip-address.ts';
import {
  arpRequests,
  ipv4Adverts,
  ipv6Adverts,
  neighbourSolicitations,
  PacketSocket,
  type PacketSocketOptions,
} from '../system/packet-socket.ts';
import { familyOf, RawIpSocket } from '../system/raw-ip-socket.ts';

const TYPE_AT = 12;

/** What the vhids of one interface want to hear. */
export type Wanted = {
  readonly options: readonly PacketSocketOptions[];
  /** Families of unicast peers. */
  readonly peers: readonly (4 | 6)[];
  /** Equal for equal wants. */
  readonly key: string;
};

export class CarpSockets {
  readonly list: readonly PacketSocket[];
  readonly key: string;
  /** By EtherType. */
  readonly #senders = new Map<number, PacketSocket>();
  readonly #peers = new Map<number, RawIpSocket>();

  /** Throws a SystemError: EPERM without CAP_NET_RAW, ENODEV when the interface went meanwhile. */
  constructor(index: number, wanted: Wanted) {
    const list: PacketSocket[] = [];
    this.list = list;
    this.key = wanted.key;
    try {
      for (const options of wanted.options) {
        const socket = new PacketSocket(index, options);
        list.push(socket);
        if (!this.#senders.has(options.ethertype)) this.#senders.set(options.ethertype, socket);
      }
      for (const family of wanted.peers) this.#peers.set(family, new RawIpSocket(family, index));
    } catch (error) {
      this.close();
      throw error;
    }
  }

  /** A whole frame, as it is; 0 or the errno. */
  send(frame: Uint8Array): number {
    const sender = this.#senders.get((frame[TYPE_AT] << 8) | frame[TYPE_AT + 1]) ?? this.list[0];
    return sender.send(frame);
  }

  /** The IP packet of a frame, to the unicast peer that it names; 0 or the errno. */
  sendToPeer(frame: Uint8Array): number {
    return this.#peers.get(familyOf(frame))!.send(frame);
  }

  close(): void {
    for (const socket of this.list) socket.close();
    for (const socket of this.#peers.values()) socket.close();
  }
}

/** `vhids`: those of one interface. */
export function wantedBy(vhids: readonly VhidSettings[]): Wanted {
  const addresses = vhids.flatMap((vhid) => vhid.addresses);
  const shared = vhids.flatMap((vhid) => (vhid.balancing === 'arp' ? vhid.addresses : []));
  const peers = vhids.flatMap((vhid) => vhid.peers ?? []);
  const groups = new Set(vhids.map((vhid) => vhid.multicast_address ?? GROUP_IPV4.join('.')));
  const of = (texts: readonly string[], family: 4 | 6): Uint8Array[] =>
    [...new Set(texts)].filter((text) => text.includes(':') === (family === 6)).map(bytesOf);
  const options: PacketSocketOptions[] = [];
  if (of(addresses, 4).length > 0) options.push(ipv4Adverts([...groups].map(bytesOf)));
  if (of(addresses, 6).length > 0) options.push(ipv6Adverts());
  if (of(shared, 4).length > 0) options.push(arpRequests(of(shared, 4)));
  if (of(shared, 6).length > 0) options.push(neighbourSolicitations(of(shared, 6)));
  const families = ([4, 6] as const).filter((family) => of(peers, family).length > 0);
  return { options, peers: families, key: JSON.stringify([options, families, [...groups], [...new Set(shared)]]) };
}

function bytesOf(text: string): Uint8Array {
  const bytes = parseAddress(text);
  if (!bytes) throw new Error(`${text} is no IP address`);
  return bytes;
}
