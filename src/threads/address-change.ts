/**
 * A server's address has changed while it runs: what main tells the data threads and the checks thread.
 *
 *   control/server-addresses.ts ── { kind: 'addresses', … } ──▶ every data thread, checks thread
 */
import type { Endpoint } from '../config/model.ts';

export type AddressChange = {
  /** The server's number through all backends, and that of its backend. */
  readonly server: number;
  readonly backend: number;
  /** Its address is '' while there is none. */
  readonly endpoint: Endpoint;
};
