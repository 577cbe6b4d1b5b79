/** Who is at the other end of a socket, found out when somebody wants to know. */
import type { Socket } from '../reactor/socket.ts';
import { sourceText } from './ends.ts';

const unknown = { address: new TextEncoder().encode('-'), port: 0 };

export class Peer {
  private known = false;
  private address: Uint8Array = new Uint8Array(0);
  private port = 0;

  forget(): void {
    this.known = false;
  }

  addressOf(socket: Socket): Uint8Array {
    if (!this.known) this.learn(socket);
    return this.address;
  }

  portOf(socket: Socket): number {
    if (!this.known) this.learn(socket);
    return this.port;
  }

  learn(socket: Socket): void {
    const { address, port } = sourceText(socket) ?? unknown;
    this.address = address;
    this.port = port;
    this.known = true;
  }
}
