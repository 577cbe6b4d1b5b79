/**
 * Whether a `bind` will work, found out before anything starts: a plain bind(2), without SO_REUSEPORT, so that
 * another program's socket (even one that shares its port) is noticed. On a VIP, which may be elsewhere now, IP_FREEBIND.
 */
import { isIPv6 } from 'node:net';
import type { Diagnostic } from '../config/diagnostic.ts';
import type { Bind, Config } from '../config/model.ts';
import { isUnixAddress } from '../config/values.ts';
import { AF_INET, AF_INET6, SO_REUSEADDR, SOCK_CLOEXEC, SOCK_STREAM, SOL_SOCKET } from '../system/abi/linux.ts';
import { byReference } from '../system/arguments.ts';
import { SystemError } from '../system/errors.ts';
import * as libc from '../system/libc.ts';
import { socketAddressBytes } from '../system/socket-address.ts';
import { setReach } from '../system/tcp-listener.ts';

/** Only those that `wanted` says. */
export function probeBinds(config: Config, wanted: (bind: Bind) => boolean = () => true): readonly Diagnostic[] {
  const vips = new Set(config.carps.flatMap((carp) => carp.addresses.map(({ address }) => address)));
  const binds = config.frontends
    .flatMap((frontend) => frontend.binds)
    .filter(isTcpPort)
    .filter(wanted);
  return binds.flatMap((bind) => {
    const code = probe(bind, vips.has(bind.endpoint.address));
    return code === undefined ? [] : [describe(bind, code)];
  });
}

/** Other sockets have one owner, so that opening them tells. */
function isTcpPort({ inherited_fd, endpoint }: Bind): boolean {
  return inherited_fd === undefined && !isUnixAddress(endpoint.address);
}

/** The errno's name, or undefined when the address is free. */
function probe({ endpoint, tcp }: Bind, freebind: boolean): string | undefined {
  const v6 = isIPv6(endpoint.address);
  const fd = libc.socket(v6 ? AF_INET6 : AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return libc.errnoName(libc.errno());
  try {
    setOption(fd, SOL_SOCKET, SO_REUSEADDR); // connections of an earlier daemon in TIME_WAIT are no obstacle
    setReach(fd, v6, freebind, tcp);
    const address = socketAddressBytes(endpoint);
    if (libc.bind(fd, byReference(address), address.length) === 0) return undefined;
    return libc.errnoName(libc.errno());
  } finally {
    libc.close(fd);
  }
}

function setOption(fd: number, level: number, name: number): void {
  if (libc.setsockopt(fd, level, name, byReference(Int32Array.of(1)), 4) !== 0) {
    throw new SystemError(`socket option ${name}`, libc.errno());
  }
}

function describe(bind: Bind, code: string): Diagnostic {
  const { address, port } = bind.endpoint;
  const place = `${isIPv6(address) ? `[${address}]` : address}:${port}`;
  const base = { severity: 'error', span: bind.span } as const;
  if (code === 'EADDRINUSE') {
    const message = `Another program already listens on ${place}.`;
    const mend = `"ss -ltnp sport = :${port}" names it; stop it, or choose another port.`;
    return { ...base, code: 'port-in-use', message, mend };
  }
  if (code === 'EACCES') {
    const message = `This user may not listen on port ${port}.`;
    const mend = 'Run carpool as root or with CAP_NET_BIND_SERVICE, or choose a port from 1024 on.';
    return { ...base, code: 'port-forbidden', message, mend };
  }
  if (code === 'EADDRNOTAVAIL') {
    const message = `This host has no address ${address}, and no carp section brings it here.`;
    const mend = `Bind an address of this host, or write "address ${address}/LENGTH" in a carp section.`;
    return { ...base, code: 'address-not-here', message, mend };
  }
  return { ...base, code: 'cannot-bind', message: `The system refuses to listen on ${place} (${code}).` };
}
