/**
 * SHA-1 (FIPS 180-4, 6.1.2) one block at a time, without allocating: adverts are signed and checked on a thread that
 * must not make garbage, and HMAC keeps the chaining value of its key pads, which node:crypto cannot hand out.
 *
 *   chain: five words        block: 64 bytes
 *   compress(chain, block) turns chain into the value after that block
 */

export const BLOCK_BYTES = 64;
export const DIGEST_BYTES = 20;

const schedule = new Int32Array(80);

/** Takes `bytes[at .. at + 64)` into `chain`, in place. */
export function compress(chain: Int32Array, bytes: Uint8Array, at: number): void {
  for (let t = 0; t < 16; t++) {
    const i = at + 4 * t;
    schedule[t] = (bytes[i] << 24) | (bytes[i + 1] << 16) | (bytes[i + 2] << 8) | bytes[i + 3];
  }
  compressSchedule(chain);
}

/** Takes a last block into `chain`: of a message of `message_bytes` that ends with this digest, which fills no block. */
export function compressDigest(chain: Int32Array, digest: Int32Array, message_bytes: number): void {
  for (let t = 0; t < 5; t++) schedule[t] = digest[t];
  schedule[5] = 0x80000000;
  for (let t = 6; t < 15; t++) schedule[t] = 0;
  schedule[15] = message_bytes * 8;
  compressSchedule(chain);
}

/** The block is in the first 16 words of the schedule. */
function compressSchedule(chain: Int32Array): void {
  for (let t = 16; t < 80; t++) {
    const word = schedule[t - 3] ^ schedule[t - 8] ^ schedule[t - 14] ^ schedule[t - 16];
    schedule[t] = (word << 1) | (word >>> 31);
  }
  let a = chain[0] | 0;
  let b = chain[1] | 0;
  let c = chain[2] | 0;
  let d = chain[3] | 0;
  let e = chain[4] | 0;
  // the quarters differ in what mixes b, c and d, and in their constant; one loop that asked which costs a quarter more
  for (let t = 0; t < 20; t++) {
    const next = (((a << 5) | (a >>> 27)) + (((c ^ d) & b) ^ d) + e + schedule[t] + 0x5a827999) | 0;
    e = d;
    d = c;
    c = (b << 30) | (b >>> 2);
    b = a;
    a = next;
  }
  for (let t = 20; t < 40; t++) {
    const next = (((a << 5) | (a >>> 27)) + (b ^ c ^ d) + e + schedule[t] + 0x6ed9eba1) | 0;
    e = d;
    d = c;
    c = (b << 30) | (b >>> 2);
    b = a;
    a = next;
  }
  for (let t = 40; t < 60; t++) {
    const next = (((a << 5) | (a >>> 27)) + ((b & c) | ((b | c) & d)) + e + schedule[t] + 0x8f1bbcdc) | 0;
    e = d;
    d = c;
    c = (b << 30) | (b >>> 2);
    b = a;
    a = next;
  }
  for (let t = 60; t < 80; t++) {
    const next = (((a << 5) | (a >>> 27)) + (b ^ c ^ d) + e + schedule[t] + 0xca62c1d6) | 0;
    e = d;
    d = c;
    c = (b << 30) | (b >>> 2);
    b = a;
    a = next;
  }
  chain[0] += a;
  chain[1] += b;
  chain[2] += c;
  chain[3] += d;
  chain[4] += e;
}

export function startChain(chain: Int32Array): void {
  chain[0] = 0x67452301;
  chain[1] = 0xefcdab89;
  chain[2] = 0x98badcfe;
  chain[3] = 0x10325476;
  chain[4] = 0xc3d2e1f0;
}

export function copyChain(to: Int32Array, from: Int32Array): void {
  for (let i = 0; i < 5; i++) to[i] = from[i];
}

/** Writes the chaining value as 20 bytes, big-endian. */
export function writeChain(chain: Int32Array, out: Uint8Array, at: number): void {
  for (let i = 0; i < 5; i++) {
    const word = chain[i];
    out[at + 4 * i] = word >>> 24;
    out[at + 4 * i + 1] = word >>> 16;
    out[at + 4 * i + 2] = word >>> 8;
    out[at + 4 * i + 3] = word;
  }
}

/**
 * The end of a message, padded to whole blocks: `rest` (what did not fill a block), 0x80, zeros, and the length of
 * the whole message in bits.
 */
export function paddedTail(rest: Uint8Array, message_bytes: number): Uint8Array {
  const tail = new Uint8Array(Math.ceil((rest.length + 9) / BLOCK_BYTES) * BLOCK_BYTES);
  tail.set(rest);
  tail[rest.length] = 0x80;
  new DataView(tail.buffer).setUint32(tail.length - 4, message_bytes * 8);
  return tail;
}

/** The digest of a whole message, for set-up and tests. At most 512 MiB. */
export function sha1(message: Uint8Array): Uint8Array {
  const chain = new Int32Array(5);
  startChain(chain);
  const whole = message.length - (message.length % BLOCK_BYTES);
  for (let at = 0; at < whole; at += BLOCK_BYTES) compress(chain, message, at);
  const tail = paddedTail(message.subarray(whole), message.length);
  for (let at = 0; at < tail.length; at += BLOCK_BYTES) compress(chain, tail, at);
  const digest = new Uint8Array(DIGEST_BYTES);
  writeChain(chain, digest, 0);
  return digest;
}
