/** The interfaces that carry vhids: their index, their link state and their sockets, through deletion and return. */
import type { VhidSettings } from '../carp/events.ts';
import { SystemError } from '../system/errors.ts';
import type { Link } from '../system/netlink.ts';
import { CarpSockets, type Wanted, wantedBy } from './carp-sockets.ts';

export type CarpInterface = {
  readonly name: string;
  /** The kernel's index; 0 while there is no such interface. */
  index: number;
  /** Administratively up and with carrier. */
  up: boolean;
  mac: Uint8Array;
  wanted: Wanted;
  sockets: CarpSockets | undefined;
};

/** Why the state of an interface changed, or undefined when it did not. */
export type LinkChange = {
  readonly changed: CarpInterface;
  readonly reason: string;
  /** The interface went or came, so its index and its sockets are others. */
  readonly new_sockets: boolean;
};

export class CarpInterfaces {
  #list: readonly CarpInterface[] = [];

  constructor(vhids: readonly VhidSettings[], links: readonly Link[]) {
    this.configure(vhids, links);
  }

  get list(): readonly CarpInterface[] {
    return this.#list;
  }

  /** The interfaces of these vhids from now on. What stays keeps its sockets unless it wants to hear something else. */
  configure(vhids: readonly VhidSettings[], links: readonly Link[]): void {
    const names = [...new Set(vhids.map((vhid) => vhid.interface))];
    const before = this.#list;
    this.#list = names.map((name) => {
      const wanted = wantedBy(vhids.filter((vhid) => vhid.interface === name));
      const known = before.find((one) => one.name === name);
      if (!known) return { name, index: 0, up: false, mac: new Uint8Array(6), wanted, sockets: undefined };
      known.wanted = wanted;
      if (known.sockets && known.sockets.key !== wanted.key) openSockets(known);
      return known;
    });
    for (const one of before) if (!this.#list.includes(one)) one.sockets?.close();
    for (const link of links) if (this.#list.some((one) => one.name === link.name)) this.onLink(link);
  }

  find(name: string): CarpInterface | undefined {
    for (const one of this.#list) if (one.name === name) return one;
    return undefined;
  }

  /** RTM_NEWLINK: the link is there, in this state. Throws a SystemError when its sockets are refused. */
  onLink(link: Link): LinkChange | undefined {
    const known = this.find(link.name);
    if (!known) return this.onGone(link.index); // renamed away from a name that we know
    const new_sockets = known.index !== link.index;
    if (new_sockets) {
      known.index = link.index;
      if (!openSockets(known)) return this.onGone(link.index);
    }
    const up = link.up && link.running;
    const new_mac = !isEqual(link.mac, known.mac);
    if (up === known.up && !new_mac && !new_sockets) return undefined;
    known.up = up;
    known.mac = link.mac;
    return { changed: known, reason: reasonOf(link), new_sockets };
  }

  /** RTM_DELLINK, or the link is not in the list any more (it was renamed, moved or deleted). */
  onGone(index: number): LinkChange | undefined {
    const known = this.#list.find((one) => one.index === index && index !== 0);
    if (!known) return undefined;
    known.sockets?.close();
    known.sockets = undefined;
    known.index = 0;
    known.up = false;
    return { changed: known, reason: `interface ${known.name} was removed`, new_sockets: true };
  }

  close(): void {
    for (const one of this.#list) one.sockets?.close();
  }
}

/** The new ones first: should they be refused, the old ones are still there. False: the interface went meanwhile. */
function openSockets(one: CarpInterface): boolean {
  const before = one.sockets;
  try {
    one.sockets = new CarpSockets(one.index, one.wanted);
  } catch (error) {
    if (error instanceof SystemError && error.code === 'ENODEV') return false;
    throw error;
  }
  before?.close();
  return true;
}

function isEqual(one: Uint8Array, other: Uint8Array): boolean {
  return one.length === other.length && one.every((byte, index) => byte === other[index]);
}

function reasonOf(link: Link): string {
  if (!link.up) return `interface ${link.name} is administratively down`;
  return link.running ? `link of ${link.name} is up` : `link of ${link.name} is down`;
}
