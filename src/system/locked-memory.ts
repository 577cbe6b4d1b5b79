/**
 * Keeps the program in memory: under pressure the kernel drops pages of files that it can read again, code among them, and a
 * real-time thread then waits for the disk. What was read once stays (mlock2(2), MLOCK_ONFAULT).
 *
 * Not mlockall(2): V8 gives pages of its heaps back with madvise(2), which the kernel refuses for locked ones, and V8 ends
 * the process at that.
 *
 *   /proc/self/maps   | begin-end r-xp offset device inode   /path |
 */
import { textByReference } from './arguments.ts';
import * as libc from './libc.ts';

const MLOCK_ONFAULT = 1;
const O_RDONLY_CLOEXEC = 0o2000000;
const PIECE_BYTES = 65536;
/** A process has some hundred lines of a hundred bytes. */
const MOST_PIECES = 64;
const EINTR = 4;

/** Locks the mappings of files that nobody writes; false where the system allows less than that (RLIMIT_MEMLOCK). */
export function lockProgram(): boolean {
  let all = true;
  for (const { begin, length } of fileMappings(readMaps())) {
    if (libc.mlock2(begin, length, MLOCK_ONFAULT) !== 0) all = false;
  }
  return all;
}

/** Of private mappings, those that are read or executed only. */
export function fileMappings(maps: string): { readonly begin: number; readonly length: number }[] {
  const lines = maps.matchAll(/^([0-9a-f]+)-([0-9a-f]+) r-[x-]p \S+ \S+ [1-9]\d* +\//gm);
  return [...lines].map(([, begin, end]) => {
    const from = Number.parseInt(begin, 16);
    return { begin: from, length: Number.parseInt(end, 16) - from };
  });
}

function readMaps(): string {
  const fd = libc.open(textByReference('/proc/self/maps'), O_RDONLY_CLOEXEC, 0);
  if (fd < 0) return '';
  const buffer = libc.allocatePinned(PIECE_BYTES);
  const pieces: Uint8Array[] = [];
  while (pieces.length < MOST_PIECES) {
    const length = libc.read(fd, buffer.address, PIECE_BYTES);
    if (length > 0) pieces.push(buffer.bytes.slice(0, length));
    else if (length === 0 || libc.errno() !== EINTR) break;
  }
  libc.close(fd);
  libc.munmap(buffer.address, PIECE_BYTES);
  return pieces.map((piece) => new TextDecoder().decode(piece)).join('');
}
