/** Listening TCP sockets. Several may share one address and port (SO_REUSEPORT): one for each data thread. */
import {
  AF_INET,
  AF_INET6,
  IP_FREEBIND,
  IPPROTO_IP,
  IPPROTO_IPV6,
  IPPROTO_TCP,
  IPV6_FREEBIND,
  IPV6_V6ONLY,
  SO_REUSEADDR,
  SO_REUSEPORT,
  SOCK_CLOEXEC,
  SOCK_STREAM,
  SOL_SOCKET,
  TCP_NODELAY,
} from './abi/linux.ts';
import { byReference } from './arguments.ts';
import { check, SystemError } from './errors.ts';
import * as libc from './libc.ts';
import { socketAddressBytes } from './socket-address.ts';
import { setTcpOptions, type TcpOptions } from './tcp-options.ts';

export type ListenOptions = {
  readonly address: string;
  readonly port: number;
  readonly backlog: number;
  /** The address may be on another machine now: a VIP (IP_FREEBIND). */
  readonly freebind: boolean;
  readonly tcp?: TcpOptions;
};

/** Returns the descriptor. Throws SystemError with bind's or listen's errno. */
export function openTcpListener(options: ListenOptions): number {
  const address = socketAddressBytes(options);
  const v6 = address.length !== 16;
  const fd = check(libc.socket(v6 ? AF_INET6 : AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), 'socket');
  try {
    enable(fd, SOL_SOCKET, SO_REUSEADDR);
    enable(fd, SOL_SOCKET, SO_REUSEPORT);
    enable(fd, IPPROTO_TCP, TCP_NODELAY); // accepted sockets inherit it
    if (v6) enable(fd, IPPROTO_IPV6, IPV6_V6ONLY);
    if (options.freebind) enable(fd, v6 ? IPPROTO_IPV6 : IPPROTO_IP, v6 ? IPV6_FREEBIND : IP_FREEBIND);
    if (options.tcp && !setTcpOptions(fd, options.tcp)) throw new SystemError('a socket option', libc.errno());
    check(libc.bind(fd, byReference(address), address.length), 'bind');
    check(libc.listen(fd, options.backlog), 'listen');
    return fd;
  } catch (error) {
    libc.close(fd);
    throw error;
  }
}

function enable(fd: number, level: number, name: number): void {
  if (libc.setsockopt(fd, level, name, byReference(Int32Array.of(1)), 4) !== 0) {
    throw new SystemError(`socket option ${name}`, libc.errno());
  }
}
