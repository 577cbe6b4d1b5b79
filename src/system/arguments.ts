import { allocatePinned } from './libc.ts';

const LENGTH = 4096;
const scratch = allocatePinned(LENGTH);
let used = 0;

/**
 * The address of a copy of `value`, for a system call that reads it during the call. The copy stands in memory that
 * the garbage collector does not know, so nothing can free it between taking the address and making the call.
 * At most 1024 bytes; the last few copies stay valid.
 */
export function byReference(value: NodeJS.ArrayBufferView): number {
  const bytes = new Uint8Array(value.buffer, value.byteOffset, value.byteLength);
  if (bytes.length > LENGTH / 4) throw new RangeError(`${bytes.length} bytes are too many to pass by reference`);
  if (used + bytes.length > LENGTH) used = 0;
  const at = used;
  scratch.bytes.set(bytes, at);
  used += (bytes.length + 7) & ~7;
  return scratch.address + at;
}

/** The address of a NUL-terminated copy of `text`, under the same rules. */
export function textByReference(text: string): number {
  return byReference(new TextEncoder().encode(`${text}\0`));
}
