/** The names of rings that nobody declared: one stands before each log server that is spoken to over TCP. */
import type { Endpoint } from '../model.ts';

/** Of `log tcp@ADDRESS`. */
export function tcpRingName({ address, port }: Endpoint): string {
  return `tcp@${address.includes(':') ? `[${address}]` : address}:${port}`;
}

/** Undefined: it is the name of a `ring` section. */
export function serverOfTcpRing(name: string): Endpoint | undefined {
  const match = /^tcp@\[?(.+?)\]?:(\d+)$/.exec(name);
  return match === null ? undefined : { address: match[1], port: Number(match[2]) };
}
