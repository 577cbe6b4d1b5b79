/** How the control thread wakes a thread that blocks in the kernel: an eventfd that the thread waits for, too. */
import { EFD_CLOEXEC, EFD_NONBLOCK } from '../system/abi/linux.ts';
import { check } from '../system/errors.ts';
import * as libc from '../system/libc.ts';

export type WakeUp = {
  readonly fd: number;
  wake(): void;
  /** After the thread's end: from then on the number may be somebody else's descriptor, so `wake` does nothing. */
  close(): void;
};

/** The 64-bit number that is written, in either byte order not 0. */
const ONE = libc.allocatePinned(8);
ONE.words[0] = 1;

export function createWakeUp(): WakeUp {
  const fd = check(libc.eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK), 'eventfd');
  let open = true;
  return {
    fd,
    wake() {
      if (open) libc.write(fd, ONE.address, 8);
    },
    close() {
      open = false;
      libc.close(fd);
    },
  };
}
