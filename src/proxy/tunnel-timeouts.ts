/**
 * How long the two ends of a tunnel may be silent (manual 4.2: timeout client, server, tunnel, client-fin, server-fin).
 *
 *   both ends open      timeout tunnel, or else the shorter of client and server: bytes either way show that both live
 *   one has said FIN    the other may go on for its `-fin` time; the one that ended has to take what is queued in its own
 */
import type { Socket } from '../reactor/socket.ts';
import type { Backend } from './backend.ts';
import type { Frontend } from './frontend.ts';

const NEVER = Number.POSITIVE_INFINITY;

export class TunnelTimeouts {
  /** No end can be due earlier. */
  idle_ms = NEVER;
  private client_ms = NEVER;
  private server_ms = NEVER;

  open({ client_ms }: Frontend, backend: Backend | null): void {
    const tunnel_ms = backend?.config.timeouts.tunnel_ms;
    this.set(tunnel_ms ?? client_ms, tunnel_ms ?? backend?.server_ms ?? NEVER);
  }

  /** One of the two has said FIN. */
  halfClose({ config }: Frontend, backend: Backend | null): void {
    const { client_fin_ms = this.client_ms } = config.timeouts;
    this.set(client_fin_ms, backend?.config.timeouts.server_fin_ms ?? this.server_ms);
  }

  /** For how much longer both may be silent; at most 0 when it is over. */
  left(client: Socket, server: Socket, now_ms: number): number {
    const silent_ms = now_ms - Math.max(client.progress_ms, server.progress_ms);
    return Math.min(limitOf(client, this.client_ms), limitOf(server, this.server_ms)) - silent_ms;
  }

  /** 'c' or 's': whose time is over. */
  cause(client: Socket, server: Socket): string {
    return limitOf(client, this.client_ms) <= limitOf(server, this.server_ms) ? 'c' : 's';
  }

  private set(client_ms: number, server_ms: number): void {
    this.client_ms = client_ms;
    this.server_ms = server_ms;
    this.idle_ms = Math.min(client_ms, server_ms);
  }
}

/** Who has ended and has taken everything is not waited for. */
function limitOf(end: Socket, limit_ms: number): number {
  return end.ended && end.idle ? NEVER : limit_ms;
}
