/**
 * crypt(3): whether a password is the one of a hash such as `$6$salt$hash`. What kinds of hashes there are is the C library's affair.
 * `crypt_r` keeps its state in memory of the caller's, so that threads do not meet in it.
 */
import koffi from 'koffi';

/** Where crypt(3) lives: a library of its own with glibc, the C library with musl. */
const LIBRARIES = ['libcrypt.so.1', 'libcrypt.so.2', 'libc.so', 'libc.so.6'];
/** The largest `struct crypt_data` that there is (glibc's, with DES tables). */
const STATE_BYTES = 131_232;

type Crypt = (password: string, hash: string, state: Uint8Array) => string | null;

let loaded: Crypt | null | undefined;
let state: Uint8Array | null = null;

/** Loads the library: before a chroot hides it. False: the host has none. */
export function hasCrypt(): boolean {
  loaded ??= LIBRARIES.reduce<Crypt | null>((found, name) => found ?? load(name), null);
  return loaded !== null;
}

/** The hash that crypt(3) makes with the salt of `hash`. Undefined: this host does not know such hashes. */
export function crypt(password: string, hash: string): string | undefined {
  if (!hasCrypt()) return undefined;
  state ??= new Uint8Array(STATE_BYTES);
  const made = (loaded as Crypt)(password, hash, state);
  // libxcrypt says `*0` or `*1` of a salt that it does not know
  return made === null || made.startsWith('*') ? undefined : made;
}

function load(name: string): Crypt | null {
  try {
    return koffi.load(name).func('crypt_r', 'str', ['str', 'str', 'void *']) as unknown as Crypt;
  } catch {
    return null;
  }
}
