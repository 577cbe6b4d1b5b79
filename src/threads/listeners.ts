/**
 * The listening descriptors of the process: for each `bind` one per data thread. A reload keeps those whose address and port
 * are in the new configuration too, and opens the others. TCP ports are shared by SO_REUSEPORT, other sockets are duplicated.
 */
import type { Bind, Config } from '../config/model.ts';
import type { OpenListener } from '../proxy/proxy-thread.ts';
import { F_DUPFD_CLOEXEC } from '../system/abi/linux.ts';
import { check } from '../system/errors.ts';
import * as libc from '../system/libc.ts';
import { openTcpListener } from '../system/tcp-listener.ts';

/** The kernel cuts this to net.core.somaxconn. */
export const DEFAULT_BACKLOG = 4096;

/** Where a descriptor listens, and which thread's it is. */
export type ListeningSocket = { readonly fd: number; readonly thread: number; readonly place: string };

export type ListenerSet = {
  /** One list a data thread, with the frontends' numbers. */
  readonly by_thread: readonly (readonly OpenListener[])[];
  readonly sockets: readonly ListeningSocket[];
  /** Those that the earlier set did not have. */
  readonly opened: readonly number[];
};

const NONE: ListenerSet = { by_thread: [], sockets: [], opened: [] };
const NOTHING_SHARED: ReadonlyMap<string, number> = new Map();

/**
 * Throws SystemError where the system refuses; then what was opened is closed again. `shared` has the sockets, by place, of which
 * all threads get a duplicate.
 */
export function openListeners(
  config: Config,
  threads: number,
  earlier: ListenerSet = NONE,
  shared: ReadonlyMap<string, number> = NOTHING_SHARED,
): ListenerSet {
  const vips = new Set(config.carps.flatMap((carp) => carp.addresses.map(({ address }) => address)));
  const free = [...earlier.sockets];
  const sockets: ListeningSocket[] = [];
  const opened: number[] = [];
  const take = (bind: Bind, thread: number): number => {
    const place = placeOf(bind);
    const kept = free.findIndex((socket) => socket.place === place && socket.thread === thread);
    const fd = kept >= 0 ? (free.splice(kept, 1)[0] as ListeningSocket).fd : open(bind, shared.get(place), vips);
    if (kept < 0) opened.push(fd);
    sockets.push({ fd, thread, place });
    return fd;
  };
  try {
    const by_thread = Array.from({ length: threads }, (_, thread) =>
      config.frontends.flatMap(({ binds }, frontend) =>
        binds.map((bind, index) => ({ frontend, bind: index, fd: take(bind, thread) })),
      ),
    );
    return { by_thread, sockets, opened };
  } catch (error) {
    for (const fd of opened) libc.close(fd);
    throw error;
  }
}

export function placeOf({ endpoint, inherited_fd }: Bind): string {
  if (inherited_fd !== undefined) return `fd@${inherited_fd}`;
  return `${endpoint.address} ${endpoint.port}`;
}

function open(bind: Bind, shared: number | undefined, vips: ReadonlySet<string>): number {
  if (shared !== undefined) return check(libc.fcntl(shared, F_DUPFD_CLOEXEC, 0), 'fcntl');
  const { address, port } = bind.endpoint;
  return openTcpListener({
    address,
    port,
    backlog: bind.backlog ?? DEFAULT_BACKLOG,
    freebind: vips.has(address),
    tcp: bind.tcp,
  });
}
