/** Options of TCP sockets that people set. What a listener has, the sockets that it accepts have too (tcp(7), socket(7)). */
import type { KeepAlive, TcpSettings } from '../config/model-tcp.ts';
import {
  IP_BIND_ADDRESS_NO_PORT,
  IPPROTO_IP,
  IPPROTO_TCP,
  SO_BINDTODEVICE,
  SO_KEEPALIVE,
  SOL_SOCKET,
  TCP_DEFER_ACCEPT,
  TCP_KEEPCNT,
  TCP_KEEPIDLE,
  TCP_KEEPINTVL,
  TCP_MAXSEG,
  TCP_USER_TIMEOUT,
} from './abi/linux.ts';
import { byReference } from './arguments.ts';
import * as libc from './libc.ts';
import { socketAddressBytes } from './socket-address.ts';

/** For how long a client may be silent that is not accepted for that. */
const DEFER_S = 1;

/** False: the system refuses one (errno). */
export function setTcpOptions(fd: number, options: TcpSettings): boolean {
  const { user_timeout_ms, keep_alive, mss, defer_accept } = options;
  return (
    (options.interface === undefined || bindToInterface(fd, options.interface)) &&
    (user_timeout_ms === undefined || setOption(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, user_timeout_ms)) &&
    (mss === undefined || setOption(fd, IPPROTO_TCP, TCP_MAXSEG, mss)) &&
    (!defer_accept || setOption(fd, IPPROTO_TCP, TCP_DEFER_ACCEPT, DEFER_S)) &&
    (keep_alive === undefined || setKeepAlive(fd, keep_alive))
  );
}

function setKeepAlive(fd: number, { count, idle_s, interval_s }: KeepAlive): boolean {
  return (
    setOption(fd, SOL_SOCKET, SO_KEEPALIVE, 1) &&
    (count === undefined || setOption(fd, IPPROTO_TCP, TCP_KEEPCNT, count)) &&
    (idle_s === undefined || setOption(fd, IPPROTO_TCP, TCP_KEEPIDLE, idle_s)) &&
    (interval_s === undefined || setOption(fd, IPPROTO_TCP, TCP_KEEPINTVL, interval_s))
  );
}

/** The address that a connection will come from; port 0: any, chosen when it is known where it goes. */
function bindSource(fd: number, source: { readonly address: string; readonly port: number }): boolean {
  if (source.port === 0) setOption(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, 1); // else as many connections as there are ports
  const address = socketAddressBytes(source);
  return libc.bind(fd, byReference(address), address.length) === 0;
}

/** What `source` says of a connection that is to be made. */
export type Source = {
  readonly endpoint: { readonly address: string; readonly port: number } | undefined;
  readonly interface: string | undefined;
};

/** False: the system refuses it (errno). */
export function setSource(fd: number, { endpoint, interface: name }: Source): boolean {
  return (name === undefined || bindToInterface(fd, name)) && (endpoint === undefined || bindSource(fd, endpoint));
}

function bindToInterface(fd: number, name: string): boolean {
  const bytes = new TextEncoder().encode(`${name}\0`);
  return libc.setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, byReference(bytes), bytes.length) === 0;
}

/** False: the system refuses it (errno). */
export function setOption(fd: number, level: number, name: number, value: number): boolean {
  return libc.setsockopt(fd, level, name, byReference(Int32Array.of(value)), 4) === 0;
}
