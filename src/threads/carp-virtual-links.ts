/**
 * The virtual MAC: for a vhid with `mac` 'virtual' a macvlan of its own on the interface, with 00:00:5e:00:01:VHID,
 * that carries the addresses while this node is MASTER.
 *
 *   eth0  02:…              arp_ignore 1, arp_announce 2: it does not answer for the VIPs, nor speak from them
 *    └─ carp42.3  00:00:5e:00:01:2a    up while MASTER; rp_filter off or loose; no IPv6 address but the VIPs
 *
 * Mode `bridge`, because a private macvlan swallows the multicast adverts that the other node sends from the same MAC.
 * A BACKUP's link is down, so that nothing of the kernel's (neighbour discovery, MLD) moves the switches' entry for the
 * MAC. A link of vhids that share addresses (`balancing`) carries none: those stand on lo, and this one has the dummy
 * address 192.0.0.8 (RFC 7600), because a link without any is closed by reverse path filtering, and answers no ARP.
 * eth0's settings as they were stand in the link's alias, where the next run finds them after a sudden death.
 */
import type { VhidSettings } from '../carp/events.ts';
import { virtualMac } from '../carp/frame.ts';
import { SystemError } from '../system/errors.ts';
import type { Ipv4Conf, Link, Netlink } from '../system/netlink.ts';
import type { GuardianPipe } from './carp-guardian.ts';

const LOOSE = 2;
/** arp_ignore: for addresses of this link only; for none. */
const OWN_ONLY = 1;
const NONE = 8;
const DUMMY = Uint8Array.of(192, 0, 0, 8);
const ALIAS = /^carpool: (\S+) had arp_ignore (\d+) arp_announce (\d+)$/;

type Saved = { readonly index: number; readonly arp_ignore: number; readonly arp_announce: number };

type VirtualLink = {
  readonly name: string;
  readonly mac: Uint8Array;
  readonly parent: string;
  /** 0 while there is none. */
  index: number;
  up: boolean;
  balanced: boolean;
};

/** The macvlan's name: at most 15 characters, and another for every interface that ever was. */
function virtualLinkName(vhid: number, parent_index: number): string {
  return `carp${vhid}.${parent_index}`;
}

export class VirtualLinks {
  readonly #netlink: Netlink;
  readonly #onError: (text: string) => void;
  /** By vhid and interface. */
  readonly #links = new Map<string, VirtualLink>();
  /** By interface: its settings before ours. */
  readonly #saved = new Map<string, Saved>();

  constructor(netlink: Netlink, onError: (text: string) => void) {
    this.#netlink = netlink;
    this.#onError = onError;
  }

