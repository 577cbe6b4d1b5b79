/**
 * The VIPs of this node: adds, renews and removes them in batches, and tells an address that somebody else removed (or
 * whose lease ran out) from one that we removed.
 *
 *   real MAC      on the vhid's interface          virtual MAC   on the vhid's macvlan
 *   shared by several vhids (balancing)   on lo, where the kernel answers no neighbour for it
 *
 * An address that several vhids share is one HeldAddress.
 */
import type { VhidSettings } from '../carp/events.ts';
import { AddressBatch } from '../system/address-batch.ts';
import { parseAddress } from '../system/ip-address.ts';
import { errnoName } from '../system/libc.ts';
import type { InterfaceAddress, NewAddress } from '../system/netlink.ts';
import type { Lease } from './carp-messages.ts';
import { isVirtual } from './carp-virtual-links.ts';

const EADDRNOTAVAIL = 99;
const ENODEV = 19;
export const LOOPBACK = 'lo';

/** One VIP. `request` is what the kernel is told, kept so that a renewal builds nothing. */
export type HeldAddress = {
  readonly text: string;
  /** The vhid's interface, which need not be the link that carries the address. */
  readonly interface: string;
  /** The guardian's form: prefix length, then the address. */
  readonly will: Uint8Array;
  request: NewAddress;
  /** On the link by our hand. */
  held: boolean;
  /** Removals of ours that the kernel has not reported yet. */
  removals: number;
  renewed_ns: number;
};

type Change = 'add' | 'renew' | 'remove';

/** What carries the vhid's addresses, as a name for `setIndex`. */
export function carrierOf(vhid: VhidSettings): string {
  if (vhid.balancing === 'arp') return LOOPBACK;
  return isVirtual(vhid) ? `vhid ${vhid.vhid} on ${vhid.interface}` : vhid.interface;
}

export class CarpAddresses {
  /** By slot, then by text. */
  readonly #slots: (Map<string, HeldAddress> | undefined)[] = [];
  /** By carrier and text. */
  readonly #all = new Map<string, HeldAddress>();
  readonly #indexes = new Map<string, number>();
  readonly #batch = new AddressBatch();
  readonly #queued: HeldAddress[] = [];
  readonly #changes: Change[] = [];
  readonly #lease_s: number;
  readonly #onError: (text: string) => void;
  #now_ns = 0;

  constructor(lease_s: number, onError: (text: string) => void) {
    this.#lease_s = lease_s;
    this.#onError = onError;
  }

  /**
   * The vhids by slot from now on. Until `settle` those that went, and the addresses that stay no longer, are still
   * known, so that they can be removed. An address whose carrier changed moves by itself.
   */
  configure(slots: readonly (VhidSettings | undefined)[], now_ns: number): void {
    for (const [slot, vhid] of slots.entries()) {
      if (!vhid) continue;
      const before = this.#slots[slot];
      const now = new Map(before);
      for (const text of vhid.addresses) {
        const address = this.#hold(vhid, text);
        const known = before?.get(text);
        now.set(text, address);
        if (known && known !== address && known.held) this.#move(known, address, now_ns);
      }
      this.#slots[slot] = now;
    }
    this.flush();
  }

