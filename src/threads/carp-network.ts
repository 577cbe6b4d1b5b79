/**
 * This host's side of the vhids: interfaces, links with virtual MACs, addresses, and what the kernel says of them.
 *
 *   netlink news ──> CarpNetwork ──> events for the engine: link, address-removed, configure (another source address)
 *                        │
 *                        └──> sockets, macvlans and addresses follow an interface through deletion and return
 */
import type { Engine } from '../carp/engine.ts';
import type { Event, VhidSettings } from '../carp/events.ts';
import { changeInterfaceMac } from '../carp/interface-mac.ts';
import { withSources } from '../system/carp-sources.ts';
import {
  decodeAddress,
  decodeLink,
  GROUP_IPV4_ADDRESS,
  GROUP_IPV6_ADDRESS,
  GROUP_LINK,
  type InterfaceAddress,
  type Link,
  Netlink,
  NetlinkEvents,
} from '../system/netlink.ts';
import { type Message, RTM_DELADDR, RTM_DELLINK, RTM_NEWADDR } from '../system/netlink-message.ts';
import { CarpAddresses, carrierOf, LOOPBACK } from './carp-addresses.ts';
import type { GuardianPipe } from './carp-guardian.ts';
import { CarpInterfaces, type LinkChange } from './carp-interfaces.ts';
import { isVirtual, VirtualLinks } from './carp-virtual-links.ts';

export type Slots = readonly (VhidSettings | undefined)[];

export type NetworkOptions = {
  readonly vhids: readonly VhidSettings[];
  readonly lease_s: number;
  readonly guardian: GuardianPipe;
  readonly onError: (text: string) => void;
};

export class CarpNetwork {
  readonly netlink = new Netlink();
  readonly interfaces: CarpInterfaces;
  readonly addresses: CarpAddresses;
  readonly virtual: VirtualLinks;
  readonly #events = new NetlinkEvents(GROUP_LINK | GROUP_IPV4_ADDRESS | GROUP_IPV6_ADDRESS, 'no host addresses');
  readonly #guardian: GuardianPipe;
  /** Source addresses that were this host's own, which may be replaced by others when they go. */
  readonly #own_sources = new Set<string>();

  /** Opens everything. Throws a SystemError when the system refuses. */
  constructor({ vhids, lease_s, guardian, onError }: NetworkOptions) {
    const links = this.netlink.listLinks();
    this.#guardian = guardian;
    this.interfaces = new CarpInterfaces(vhids, links);
    this.addresses = new CarpAddresses(lease_s, onError);
    this.virtual = new VirtualLinks(this.netlink, onError);
    this.#learn(vhids, links);
    this.addresses.configure(vhids, 0);
    this.#noteSources(vhids);
  }

  /** Becomes readable when the kernel has news. */
  get events_fd(): number {
    return this.#events.fd;
  }

  get links_down(): string[] {
    return this.interfaces.list.filter((one) => !one.up).map((one) => one.name);
  }

  /**
   * What a killed run left of these vhids, as text. Then makes the links of those that need one. What another process
   * leaves of the slots `adopts` stays.
   */
  prepare(vhids: readonly VhidSettings[], adopts: readonly number[]): string[] {
    const others = vhids.filter((_, slot) => !adopts.includes(slot));
    const left = this.virtual.removeLeftovers(others, this.netlink.listLinks());
    const present = this.netlink.listAddresses();
    const removed = this.addresses.removeLeftovers(present, adopts);
    // an up script may have left an entry of its own length
    for (const [slot, { scripts }] of vhids.entries())
      if (scripts && !adopts.includes(slot)) this.addresses.removeEntries(slot, present);
    this.#makeVirtualLinks(vhids);
    return [...left, ...removed];
  }

  /**
   * Before the engine's `configure`: sockets and links for these vhids, in the order that a MASTER needs. What goes is
   * taken down by `settle`.
   */
  configure(vhids: readonly VhidSettings[]): void {
    const links = this.netlink.listLinks();
    this.interfaces.configure(vhids, links);
    this.#learn(vhids, links);
    this.#noteSources(vhids);
    this.#makeVirtualLinks(vhids);
  }

  /** After the engine's `configure` was carried out. */
  settle(slots: Slots): void {
    this.addresses.settle(slots);
    this.virtual.retain(slots.flatMap((vhid) => vhid ?? []));
  }

  /** Before the engine's `stop`: what these slots have on this host is another process's from now on. */
  leave(slots: Slots, leaves: readonly number[]): void {
    for (const slot of leaves) {
      this.addresses.leave(slot);
      const vhid = slots[slot];
      if (vhid) this.virtual.leave(vhid);
    }
  }

