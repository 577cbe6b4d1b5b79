/**
 * Listening sockets of which there is one for all data threads: files (`bind /run/web.sock`), abstract names (`abns@web`), and
 * descriptors that the parent process left open (`fd@3`). TCP ports are different: each thread opens its own.
 */
import type { Diagnostic } from '../config/diagnostic.ts';
import type { Bind, Config } from '../config/model.ts';
import { isUnixAddress } from '../config/values.ts';
import { AF_UNIX, SOCK_CLOEXEC, SOCK_STREAM } from '../system/abi/linux.ts';
import { byReference } from '../system/arguments.ts';
import { check, SystemError } from '../system/errors.ts';
import { listeningAddress } from '../system/inherited-socket.ts';
import * as libc from '../system/libc.ts';
import { socketAddressBytes } from '../system/socket-address.ts';
import { DEFAULT_BACKLOG, placeOf } from '../threads/listeners.ts';
import { placeSocketFile } from './socket-file.ts';

export type SharedListeners = {
  /** With the addresses of inherited descriptors. */
  readonly config: Config;
  /** By place. Those that carpool opened are the caller's to close when each thread has its own. */
  readonly descriptors: ReadonlyMap<string, number>;
  readonly diagnostics: readonly Diagnostic[];
  closeOwn(): void;
};

/** Whatever is not `held` already. */
export function openShared(config: Config, held: ReadonlySet<string>): SharedListeners {
  const descriptors = new Map<string, number>();
  const own: number[] = [];
  const diagnostics: Diagnostic[] = [];
  const attempt = (bind: Bind, open: () => Bind): Bind => {
    try {
      return open();
    } catch (error) {
      diagnostics.push(describe(bind, error));
      return bind;
    }
  };
  const take = (bind: Bind): Bind => {
    const place = placeOf(bind);
    const fd = bind.inherited_fd;
    if (fd !== undefined)
      return attempt(bind, () => {
        const endpoint = listeningAddress(fd);
        descriptors.set(place, fd);
        return { ...bind, endpoint };
      });
    if (!isUnixAddress(bind.endpoint.address) || held.has(place)) return bind;
    return attempt(bind, () => {
      const opened = listenOn(bind);
      own.push(opened);
      descriptors.set(place, opened);
      return bind;
    });
  };
  const frontends = config.frontends.map((frontend) => ({ ...frontend, binds: frontend.binds.map(take) }));
  const closeOwn = () => {
    for (const fd of own.splice(0)) libc.close(fd);
  };
  return { config: { ...config, frontends }, descriptors, diagnostics, closeOwn };
}

/** Throws SystemError, or what the file system throws. */
function listenOn({ endpoint, backlog, mode, identity }: Bind): number {
  const fd = check(libc.socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), 'socket');
  const bindTo = (address: string) => {
    const bytes = socketAddressBytes({ address, port: 0 });
    check(libc.bind(fd, byReference(bytes), bytes.length), 'bind');
    check(libc.listen(fd, backlog ?? DEFAULT_BACKLOG), 'listen');
  };
  try {
    if (endpoint.address.startsWith('@')) bindTo(endpoint.address);
    else placeSocketFile(endpoint.address, { mode, identity }, bindTo);
    return fd;
  } catch (error) {
    libc.close(fd);
    throw error;
  }
}

function describe({ inherited_fd, endpoint, span }: Bind, error: unknown): Diagnostic {
  const base = { severity: 'error', span } as const;
  const why = error instanceof SystemError ? error.code : ((error as NodeJS.ErrnoException).code ?? String(error));
  if (inherited_fd === undefined) {
    const message = `The system refuses to listen on ${endpoint.address} (${why}).`;
    return { ...base, code: 'cannot-bind', message };
  }
  const message = `Descriptor ${inherited_fd} is not a listening socket (${why}).`;
  const mend = '`fd@N` is for a socket that the program which starts carpool has opened.';
  return { ...base, code: 'no-such-descriptor', message, mend };
}