  /** Forgets what no vhid has any more. */
  settle(slots: readonly (VhidSettings | undefined)[]): void {
    const length = Math.max(slots.length, this.#slots.length);
    const used = new Set<HeldAddress>();
    for (let slot = 0; slot < length; slot++) {
      const addresses = slots[slot]?.addresses;
      const known = this.#slots[slot];
      if (known) for (const text of known.keys()) if (!addresses?.includes(text)) known.delete(text);
      if (!addresses) this.#slots[slot] = undefined;
      for (const address of this.of(slot)) used.add(address);
    }
    for (const [key, address] of this.#all) if (!used.has(address)) this.#all.delete(key);
  }

  /** The link that carries these addresses has this index now (it may have been deleted and made again); 0: none. */
  setIndex(carrier: string, index: number): void {
    this.#indexes.set(carrier, index);
    for (const [key, address] of this.#all) {
      if (!key.startsWith(`${carrier}|`) || address.request.index === index) continue;
      address.request = { ...address.request, index };
      address.held = false;
      address.removals = 0;
    }
  }

  /** The addresses of a slot. */
  of(slot: number): HeldAddress[] {
    return [...(this.#slots[slot]?.values() ?? [])];
  }

  /** Queues a change of these addresses of a slot; `flush` makes it so. */
  change(slot: number, texts: readonly string[], what: Change, now_ns: number): void {
    this.#now_ns = now_ns;
    const known = this.#slots[slot];
    for (const text of texts) {
      const address = known?.get(text);
      if (address && !(what === 'remove' && !address.held)) this.#queue(address, what);
    }
  }

  /** Queues the removal of whatever is held. */
  removeAll(now_ns: number): void {
    this.#now_ns = now_ns;
    for (const address of this.#all.values()) if (address.held) this.#queue(address, 'remove');
  }

  /** Carries out what is queued, in its order. */
  flush(): void {
    const count = this.#batch.flush();
    for (let position = 0; position < count; position++) {
      const address = this.#queued[position];
      this.#settleOne(address, this.#changes[position], this.#batch.results[position]);
    }
    while (this.#queued.length > 0) this.#queued.pop();
    while (this.#changes.length > 0) this.#changes.pop();
  }

  /** Which address was lost without our doing. `removed` comes from RTM_DELADDR. */
  onRemoved(removed: InterfaceAddress): HeldAddress | undefined {
    for (const address of this.#all.values()) {
      if (!isSame(address, removed)) continue;
      if (address.removals > 0) {
        address.removals -= 1;
        return undefined;
      }
      if (!address.held) return undefined;
      address.held = false;
      return address;
    }
    return undefined;
  }

  /** After lost notifications: which held addresses the kernel's list does not have. */
  findMissing(present: readonly InterfaceAddress[]): HeldAddress[] {
    const missing: HeldAddress[] = [];
    for (const address of this.#all.values()) {
      address.removals = 0;
      if (!address.held || present.some((one) => isSame(address, one))) continue;
      address.held = false;
      missing.push(address);
    }
    return missing;
  }

  /**
   * Removes VIPs that a killed instance left (a /32 is nobody's own address), but for those of the slots `adopts`;
   * returns them as text.
   */
  removeLeftovers(present: readonly InterfaceAddress[], adopts: readonly number[]): string[] {
    const removed: string[] = [];
    const adopted = new Set(adopts.flatMap((slot) => this.of(slot)));
    for (const address of this.#all.values()) {
      if (adopted.has(address) || !present.some((one) => isSame(address, one))) continue;
      this.#queue(address, 'remove');
      removed.push(`${address.text} on ${address.interface}`);
    }
    this.flush();
    return removed;
  }

  /** Removes the slot's addresses that stand on its link with another prefix length: a script's doing. */
  removeEntries(slot: number, present: readonly InterfaceAddress[]): void {
    for (const address of this.of(slot)) {
      for (const entry of present) {
        if (!isEntry(address, entry) || entry.prefix_length === address.request.prefix_length) continue;
        if (this.#batch.full) this.flush();
        this.#queueOther(address, entry);
      }
    }
    this.flush();
  }

  /** From now on the slot's addresses are another process's: they stay where they are. */
  leave(slot: number): void {
    for (const address of this.of(slot)) address.held = false;
  }

  /** Whether any address is on a link by our hand. */
  get anyHeld(): boolean {
    for (const address of this.#all.values()) if (address.held) return true;
    return false;
  }

  /** For status: what of this slot is on a link. */
  leases(slot: number): Lease[] {
    return this.of(slot)
      .filter((address) => address.held)
      .map(({ text, request, renewed_ns }) => ({ address: text, lease_s: request.lifetime_s ?? 0, renewed_ns }));
  }

  close(): void {
    this.#batch.close();
  }

  #hold(vhid: VhidSettings, text: string): HeldAddress {
    const carrier = carrierOf(vhid);
    const key = `${carrier}|${text}`;
    const known = this.#all.get(key);
    if (known) return known;
    const made = hold(vhid, text, this.#indexes.get(carrier) ?? 0, this.#lease_s);
    this.#all.set(key, made);
    return made;
  }

  #move(from: HeldAddress, to: HeldAddress, now_ns: number): void {
    this.#now_ns = now_ns;
    this.#queue(from, 'remove');
    this.#queue(to, 'add');
  }

  #queue(address: HeldAddress, what: Change): void {
    if (this.#batch.full) this.flush();
    if (what === 'remove') this.#batch.remove(address.request);
    else this.#batch.add(address.request);
    address.held = what !== 'remove';
    this.#queued.push(address);
    this.#changes.push(what);
  }

  #queueOther(address: HeldAddress, entry: InterfaceAddress): void {
    this.#batch.remove({ index: entry.index, bytes: entry.bytes, prefix_length: entry.prefix_length });
    this.#queued.push({ ...address, held: false });
    this.#changes.push('remove');
  }

  #settleOne(address: HeldAddress, change: Change, error: number): void {
    if (change === 'remove') {
      if (error === 0) address.removals += 1;
      else if (error !== EADDRNOTAVAIL && error !== ENODEV) {
        address.held = true;
        this.#report('remove', address, error);
      }
      return;
    }
    if (error === 0) address.renewed_ns = this.#now_ns;
    else {
      address.held = false;
      this.#report(change, address, error);
    }
  }

  #report(what: string, address: HeldAddress, error: number): void {
    this.#onError(`cannot ${what} ${address.text} on ${address.interface}: ${errnoName(error)}`);
  }
}

function hold(vhid: VhidSettings, text: string, index: number, lease_s: number): HeldAddress {
  const { dad = false } = vhid;
  const bytes = parseAddress(text);
  if (!bytes) throw new Error(`${text} is no IP address`);
  const prefix_length = bytes.length * 8;
  const deprecated = bytes.length === 16;
  const how = { noprefixroute: true, replace: true, deprecated, dad };
  const request = { index, bytes, prefix_length, lifetime_s: lease_s, ...how };
  const will = Uint8Array.of(prefix_length, ...bytes);
  return { text, interface: vhid.interface, will, request, held: false, removals: 0, renewed_ns: 0 };
}

/** Our own entry: also the prefix length is ours. */
function isSame(address: HeldAddress, other: InterfaceAddress): boolean {
  return other.prefix_length === address.request.prefix_length && isEntry(address, other);
}

function isEntry(address: HeldAddress, other: InterfaceAddress): boolean {
  if (other.index !== address.request.index || other.bytes.length !== address.request.bytes.length) return false;
  return other.bytes.every((byte, position) => byte === address.request.bytes[position]);
}
