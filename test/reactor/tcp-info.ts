/** What the kernel counts of a connection: tcp(7) "TCP_INFO". */
import assert from 'node:assert/strict';
import { IPPROTO_TCP } from '#src/system/abi/linux.js';
import * as libc from '#src/system/libc.js';

const TCP_INFO = 11;
const INFO_BYTES = 192;
/** tcpi_segs_out and tcpi_segs_in, in words. */
const SENT = 34;
const RECEIVED = 35;

export function packetsSent(fd: number): number {
  return wordOf(fd, SENT);
}

export function packetsReceived(fd: number): number {
  return wordOf(fd, RECEIVED);
}

function wordOf(fd: number, at: number): number {
  const memory = libc.allocatePinned(INFO_BYTES + 4);
  memory.words[INFO_BYTES / 4] = INFO_BYTES;
  assert.equal(libc.getsockopt(fd, IPPROTO_TCP, TCP_INFO, memory.address, memory.address + INFO_BYTES), 0);
  const word = memory.words[at]!;
  libc.munmap(memory.address, INFO_BYTES + 4);
  return word;
}
