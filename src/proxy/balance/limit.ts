/** How much one server may take at this moment. Pure. */

/** A server that comes back gets its share in sixteen steps, as in HAProxy. */
export const WHOLE_SHARE = 16;

/** Sixteenths of its share, `since_ms` after it came back. Times are whole milliseconds. */
export function startingShare(since_ms: number, slowstart_ms: number): number {
  if (since_ms >= slowstart_ms) return WHOLE_SHARE;
  return Math.min(WHOLE_SHARE, 1 + Math.floor((WHOLE_SHARE * Math.max(0, since_ms)) / slowstart_ms));
}

export type Limits = {
  readonly maxconn: number;
  /** Undefined: always `maxconn`. */
  readonly minconn: number | undefined;
  /** Connections of the backend at which `maxconn` holds. */
  readonly fullconn: number;
};

/** From `minconn` to `maxconn` as the backend fills (manual 5.2 "minconn"), less while the server starts slowly; at least 1. */
export function limitOf({ maxconn, minconn, fullconn }: Limits, backend_connections: number, share: number): number {
  const growing = minconn !== undefined && backend_connections < fullconn;
  const limit = growing ? Math.max(minconn, Math.floor((maxconn * backend_connections) / fullconn)) : maxconn;
  return share === WHOLE_SHARE ? limit : Math.max(1, Math.floor((limit * share) / WHOLE_SHARE));
}
