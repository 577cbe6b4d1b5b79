/**
 * Who may speak for a vhid: HMAC-SHA1 (RFC 2104) over what the nodes of a vhid must share.
 *
 *   ┌────┬────┬──────┬───────────────────┬────────────────────┬───────────┐
 *   │0x02│0x01│ vhid │ IPv4 VIPs, 4 each │ IPv6 VIPs, 16 each │ counter 8 │
 *   └────┴────┴──────┴───────────────────┴────────────────────┴───────────┘
 *    version type     sorted ascending; link-locals with their scope bytes (2, 3) zeroed, or left out
 *
 * advskew, advbase and the sender's address are NOT covered: a digest says "same password and same VIPs", no more.
 * Only the counter changes from advert to advert, so everything before it is compressed once, with the key's pads:
 * a message with up to ten IPv4 VIPs costs two compressions.
 */
import { isLinkLocal, parseAddress } from './address.ts';
import type { AlsoAccept } from './events.ts';
import {
  BLOCK_BYTES,
  compress,
  compressDigest,
  copyChain,
  DIGEST_BYTES,
  paddedTail,
  startChain,
  writeChain,
} from './sha1.ts';

/** Everything of one HMAC that does not depend on the counter. */
export type Digest = {
  /** After the inner pad and every whole block before the counter. */
  readonly inner: Int32Array;
  /** After the outer pad. */
  readonly outer: Int32Array;
  /** What follows, padded; the counter's 8 bytes are written at `counter_at` each time. */
  readonly tail: Uint8Array;
  readonly counter_at: number;
};

/** One digest for sending; all the ways to compose the same VIPs that some implementation uses, for receiving. */
export type Auth = { readonly sent: Digest; readonly accepted: readonly Digest[] };

export type AuthSettings = {
  readonly key: Uint8Array;
  readonly vhid: number;
  readonly addresses: readonly string[];
  /** `list`: as configured (FreeBSD of 2005/06); everybody else sorts. */
  readonly order: 'sorted' | 'list';
  /** FreeBSD and NetBSD hash link-local VIPs, OpenBSD sends without them (and accepts both). */
  readonly link_locals: boolean;
  /** Accepted as well, each in all those ways. */
  readonly also?: readonly AlsoAccept[];
};

const KEY_BYTES = 20;
const PASSWORD_BYTES = 19;
const encoder = new TextEncoder();

/** @throws RangeError on a key over 20 bytes or text that is no address: configuration checks both before. */
export function createAuth(settings: AuthSettings): Auth {
  const own = digestsOf(settings);
  const others = (settings.also ?? []).flatMap(({ key = settings.key, addresses = settings.addresses }) =>
    digestsOf({ ...settings, key, addresses }),
  );
  return { sent: own[0], accepted: [...own, ...others] };
}

/** The digest that such a node sends, then the others that it might send. */
function digestsOf(settings: AuthSettings): Digest[] {
  if (settings.key.length > KEY_BYTES) throw new RangeError(`a key of ${settings.key.length} bytes`);
  const addresses = settings.addresses.map(addressBytes);
  const ways = [compose(settings.vhid, addresses, settings.order, settings.order, settings.link_locals)];
  for (const order4 of ['sorted', 'list'] as const)
    for (const order6 of ['sorted', 'list'] as const)
      for (const link_locals of [true, false])
        ways.push(compose(settings.vhid, addresses, order4, order6, link_locals));
  return distinct(ways).map((prefix) => createDigest(settings.key, prefix));
}

/** The key that BSD's ifconfig makes of a password: its first 19 bytes in UTF-8. */
export function passwordKey(password: string): Uint8Array {
  return encoder.encode(password).subarray(0, PASSWORD_BYTES);
}

function addressBytes(text: string): Uint8Array {
  const bytes = parseAddress(text);
  if (!bytes) throw new RangeError(`not an address: ${text}`);
  if (isLinkLocal(bytes)) bytes.fill(0, 2, 4);
  return bytes;
}

