/**
 * Which back end a thread gets: io_uring where the kernel allows it, else epoll. CARPOOL_REACTOR=ring|epoll decides by force.
 */
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
    return { reactor: new EpollReactor(options), reason: error.message };
  }
}
