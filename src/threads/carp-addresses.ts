/**
 * The VIPs of this node on its interfaces: adds, renews and removes them in batches, and tells an address that
 * somebody else removed (or whose lease ran out) from one that we removed.
 */

import type { VhidSettings } from '../carp/events.ts';
import { AddressBatch } from '../system/address-batch.ts';
import { parseAddress } from '../system/ip-address.ts';
import { errnoName } from '../system/libc.ts';
import type { InterfaceAddress, NewAddress } from '../system/netlink.ts';
import type { Lease } from './carp-messages.ts';

const EADDRNOTAVAIL = 99;
const ENODEV = 19;

/** One VIP. `request` is what the kernel is told, kept so that a renewal builds nothing. */
export type HeldAddress = {
  readonly text: string;
  readonly interface: string;
  /** The guardian's form: prefix length, then the address. */
  readonly will: Uint8Array;
  request: NewAddress;
  /** On the interface by our hand. */
  held: boolean;
  /** Removals of ours that the kernel has not reported yet. */
  removals: number;
  renewed_ns: number;
};

type Change = 'add' | 'renew' | 'remove';

export class CarpAddresses {
  /** Per vhid, in the order of its settings. */
  readonly vhids: readonly (readonly HeldAddress[])[];
  readonly #batch = new AddressBatch();
  readonly #queued: HeldAddress[] = [];
  readonly #changes: Change[] = [];
  readonly #onError: (text: string) => void;
  #now_ns = 0;

  constructor(vhids: readonly VhidSettings[], lease_s: number, onError: (text: string) => void) {
    this.vhids = vhids.map((vhid) => vhid.addresses.map((text) => hold(vhid.interface, text, lease_s)));
    this.#onError = onError;
  }

  /** The interface `name` has this index now (it may have been deleted and made again). */
  setIndex(name: string, index: number): void {
    for (const addresses of this.vhids) {
      for (const address of addresses) {
        if (address.interface !== name || address.request.index === index) continue;
        address.request = { ...address.request, index };
        address.held = false;
        address.removals = 0;
      }
    }
  }

  /** Queues a change of every address of a vhid; `flush` makes it so. */
  change(vhid: number, what: Change, now_ns: number): void {
    this.#now_ns = now_ns;
    for (const address of this.vhids[vhid]) {
      if (what === 'remove' && !address.held) continue;
      if (this.#batch.full) this.flush();
      if (what === 'remove') this.#batch.remove(address.request);
      else this.#batch.add(address.request);
      address.held = what !== 'remove';
      this.#queued.push(address);
      this.#changes.push(what);
    }
  }

  /** Carries out what is queued, in its order. */
  flush(): void {
    const count = this.#batch.flush();
    for (let position = 0; position < count; position++) {
      this.#settle(this.#queued[position], this.#changes[position], this.#batch.results[position]);
    }
    this.#queued.length = 0;
    this.#changes.length = 0;
  }

  /** Which vhid lost that address without our doing, or -1. `removed` comes from RTM_DELADDR. */
  onRemoved(removed: InterfaceAddress): number {
    for (const [vhid, addresses] of this.vhids.entries()) {
      for (const address of addresses) {
        if (!isSame(address, removed)) continue;
        if (address.removals > 0) {
          address.removals -= 1;
          return -1;
        }
        if (!address.held) return -1;
        address.held = false;
        return vhid;
      }
    }
    return -1;
  }

  /** After lost notifications: which held addresses the kernel's list does not have. */
  findMissing(present: readonly InterfaceAddress[]): { vhid: number; address: HeldAddress }[] {
    const missing: { vhid: number; address: HeldAddress }[] = [];
    for (const [vhid, addresses] of this.vhids.entries()) {
      for (const address of addresses) {
        address.removals = 0;
        if (!address.held || present.some((one) => isSame(address, one))) continue;
        address.held = false;
        missing.push({ vhid, address });
      }
    }
    return missing;
  }

  /** Removes VIPs that a killed instance left (a /32 is nobody's own address); returns them as text. */
  removeLeftovers(present: readonly InterfaceAddress[]): string[] {
    const removed: string[] = [];
    for (const addresses of this.vhids) {
      for (const address of addresses) {
        const left = present.some((one) => isSame(address, one) && one.prefix_length === address.request.prefix_length);
        if (!left) continue;
        if (this.#batch.full) this.flush();
        this.#batch.remove(address.request);
        this.#queued.push(address);
        this.#changes.push('remove');
        removed.push(`${address.text} on ${address.interface}`);
      }
    }
    this.flush();
    return removed;
  }

  /** Whether any address is on an interface by our hand. */
  get anyHeld(): boolean {
    return this.vhids.some((addresses) => addresses.some((address) => address.held));
  }

  /** For status: what of this vhid is on the interface. */
  leases(vhid: number): Lease[] {
    return this.vhids[vhid]
      .filter((address) => address.held)
      .map(({ text, request, renewed_ns }) => ({ address: text, lease_s: request.lifetime_s ?? 0, renewed_ns }));
  }

  close(): void {
    this.#batch.close();
  }

  #settle(address: HeldAddress, change: Change, error: number): void {
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
    const why = error < 0 ? 'the kernel gave no answer' : errnoName(error);
    this.#onError(`cannot ${what} ${address.text} on ${address.interface}: ${why}`);
  }
}

function hold(interface_name: string, text: string, lease_s: number): HeldAddress {
  const bytes = parseAddress(text);
  if (!bytes) throw new Error(`${text} is no IP address`);
  const prefix_length = bytes.length * 8;
  const request = { index: 0, bytes, prefix_length, lifetime_s: lease_s, noprefixroute: true, replace: true };
  const will = Uint8Array.of(prefix_length, ...bytes);
  return { text, interface: interface_name, will, request, held: false, removals: 0, renewed_ns: 0 };
}

function isSame(address: HeldAddress, other: InterfaceAddress): boolean {
  if (other.index !== address.request.index || other.bytes.length !== address.request.bytes.length) return false;
  return other.bytes.every((byte, position) => byte === address.request.bytes[position]);
}