type Order = 'sorted' | 'list';

/** The hashed bytes before the counter. */
function compose(
  vhid: number,
  addresses: Uint8Array[],
  order4: Order,
  order6: Order,
  link_locals: boolean,
): Uint8Array {
  const used = link_locals ? addresses : addresses.filter((address) => !isLinkLocal(address));
  const four = used.filter((address) => address.length === 4);
  const six = used.filter((address) => address.length === 16);
  const ordered = [...inOrder(four, order4), ...inOrder(six, order6)];
  return Uint8Array.from([2, 1, vhid, ...ordered.flatMap((address) => [...address])]);
}

/** Sorting implementations hash a duplicate once. */
function inOrder(addresses: Uint8Array[], order: Order): Uint8Array[] {
  return order === 'list' ? addresses : distinct([...addresses].sort(compareBytes));
}

function distinct(all: Uint8Array[]): Uint8Array[] {
  return all.filter((one, position) => all.findIndex((other) => compareBytes(one, other) === 0) === position);
}

function compareBytes(a: Uint8Array, b: Uint8Array): number {
  for (let i = 0; i < Math.min(a.length, b.length); i++) if (a[i] !== b[i]) return a[i] - b[i];
  return a.length - b.length;
}

function createDigest(key: Uint8Array, prefix: Uint8Array): Digest {
  const whole = prefix.length - (prefix.length % BLOCK_BYTES);
  const inner = padChain(key, 0x36);
  for (let at = 0; at < whole; at += BLOCK_BYTES) compress(inner, prefix, at);
  const counter_at = prefix.length - whole;
  const rest = new Uint8Array(counter_at + 8);
  rest.set(prefix.subarray(whole));
  return { inner, outer: padChain(key, 0x5c), tail: paddedTail(rest, BLOCK_BYTES + prefix.length + 8), counter_at };
}

function padChain(key: Uint8Array, pad: number): Int32Array {
  const block = new Uint8Array(BLOCK_BYTES).fill(pad);
  for (const [position, byte] of key.entries()) block[position] ^= byte;
  const chain = new Int32Array(5);
  startChain(chain);
  compress(chain, block, 0);
  return chain;
}

const inner = new Int32Array(5);
const outer = new Int32Array(5);
const expected = new Uint8Array(DIGEST_BYTES);

/** Writes the 20 bytes of the HMAC for this counter (two unsigned 32-bit words) to `out[at ..]`. */
export function sign(digest: Digest, counter_high: number, counter_low: number, out: Uint8Array, at: number): void {
  writeWord(digest.tail, digest.counter_at, counter_high);
  writeWord(digest.tail, digest.counter_at + 4, counter_low);
  copyChain(inner, digest.inner);
  for (let i = 0; i < digest.tail.length; i += BLOCK_BYTES) compress(inner, digest.tail, i);
  copyChain(outer, digest.outer);
  compressDigest(outer, inner, BLOCK_BYTES + DIGEST_BYTES);
  writeChain(outer, out, at);
}

/** Whether one of the accepted ways gives this HMAC. */
export function verify(auth: Auth, counter_high: number, counter_low: number, hmac: Uint8Array): boolean {
  for (let i = 0; i < auth.accepted.length; i++) {
    sign(auth.accepted[i], counter_high, counter_low, expected, 0);
    if (sameDigest(hmac)) return true;
  }
  return false;
}

/** Looks at every byte always, so that timing says nothing about how many were right. */
function sameDigest(hmac: Uint8Array): boolean {
  let difference = 0;
  for (let i = 0; i < DIGEST_BYTES; i++) difference |= expected[i] ^ hmac[i];
  return difference === 0;
}

function writeWord(out: Uint8Array, at: number, word: number): void {
  out[at] = word >>> 24;
  out[at + 1] = word >>> 16;
  out[at + 2] = word >>> 8;
  out[at + 3] = word;
}
