/**
 * A descriptor with a line of text to another process, over a connected unix stream socket (unix(7), SCM_RIGHTS).
 *
 *   msghdr   | name 8 | length 4+4 | iovec * 8 | count 8 | control * 8 | its length 8 | flags 4+4 |   56 bytes
 *   iovec    | base 8 | length 8 |
 *   cmsghdr  | length 8 | level 4 | type 4 | descriptor 4+4 |                                         24 bytes
 */
import * as libc from './libc.ts';

const SOL_SOCKET = 1;
const SCM_RIGHTS = 1;
const MSG_FLAGS = 0x4000; // MSG_NOSIGNAL
const MSG_CMSG_CLOEXEC = 0x40000000;
const IOVEC = 56;
const CONTROL = 72;
const TEXT = 96;
const TEXT_BYTES = 512;
const CONTROL_LENGTH = 20;
const CONTROL_SPACE = 24;

const room = libc.allocatePinned(TEXT + TEXT_BYTES);
const view = new DataView(room.bytes.buffer, room.bytes.byteOffset, room.bytes.byteLength);

/** False: it could not be sent. `fd` -1 sends the text alone. */
export function sendDescriptor(socket: number, text: string, fd: number): boolean {
  const bytes = new TextEncoder().encode(text);
  prepare(bytes.length, fd >= 0 ? CONTROL_SPACE : 0);
  room.bytes.set(bytes, TEXT);
  if (fd >= 0) {
    view.setBigUint64(CONTROL, BigInt(CONTROL_LENGTH), true);
    view.setInt32(CONTROL + 8, SOL_SOCKET, true);
    view.setInt32(CONTROL + 12, SCM_RIGHTS, true);
    view.setInt32(CONTROL + 16, fd, true);
  }
  return libc.sendmsg(socket, room.address, MSG_FLAGS) === bytes.length;
}

/** What one `sendDescriptor` sent; undefined at the end or when nothing comes in time. `fd` -1: text alone. */
export function receiveDescriptor(socket: number): { text: string; fd: number } | undefined {
  prepare(TEXT_BYTES, CONTROL_SPACE);
  const length = libc.recvmsg(socket, room.address, MSG_CMSG_CLOEXEC);
  if (length <= 0) return undefined;
  const text = new TextDecoder().decode(room.bytes.slice(TEXT, TEXT + length));
  const came =
    Number(view.getBigUint64(40, true)) >= CONTROL_LENGTH && view.getInt32(CONTROL + 12, true) === SCM_RIGHTS;
  return { text, fd: came ? view.getInt32(CONTROL + 16, true) : -1 };
}

function prepare(text_length: number, control_length: number): void {
  room.bytes.fill(0, 0, TEXT);
  view.setBigUint64(16, BigInt(room.address + IOVEC), true);
  view.setBigUint64(24, 1n, true);
  view.setBigUint64(32, BigInt(control_length > 0 ? room.address + CONTROL : 0), true);
  view.setBigUint64(40, BigInt(control_length), true);
  view.setBigUint64(IOVEC, BigInt(room.address + TEXT), true);
  view.setBigUint64(IOVEC + 8, BigInt(text_length), true);
}