  /** Makes the vhid's link, on the interface with that index. Returns the link's index, or 0 after a report. */
  create(vhid: VhidSettings, parent_index: number): number {
    if (parent_index === 0) return 0;
    const key = keyOf(vhid);
    const name = virtualLinkName(vhid.vhid, parent_index);
    const known = this.#links.get(key);
    const balanced = vhid.balancing === 'arp';
    if (known?.name === name && known.index > 0) {
      if (known.balanced !== balanced) this.#attempt(`change ${name}`, () => this.#dress(known, balanced));
      return known.index;
    }
    const mac = virtualMac('kernel', vhid.vhid);
    const made: VirtualLink = { name, mac, parent: vhid.interface, index: 0, up: false, balanced };
    this.#links.set(key, made);
    this.#attempt(`make the link ${name} with the virtual MAC of vhid ${vhid.vhid}`, () => {
      this.#make(made, parent_index);
      this.#dress(made, balanced);
    });
    return made.index;
  }

  /** The link of the vhid, or 0. */
  indexOf(vhid: VhidSettings): number {
    return this.#links.get(keyOf(vhid))?.index ?? 0;
  }

  /** For a MASTER (`up`) and for others. */
  set(vhid: VhidSettings, up: boolean): void {
    const link = this.#links.get(keyOf(vhid));
    if (!link || link.index === 0 || link.up === up) return;
    link.up = up;
    this.#attempt(`set ${link.name} ${up ? 'up' : 'down'}`, () => this.#netlink.setLink(link.index, { up }));
  }

  /** RTM_DELLINK of one of ours, or of the interface below. */
  onGone(index: number): void {
    for (const link of this.#links.values()) {
      if (link.index !== index) continue;
      link.index = 0;
      link.up = false;
    }
    for (const [name, saved] of this.#saved) if (saved.index === index) this.#saved.delete(name);
  }

  /** A new guardian learns everything. */
  bequeath(guardian: GuardianPipe): void {
    for (const link of this.#links.values()) if (link.index > 0) guardian.addLink(link.index);
    for (const saved of this.#saved.values()) guardian.addSettings(saved.index, saved);
  }

  /** Deletes the links of vhids that are not among these, and gives interfaces without any their settings back. */
  retain(vhids: readonly VhidSettings[]): void {
    const wanted = new Set(vhids.filter(isVirtual).map(keyOf));
    for (const [key, link] of this.#links) {
      if (wanted.has(key)) continue;
      this.#links.delete(key);
      if (link.index > 0) this.#attempt(`delete ${link.name}`, () => this.#netlink.deleteLink(link.index));
    }
    const parents = new Set([...this.#links.values()].map((link) => link.parent));
    for (const [name, saved] of this.#saved) {
      if (parents.has(name)) continue;
      this.#saved.delete(name);
      const { arp_ignore, arp_announce } = saved;
      const restore = (): void => this.#netlink.setLink(saved.index, { ipv4_conf: { arp_ignore, arp_announce } });
      this.#attempt(`restore the ARP settings of ${name}`, restore);
    }
  }

  /** From now on the vhid's link is another process's, and so are the settings of the interface below. */
  leave(vhid: VhidSettings): void {
    if (this.#links.delete(keyOf(vhid))) this.#saved.delete(vhid.interface);
  }

  /** Removes what a killed run left of these vhids, and returns it as text. */
  removeLeftovers(vhids: readonly VhidSettings[], links: readonly Link[]): string[] {
    const removed: string[] = [];
    for (const vhid of vhids) {
      const parent = links.find((one) => one.name === vhid.interface);
      const left = parent && links.find((one) => one.name === virtualLinkName(vhid.vhid, parent.index));
      const alias = left && ALIAS.exec(left.alias);
      if (!left || !alias) continue;
      this.#attempt(`delete ${left.name}`, () => this.#netlink.deleteLink(left.index));
      const ipv4_conf: Ipv4Conf = { arp_ignore: Number(alias[2]), arp_announce: Number(alias[3]) };
      this.#attempt(`restore ${parent.name}`, () => this.#netlink.setLink(parent.index, { ipv4_conf }));
      removed.push(left.name);
    }
    return removed;
  }

  #make(made: VirtualLink, parent_index: number): void {
    const netlink = this.#netlink;
    if (this.#adopt(made, parent_index)) return;
    const before = netlink.findLink(made.parent)!;
    const saved = this.#saved.get(made.parent) ?? { index: parent_index, ...before.ipv4_conf };
    netlink.createMacvlan({ name: made.name, mac: made.mac }, parent_index);
    const own = netlink.findLink(made.name)!;
    made.index = own.index;
    const alias = `carpool: ${made.parent} had arp_ignore ${saved.arp_ignore} arp_announce ${saved.arp_announce}`;
    netlink.setLink(own.index, { alias, no_ipv6_link_local: true });
    if (this.#saved.has(made.parent)) return;
    this.#saved.set(made.parent, saved);
    const { arp_ignore, arp_announce } = saved;
    netlink.setLink(parent_index, {
      ipv4_conf: { arp_ignore: arp_ignore || OWN_ONLY, arp_announce: Math.max(arp_announce, 2) },
    });
  }

  /** Takes the link that another process made and leaves to us. */
  #adopt(made: VirtualLink, parent_index: number): boolean {
    const left = this.#netlink.findLink(made.name);
    const alias = left && ALIAS.exec(left.alias);
    if (!left || !alias) return false;
    made.index = left.index;
    const saved = { index: parent_index, arp_ignore: Number(alias[2]), arp_announce: Number(alias[3]) };
    if (!this.#saved.has(made.parent)) this.#saved.set(made.parent, saved);
    return true;
  }

  #dress(link: VirtualLink, balanced: boolean): void {
    link.balanced = balanced;
    const ipv4_conf = {
      arp_ignore: balanced ? NONE : OWN_ONLY,
      arp_announce: 2,
      // Strict filtering would drop every packet for a VIP, whose way back is the interface below.
      rp_filter: LOOSE,
    };
    this.#netlink.setLink(link.index, { ipv4_conf });
    const dummy = { index: link.index, bytes: DUMMY, prefix_length: 32, noprefixroute: true };
    if (balanced) this.#netlink.addAddress({ ...dummy, replace: true });
  }

  #attempt(what: string, body: () => void): void {
    try {
      body();
    } catch (error) {
      if (!(error instanceof SystemError)) throw error;
      this.#onError(`cannot ${what}: ${error.message}`);
    }
  }
}

export function isVirtual(vhid: VhidSettings): boolean {
  return vhid.mac === 'virtual' || vhid.balancing === 'arp';
}

function keyOf(vhid: VhidSettings): string {
  return `${vhid.vhid} ${vhid.interface}`;
}
