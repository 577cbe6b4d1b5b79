/** The interfaces that carry vhids: their index, their link state and their packet socket, through deletion and return. */
import type { Link } from '../system/netlink.ts';
import { ipv4Adverts, PacketSocket } from '../system/packet-socket.ts';

export type CarpInterface = {
  readonly name: string;
  /** The kernel's index; 0 while there is no such interface. */
  index: number;
  /** Administratively up and with carrier. */
  up: boolean;
  mac: Uint8Array;
  socket: PacketSocket | undefined;
  /** The socket's place in the poll set. */
  place: number;
};

/** Why the state of an interface changed, or undefined when it did not. */
export type LinkChange = {
  readonly changed: CarpInterface;
  readonly reason: string;
  /** The interface went or came, so its index and its socket are others. */
  readonly new_socket: boolean;
};

export class CarpInterfaces {
  readonly list: readonly CarpInterface[];

  constructor(names: Iterable<string>, links: readonly Link[]) {
    this.list = [...new Set(names)].map((name) => ({
      name,
      index: 0,
      up: false,
      mac: new Uint8Array(6),
      socket: undefined,
      place: -1,
    }));
    for (const link of links) this.onLink(link);
  }

  get(name: string): CarpInterface {
    const found = this.list.find((one) => one.name === name);
    if (!found) throw new Error(`no vhid is on ${name}`);
    return found;
  }

  /** RTM_NEWLINK: the link is there, in this state. Throws a SystemError when its packet socket cannot be opened. */
  onLink(link: Link): LinkChange | undefined {
    const known = this.list.find((one) => one.name === link.name);
    if (!known) return this.onGone(link.index); // renamed away from a name that we know
    const new_socket = known.index !== link.index;
    if (new_socket) {
      known.socket?.close();
      known.socket = new PacketSocket(link.index, ipv4Adverts());
      known.index = link.index;
    }
    const up = link.up && link.running;
    const new_mac = !isEqual(link.mac, known.mac);
    if (up === known.up && !new_mac && !new_socket) return undefined;
    known.up = up;
    known.mac = link.mac;
    return { changed: known, reason: reasonOf(link), new_socket };
  }

  /** RTM_DELLINK, or the link is not in the list any more (it was renamed, moved or deleted). */
  onGone(index: number): LinkChange | undefined {
    const known = this.list.find((one) => one.index === index && index !== 0);
    if (!known) return undefined;
    known.socket?.close();
    known.socket = undefined;
    known.index = 0;
    known.up = false;
    return { changed: known, reason: `interface ${known.name} was removed`, new_socket: true };
  }

  close(): void {
    for (const one of this.list) one.socket?.close();
  }
}

function isEqual(one: Uint8Array, other: Uint8Array): boolean {
  return one.length === other.length && one.every((byte, index) => byte === other[index]);
}

function reasonOf(link: Link): string {
  if (!link.up) return `interface ${link.name} is administratively down`;
  return link.running ? `link of ${link.name} is up` : `link of ${link.name} is down`;
}
