/** How big a reactor is, and who wakes it. */
import type { BufferCounts } from './buffers.ts';

export type ReactorOptions = BufferCounts & {
  /** Sockets at once. */
  readonly socket_count: number;
  /** An eventfd; what is written to it ends a wait and calls `onWake`. The caller closes it. */
  readonly wake_fd: number;
  readonly onWake: () => void;
};

export const DEFAULT_COUNTS: BufferCounts & { socket_count: number } = {
  small_count: 16_384, // address space: memory is taken when a buffer is first used
  large_count: 512,
  reserve: 1024,
  pipe_count: 256,
  socket_count: 65536,
};
