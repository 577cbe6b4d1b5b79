/** How one data thread wakes another: by a write to the eventfd that stands in its row of shared memory. */
import * as libc from '../system/libc.ts';
import * as shared from '../threads/shared-memory.ts';

export class Doorbell {
  private readonly memory: shared.SharedMemory;
  private readonly one = libc.allocatePinned(8);

  constructor(memory: shared.SharedMemory) {
    this.memory = memory;
    this.one.words[0] = 1;
  }

  /** `thread` is its number in shared memory. One that does not run is not there to be woken. */
  ring(thread: number): void {
    const at = shared.threadAt(this.memory, thread);
    const fd = Atomics.load(this.memory.words, at + shared.THREAD_WAKE_FD);
    if (fd > 0) libc.write(fd, this.one.address, 8);
  }

  destroy(): void {
    libc.munmap(this.one.address, 8);
  }
}
