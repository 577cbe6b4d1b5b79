/**
 * What a connection becomes after 101 or a granted CONNECT: bytes both ways until both sides have said FIN and everything is
 * sent. One side may go on long after the other has ended.
 */
import { TunnelTimeouts } from '../tunnel-timeouts.ts';
import type { ClientConnection } from './client-connection.ts';
import type { ServerConnection } from './server-connection.ts';

export class Tunnel {
  private readonly client: ClientConnection;
  private readonly server: ServerConnection;
  private readonly timeouts = new TunnelTimeouts();

  constructor(client: ClientConnection, server: ServerConnection) {
    this.client = client;
    this.server = server;
    this.timeouts.open(client.frontend, client.exchange.backend);
  }

  begin(): void {
    this.server.beginTunnel();
    this.server.arm(this.timeouts.idle_ms);
    this.client.beginTunnel(this);
  }

  /** Takes over one reference. */
  passToServer(buffer: number, offset: number, length: number): void {
    this.server.arm(this.timeouts.idle_ms);
    if (!this.server.socket.send(buffer, offset, length)) this.over('R');
  }

  /** Takes over one reference. */
  passToClient(buffer: number, offset: number, length: number): void {
    this.server.arm(this.timeouts.idle_ms);
    this.client.exchange.passToClient(buffer, offset, length);
  }

  clientEnded(): void {
    this.server.socket.end();
    this.halfClosed();
  }

  serverEnded(): void {
    this.client.socket.end();
    this.halfClosed();
  }

  private halfClosed(): void {
    this.timeouts.halfClose(this.client.frontend, this.client.exchange.backend);
    this.server.arm(this.timeouts.idle_ms);
    this.considerOver();
  }

  /** Both have ended: over when everything is sent. */
  considerOver(): void {
    const [client, server] = [this.client.socket, this.server.socket];
    if (!client.ended || !server.ended) return;
    client.notify_drain = !client.idle;
    server.notify_drain = !server.idle;
    if (client.idle && server.idle) this.over('-');
  }

  /** Both sides have said all that they had to say ('-'), or it broke. */
  private over(cause: string): void {
    this.client.exchange.abort(cause, cause === '-' ? '-' : 'D');
  }

  /** The timer of both sides: what is queued may still be on its way. */
  onTimer(): void {
    const [client, server] = [this.client.socket, this.server.socket];
    const left_ms = this.timeouts.left(client, server, this.client.thread.reactor.now_ms);
    if (left_ms > 0) this.server.arm(left_ms);
    else this.over(this.timeouts.cause(client, server));
  }
}
