/**
 * What the daemon tells its guardian over the pipe: what to undo when the daemon dies. A stream of records:
 *
 *   0        2      4      8       12
 *   | length | kind | vhid | index | bytes …                       length counts the whole record
 *
 *   FORGET    this vhid's address and frames are forgotten
 *   ADDRESS   prefix length (1), address (4 or 16): delete it from interface `index`
 *   FRAME     an Ethernet frame: send it on interface `index` (the bow-out)
 *   LINK      delete the link `index`, a macvlan that the daemon made
 *   SETTINGS  arp_ignore (1), arp_announce (1): what link `index` had before the daemon changed it
 *   CLEAN     the daemon ends in order: nothing is to be done
 *
 * `vhid` is a position in the daemon's list, 0..65535; `index` the kernel's interface index.
 * Numbers are in the host's byte order. A record is at most 2 KiB, so that one write(2) is never split.
 */
import { LITTLE_ENDIAN } from './netlink-message.ts';

export const FORGET = 1;
export const ADDRESS = 2;
export const FRAME = 3;
export const CLEAN = 4;
export const LINK = 5;
export const SETTINGS = 6;

const HEADER_LENGTH = 12;
export const MAX_RECORD = 2048;

export type Will = {
  readonly vhid: number;
  readonly addresses: { readonly index: number; readonly prefix_length: number; readonly bytes: Uint8Array }[];
  readonly frames: { readonly index: number; readonly frame: Uint8Array }[];
};

/** Writes one record at the start of `into` and returns its length. */
export function encodeRecord(into: Uint8Array, kind: number, vhid: number, index: number, bytes: Uint8Array): number {
  const length = HEADER_LENGTH + bytes.length;
  if (length > MAX_RECORD) throw new RangeError(`a record of ${length} bytes`);
  const view = new DataView(into.buffer, into.byteOffset, into.byteLength);
  view.setUint16(0, length, LITTLE_ENDIAN);
  view.setUint16(2, kind, LITTLE_ENDIAN);
  view.setUint32(4, vhid, LITTLE_ENDIAN);
  view.setUint32(8, index, LITTLE_ENDIAN);
  into.set(bytes, HEADER_LENGTH);
  return length;
}

/** Folds the pipe's bytes, in whatever pieces they come, into what is to be done. */
export class WillReader {
  /** By vhid. */
  readonly wills = new Map<number, Will>();
  /** The indexes of links to delete. */
  readonly links = new Set<number>();
  /** By link: the settings to restore. */
  readonly settings = new Map<number, { readonly arp_ignore: number; readonly arp_announce: number }>();
  /** The daemon said CLEAN. */
  clean = false;
  #rest = new Uint8Array(0);

  push(chunk: Uint8Array): void {
    const bytes = new Uint8Array(this.#rest.length + chunk.length);
    bytes.set(this.#rest);
    bytes.set(chunk, this.#rest.length);
    const view = new DataView(bytes.buffer);
    let offset = 0;
    while (offset + HEADER_LENGTH <= bytes.length) {
      const length = view.getUint16(offset, LITTLE_ENDIAN);
      if (length < HEADER_LENGTH) throw new RangeError(`a record of ${length} bytes`);
      if (offset + length > bytes.length) break;
      const kind = view.getUint16(offset + 2, LITTLE_ENDIAN);
      const vhid = view.getUint32(offset + 4, LITTLE_ENDIAN);
      const index = view.getUint32(offset + 8, LITTLE_ENDIAN);
      this.#take(kind, vhid, index, bytes.slice(offset + HEADER_LENGTH, offset + length));
      offset += length;
    }
    this.#rest = bytes.slice(offset);
  }

  #take(kind: number, vhid: number, index: number, bytes: Uint8Array): void {
    if (kind === CLEAN) this.clean = true;
    if (kind === FORGET) this.wills.delete(vhid);
    if (kind === LINK) this.links.add(index);
    if (kind === SETTINGS) this.settings.set(index, { arp_ignore: bytes[0], arp_announce: bytes[1] });
    if (kind !== ADDRESS && kind !== FRAME) return;
    const will = this.wills.get(vhid) ?? { vhid, addresses: [], frames: [] };
    this.wills.set(vhid, will);
    if (kind === ADDRESS) will.addresses.push({ index, prefix_length: bytes[0], bytes: bytes.slice(1) });
    else will.frames.push({ index, frame: bytes });
  }
}
