/** A client of the bench: it asks for one response after another and makes as little garbage as node:net can. */
import { connect, type Socket } from 'node:net';

const AT_ONCE = 20;
const RESPONSE_MS = 10_000;
/** One for all clients: new buffers would be collected just while a response is timed. */
const RECEIVED = Buffer.allocUnsafe(64 * 1024);
const REQUEST = Buffer.from('GET /k64 HTTP/1.1\r\nHost: bench\r\n\r\n');

/** Adds clients, each of which got one response of 64 KiB, until there are `count`. */
export async function connectUpTo(clients: Client[], count: number, port: number): Promise<void> {
  while (clients.length < count) {
    const some = Array.from({ length: Math.min(AT_ONCE, count - clients.length) }, () => new Client(port));
    clients.push(...some);
    await Promise.all(some.map((client) => client.askFirst()));
  }
}

export class Client {
  lost = false;
  private readonly socket: Socket;
  private answered: (() => void) | undefined;
  private head = '';
  private left = -1;
  private response_bytes = 0;

  constructor(port: number) {
    const onread = { buffer: RECEIVED, callback: (bytes: number) => this.take(bytes) };
    this.socket = connect({ port, host: '127.0.0.1', onread });
    this.socket.on('error', () => {});
    this.socket.on('close', () => {
      this.lost = true;
    });
  }

  /** Reads the length of the response. Rejects when it has not come whole in 10 s. */
  askFirst(): Promise<void> {
    return new Promise((resolve, reject) => {
      const limit = setTimeout(() => this.socket.destroy(), RESPONSE_MS);
      this.socket.once('close', () => reject(new Error('a client lost its connection')));
      this.answered = () => {
        clearTimeout(limit);
        resolve();
      };
      this.socket.write(REQUEST);
    });
  }

  /** For the same response once more; `answered` is called when as many bytes came as the first time. */
  ask(answered: () => void): void {
    this.answered = answered;
    this.left = this.response_bytes;
    this.socket.write(REQUEST);
  }

  close(): void {
    this.socket.destroy();
  }

  private take(bytes: number): boolean {
    if (this.response_bytes === 0) this.readLength(bytes);
    else this.left -= bytes;
    if (this.left === 0) this.answered?.();
    return true;
  }

  private readLength(bytes: number): void {
    this.head += RECEIVED.toString('latin1', 0, bytes);
    const end = this.head.indexOf('\r\n\r\n');
    if (end < 0) return;
    const length = Number(/content-length: (\d+)/i.exec(this.head)?.[1]);
    this.response_bytes = end + 4 + length;
    this.left = this.response_bytes - this.head.length;
    this.head = '';
  }
}
