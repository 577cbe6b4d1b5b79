/**
 * Which back end a thread gets: io_uring where the kernel allows it, else epoll. CARPOOL_REACTOR=ring|epoll decides by force.
 */
import { EFD_CLOEXEC } from '../system/abi/linux.ts';
import * as libc from '../system/libc.ts';
import { EpollReactor } from './epoll.ts';
import type { ReactorOptions } from './options.ts';
import type { Reactor } from './reactor.ts';
import { RingReactor } from './ring.ts';
import { RingRefused } from './ring-memory.ts';

export type Choice = { readonly reactor: Reactor; readonly reason: string };

/** Throws RingRefused when `ring` is forced and the kernel refuses. The reason is for the log. */
export function chooseReactor(options: ReactorOptions, forced: string | undefined): Choice {
  if (forced === 'epoll') return { reactor: new EpollReactor(options), reason: 'CARPOOL_REACTOR says so' };
  if (forced === 'ring') return { reactor: new RingReactor(options), reason: 'CARPOOL_REACTOR says so' };
  try {
    return { reactor: new RingReactor(options), reason: 'the kernel allows io_uring' };
  } catch (error) {
    if (!(error instanceof RingRefused)) throw error;
    return { reactor: new EpollReactor(options), reason: `the kernel refuses io_uring (${error.message})` };
  }
}

/** What the kernel says when it is asked for io_uring and refuses, such as `io_uring_setup: EPERM`; undefined when it allows it. */
export function refusalOfRing(): string | undefined {
  const wake_fd = libc.eventfd(0, EFD_CLOEXEC);
  try {
    const counts = { small_count: 16, large_count: 1, reserve: 0, pipe_count: 0, socket_count: 4 };
    new RingReactor({ ...counts, wake_fd, onWake: () => {} }).destroy();
    return undefined;
  } catch (error) {
    if (error instanceof RingRefused) return error.message;
    throw error;
  } finally {
    libc.close(wake_fd);
  }
}
