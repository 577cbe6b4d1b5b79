/** Where the balancers' log lines go: a UDP port that nobody reads, so that only those who write them pay for them. */
import { AF_INET, SOCK_CLOEXEC, SOCK_DGRAM } from '#src/system/abi/linux.js';
import * as libc from '#src/system/libc.js';

const SOCKADDR_BYTES = 16;

export type LogSink = {
  readonly port: number;
  /** Whether a line has come; the first few stay in the kernel, the rest is dropped there. */
  readonly lineArrived: () => boolean;
  readonly close: () => void;
};

/** Throws when the system gives no socket. */
export function openLogSink(): LogSink {
  const memory = libc.allocatePinned(64);
  const view = new DataView(memory.bytes.buffer);
  view.setUint16(0, AF_INET, true);
  view.setUint32(4, 0x7f000001);
  const fd = libc.socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (fd < 0 || libc.bind(fd, memory.address, SOCKADDR_BYTES) < 0) {
    throw new Error(`a port for log lines: ${libc.errnoName(libc.errno())}`);
  }
  memory.words[4] = SOCKADDR_BYTES;
  libc.getsockname(fd, memory.address, memory.address + 16);
  return {
    port: view.getUint16(2),
    lineArrived: () => libc.recv(fd, memory.address + 32, 16, 0x40) > 0,
    close: () => {
      libc.close(fd);
      libc.munmap(memory.address, 64);
    },
  };
}