  /** A new guardian learns of the links; the addresses are told by `bequeath`. */
  bequeathLinks(): void {
    this.virtual.bequeath(this.#guardian);
  }

  /**
   * Reads what the kernel says and steps the engine by it. Returns true when sockets were opened or closed, so that the
   * poll set must be arranged anew.
   */
  read(slots: () => Slots, engine: Engine, step: (event: Event) => void): boolean {
    let new_sockets = false;
    let look_for_sources = false;
    const onLink = (change: LinkChange | undefined): void => {
      if (!change) return;
      new_sockets ||= change.new_sockets;
      look_for_sources = true;
      this.#onLinkChange(change, slots(), engine, step);
    };
    this.#events.read({
      message: (message) => {
        if (message.type === RTM_NEWADDR) look_for_sources = true;
        else if (message.type === RTM_DELADDR)
          look_for_sources = this.#onAddressGone(message, step) || look_for_sources;
        else onLink(this.#linkChange(message));
      },
      lost: () => {
        this.#resynchronize(onLink, step);
        look_for_sources = true;
      },
    });
    if (look_for_sources) this.#findSources(slots(), step);
    return new_sockets;
  }

  /** Nothing of this node stays on an interface. */
  close(now_ns: number): void {
    this.addresses.removeAll(now_ns);
    this.addresses.flush();
    this.virtual.retain([]);
    this.#guardian.close(!this.addresses.anyHeld);
    this.interfaces.close();
    this.addresses.close();
    this.#events.close();
    this.netlink.close();
  }

  #linkChange(message: Message): LinkChange | undefined {
    const link = decodeLink(message);
    if (!link) return undefined;
    if (message.type !== RTM_DELLINK) return this.interfaces.onLink(link);
    this.virtual.onGone(link.index);
    return this.interfaces.onGone(link.index);
  }

  #onLinkChange({ changed, reason, new_sockets }: LinkChange, slots: Slots, engine: Engine, step: Step): void {
    if (new_sockets) {
      this.addresses.setIndex(changed.name, changed.index);
      this.#makeVirtualLinks(slots.flatMap((vhid) => (vhid?.interface === changed.name ? vhid : [])));
    }
    if (changed.index > 0) changeInterfaceMac(engine, changed.name, changed.mac);
    step({ kind: 'link', interface: changed.name, up: changed.up, reason });
  }

  /** Returns whether it may have been an address that we send from. */
  #onAddressGone(message: Message, step: Step): boolean {
    const removed = decodeAddress(message);
    const lost = removed && this.addresses.onRemoved(removed);
    const duplicate = removed?.duplicate === true;
    if (lost) step({ kind: 'address-removed', interface: lost.interface, address: lost.text, duplicate });
    return removed !== undefined && this.#own_sources.has(removed.address);
  }

  /** The kernel had more news than fitted its buffer: compare everything. */
  #resynchronize(onLink: (change: LinkChange | undefined) => void, step: Step): void {
    const links = this.netlink.listLinks();
    for (const one of this.interfaces.list) {
      if (!links.some((link) => link.index === one.index)) onLink(this.interfaces.onGone(one.index));
    }
    for (const link of links) onLink(this.interfaces.onLink(link));
    for (const lost of this.addresses.findMissing(this.netlink.listAddresses())) {
      step({ kind: 'address-removed', interface: lost.interface, address: lost.text });
    }
  }

  /** Tells the addresses which link carries them. */
  #learn(vhids: readonly VhidSettings[], links: readonly Link[]): void {
    for (const one of this.interfaces.list) this.addresses.setIndex(one.name, one.index);
    if (!vhids.some((vhid) => vhid.balancing === 'arp')) return;
    const loopback = links.find((link) => link.loopback);
    this.addresses.setIndex(LOOPBACK, loopback?.index ?? 0);
    // An address on a link that is down is not this host's own.
    if (loopback && !loopback.up) this.netlink.setLink(loopback.index, { up: true });
  }

  #makeVirtualLinks(vhids: readonly VhidSettings[]): void {
    for (const vhid of vhids) {
      if (!isVirtual(vhid)) continue;
      const index = this.virtual.create(vhid, this.interfaces.find(vhid.interface)?.index ?? 0);
      if (vhid.balancing !== 'arp') this.addresses.setIndex(carrierOf(vhid), index);
    }
    this.bequeathLinks();
  }

  #noteSources(vhids: readonly VhidSettings[]): void {
    const present = new Set(this.netlink.listAddresses().map((one) => one.address));
    for (const { source_address, source_address6 } of vhids) {
      if (source_address !== undefined && present.has(source_address)) this.#own_sources.add(source_address);
      if (source_address6 !== undefined) this.#own_sources.add(source_address6);
    }
  }

  #findSources(slots: Slots, step: Step): void {
    const present = this.netlink.listAddresses();
    const vhids = slots.flatMap((vhid) => vhid ?? []);
    const found = vhids.map((vhid) => this.#withSources(vhid, present));
    if (found.every((vhid, position) => vhid === vhids[position])) return;
    this.#noteSources(found);
    step({ kind: 'configure', vhids: found });
  }

  #withSources(vhid: VhidSettings, present: readonly InterfaceAddress[]): VhidSettings {
    const place = this.interfaces.find(vhid.interface);
    return place && place.index > 0 ? withSources(vhid, place, present, this.#own_sources) : vhid;
  }
}

type Step = (event: Event) => void;
