/**
 * The listening descriptors of the process: for each `bind` one per data thread. A reload keeps those whose address and port
 * are in the new configuration too, and opens the others. TCP ports are shared by SO_REUSEPORT, other sockets are duplicated.
 */
import type { Bind, Config } from '../config/model.ts';
import { isUnixAddress } from '../config/values.ts';
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
  const binds = config.frontends.flatMap((listening, frontend) =>
    listening.binds.map((bind, index) => ({ bind, index, frontend })),
  );
  // those of threads that a reload ends go to the others: whoever waits in the kernel for one of them is served
  const free = earlier.sockets.map((socket) => ({ ...socket, thread: threads === 0 ? -1 : socket.thread % threads }));
  const own = new Set(earlier.sockets.filter(({ thread }) => thread < threads).map(({ fd }) => fd));
  const sockets: ListeningSocket[] = [];
  const opened: number[] = [];
  const takeOwn = (place: string, thread: number): number | undefined => {
    const index = free.findIndex((socket) => socket.place === place && socket.thread === thread && own.has(socket.fd));
    return index < 0 ? undefined : free.splice(index, 1)[0].fd;
  };
  const by_thread: OpenListener[][] = Array.from({ length: threads }, () => []);
  const give = (fd: number, thread: number, { bind, index, frontend }: (typeof binds)[number]): void => {
    sockets.push({ fd, thread, place: placeOf(bind) });
    by_thread[thread].push({ frontend, bind: index, fd });
  };
  try {
    for (let thread = 0; thread < threads; thread++) {
      for (const each of binds) {
        const place = placeOf(each.bind);
        const kept = takeOwn(place, thread);
        if (kept !== undefined) {
          give(kept, thread, each);
          continue;
        }
        const like =
          shared.get(place) ?? (isShared(each.bind) ? sockets.find((socket) => socket.place === place)?.fd : undefined);
        const fd = open(each.bind, like, vips);
        opened.push(fd);
        give(fd, thread, each);
      }
    }
    for (const each of binds) {
      const place = placeOf(each.bind);
      for (let index = free.length - 1; index >= 0 && threads > 0; index--) {
        if (free[index].place === place) give(free[index].fd, free.splice(index, 1)[0].thread, each);
      }
    }
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

/** There is one of it for all threads, and each has a duplicate. */
function isShared({ endpoint, inherited_fd }: Bind): boolean {
  return inherited_fd !== undefined || isUnixAddress(endpoint.address);
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
