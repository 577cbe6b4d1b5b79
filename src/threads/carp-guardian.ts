/** The carp thread's end of the guardian's pipe: keeps the will up to date, before the address is there. */

import { ADDRESS, CLEAN, encodeRecord, FORGET, FRAME, LINK, MAX_RECORD, SETTINGS } from '../system/guardian-will.ts';
import * as libc from '../system/libc.ts';
import type { HeldAddress } from './carp-addresses.ts';

const NOTHING = new Uint8Array(0);

export class GuardianPipe {
  #fd: number;
  readonly #out = libc.allocatePinned(MAX_RECORD);
  readonly #onLost: () => void;

  /** `fd`: the writing end (non-blocking), or -1 for no guardian. */
  constructor(fd: number, onLost: () => void) {
    this.#fd = fd;
    this.#onLost = onLost;
  }

  get connected(): boolean {
    return this.#fd >= 0;
  }

  /** Another guardian, which knows nothing yet. */
  replace(fd: number): void {
    this.#drop();
    this.#fd = fd;
  }

  /** From now on: `addresses` of this vhid are to be deleted, and `frames` to be sent on link `index`, on a sudden death. */
  set(vhid: number, index: number, addresses: readonly HeldAddress[], frames: readonly Uint8Array[]): void {
    this.#write(FORGET, vhid, index, NOTHING);
    for (const address of addresses) this.#write(ADDRESS, vhid, address.request.index, address.will);
    for (const frame of frames) this.#write(FRAME, vhid, index, frame);
  }

  forget(vhid: number): void {
    this.#write(FORGET, vhid, 0, NOTHING);
  }

  /** A link of our own making, to be deleted on a sudden death. */
  addLink(index: number): void {
    this.#write(LINK, 0, index, NOTHING);
  }

  /** What link `index` had before we changed it. */
  addSettings(index: number, before: { readonly arp_ignore: number; readonly arp_announce: number }): void {
    this.#write(SETTINGS, 0, index, Uint8Array.of(before.arp_ignore, before.arp_announce));
  }

  /** The end of this thread. Unless everything was `undone` by ourselves, the guardian does the rest now. */
  close(undone: boolean): void {
    if (undone) this.#write(CLEAN, 0, 0, NOTHING);
    this.#drop();
  }

  #write(kind: number, vhid: number, index: number, bytes: Uint8Array): void {
    if (this.#fd < 0) return;
    const length = encodeRecord(this.#out.bytes, kind, vhid, index, bytes);
    if (libc.write(this.#fd, this.#out.address, length) === length) return;
    // EPIPE: it died. EAGAIN: it hangs, and half a will is worse than none.
    this.#drop();
    this.#onLost();
  }

  #drop(): void {
    if (this.#fd >= 0) libc.close(this.#fd);
    this.#fd = -1;
  }
}
