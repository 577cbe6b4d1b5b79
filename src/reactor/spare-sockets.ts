/**
 * TCP sockets without a connection: those whose last one we reset, for the next one that is made. To disconnect a socket and
 * connect it anew costs the kernel less than to close it and make another.
 *
 *   connected ── reset ──▶ spare ── connect ──▶ connected
 */
import { AF_INET, AF_INET6, AF_UNSPEC, SOCK_CLOEXEC, SOCK_STREAM } from '../system/abi/linux.ts';
import * as libc from '../system/libc.ts';

/** Of each family; whoever comes beyond that is closed. */
const SPARE_SOCKETS = 64;
const ADDRESS_BYTES = 16;

export class SpareSockets {
  /** Of what `open` returned last: it has served before, and its options are still set. */
  used = false;
  /** epoll only: what `open` returned last is registered there, under a name that means nothing any more. */
  registered = false;
  private readonly ipv4: number[] = [];
  private readonly ipv6: number[] = [];
  /** Those of them that are registered with epoll. */
  private readonly known = new Set<number>();
  private readonly nowhere = libc.allocatePinned(ADDRESS_BYTES);

  constructor() {
    this.nowhere.words[0] = AF_UNSPEC;
  }

  /** The peer gets RST. False: the descriptor is still the caller's, and connected as before. */
  disconnect(fd: number, family: number, registered: boolean): boolean {
    const spare = this.of(family);
    if (!spare || spare.length >= SPARE_SOCKETS) return false;
    if (libc.connect(fd, this.nowhere.address, ADDRESS_BYTES) < 0) return false;
    spare.push(fd);
    if (registered) this.known.add(fd);
    return true;
  }

  /** A spare one if `any_would_do`, else a new one of `flags`; below 0: errno tells why there is none. */
  open(family: number, flags: number, any_would_do: boolean): number {
    const spare = any_would_do ? (this.of(family)?.pop() ?? -1) : -1;
    this.used = spare >= 0;
    this.registered = this.used && this.known.delete(spare);
    return this.used ? spare : libc.socket(family, SOCK_STREAM | SOCK_CLOEXEC | flags, 0);
  }

  closeAll(): void {
    for (const fd of [...this.ipv4.splice(0), ...this.ipv6.splice(0)]) libc.close(fd);
    this.known.clear();
  }

  destroy(): void {
    this.closeAll();
    libc.munmap(this.nowhere.address, ADDRESS_BYTES);
  }

  private of(family: number): number[] | null {
    if (family === AF_INET) return this.ipv4;
    return family === AF_INET6 ? this.ipv6 : null;
  }
}
