/**
 * Servers whose place depends on the client (manual 4.2 "server"): `*:80` is the address that it connected to, `10.0.0.1` and
 * `10.0.0.1:+100` have the port that it connected to, or that and so much.
 */
import type { Endpoint } from '../config/model.ts';

const ANY: ReadonlySet<string> = new Set(['0.0.0.0', '::']);

/** `address` '' is a name that does not resolve, and a path has no port. */
export function followsClient({ address, port }: Endpoint): boolean {
  return ANY.has(address) || (port === 0 && /^[^/@]/.test(address));
}

/** `offset`: of a server without a port of its own. */
export function endpointFor(server: Endpoint, offset: number, destination: Endpoint): Endpoint {
  return {
    address: ANY.has(server.address) ? destination.address : server.address,
    port: server.port === 0 ? (destination.port + offset) & 0xffff : server.port,
  };
}
