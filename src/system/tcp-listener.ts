/** Listening TCP sockets. Several may share one address and port (SO_REUSEPORT): one for each data thread. */
import type { TcpSettings } from '../config/model-tcp.ts';
import {
  AF_INET,
  AF_INET6,
  IP_FREEBIND,
  IP_TRANSPARENT,
  IPPROTO_IP,
  IPPROTO_IPV6,
  IPPROTO_TCP,
  IPV6_FREEBIND,
  IPV6_TRANSPARENT,
  IPV6_V6ONLY,
  SO_REUSEADDR,
  SO_REUSEPORT,
  SOCK_CLOEXEC,
  SOCK_STREAM,
  SOL_SOCKET,
  TCP_FASTOPEN,
  TCP_NODELAY,
} from './abi/linux.ts';
import { byReference } from './arguments.ts';
import { check, SystemError } from './errors.ts';
import * as libc from './libc.ts';
import { socketAddressBytes } from './socket-address.ts';
import { setOption, setTcpOptions } from './tcp-options.ts';

export type ListenOptions = {
  readonly address: string;
  readonly port: number;
  readonly backlog: number;
  /** The address may be on another machine now: a VIP (IP_FREEBIND). */
  readonly freebind: boolean;
  readonly tcp?: TcpSettings;
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
    setReach(fd, v6, options.freebind, options.tcp);
    if (options.tcp?.fast_open) enable(fd, IPPROTO_TCP, TCP_FASTOPEN, options.backlog);
    if (options.tcp && !setTcpOptions(fd, options.tcp)) throw new SystemError('a socket option', libc.errno());
    check(libc.bind(fd, byReference(address), address.length), 'bind');
    check(libc.listen(fd, options.backlog), 'listen');
    return fd;
  } catch (error) {
    libc.close(fd);
    throw error;
  }
}

type Reach = Pick<TcpSettings, 'takes_ipv4' | 'transparent'>;

/** Which clients a socket on such an address gets, and whether the address must be here. Throws SystemError. */
export function setReach(fd: number, v6: boolean, freebind: boolean, reach?: Reach): void {
  // said in both cases: a sysctl decides otherwise
  if (v6) enable(fd, IPPROTO_IPV6, IPV6_V6ONLY, reach?.takes_ipv4 ? 0 : 1);
  const level = v6 ? IPPROTO_IPV6 : IPPROTO_IP;
  // IP_TRANSPARENT needs a right, and what follows does for addresses that are only not here
  if (reach?.transparent && setOption(fd, level, v6 ? IPV6_TRANSPARENT : IP_TRANSPARENT, 1)) return;
  if (freebind || reach?.transparent) enable(fd, level, v6 ? IPV6_FREEBIND : IP_FREEBIND);
}

function enable(fd: number, level: number, name: number, value = 1): void {
  if (!setOption(fd, level, name, value)) throw new SystemError(`socket option ${name}`, libc.errno());
}
