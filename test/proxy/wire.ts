/** One end of a TCP connection, with the bytes that came: for clients and servers whose every byte the test decides. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';

import { setImmediate as nextTurn } from 'node:timers/promises';
import * as libc from '#src/system/libc.js';
import { PATIENCE_MS } from '../helpers/patience.js';
import { freePort } from '../helpers/ports.js';
import { listenOnLoopback, Peer } from '../reactor/peer.js';

export class Wire {
  readonly socket: Socket;
  received: Buffer = Buffer.alloc(0);
  /** How the other side ended: by FIN, by RST, or not yet. */
  ended: 'no' | 'end' | 'reset' = 'no';
  closed = false;
  private changed: () => void = () => {};

  constructor(socket: Socket) {
    this.socket = socket;
    socket.setNoDelay(true);
    socket.on('data', (bytes) => {
      this.received = Buffer.concat([this.received, bytes]);
      this.changed();
    });
    socket.on('end', () => this.sawEnd('end'));
    socket.on('error', () => this.sawEnd('reset'));
    socket.on('close', () => {
      this.closed = true;
      this.changed();
    });
  }

  static async connect(port: number): Promise<Wire> {
    const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
    const wire = new Wire(socket);
    await once(socket, 'connect');
    return wire;
  }

  get text(): string {
    return this.received.toString('latin1');
  }

  write(bytes: string | Uint8Array): void {
    this.socket.write(typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : bytes);
  }

  /** Waits until all of it was received, then forgets everything up to its end and returns that. */
  async takes(expected: string): Promise<string> {
    await this.wait(`"${expected}" arrives`, () => this.text.includes(expected));
    const end = this.text.indexOf(expected) + expected.length;
    const taken = this.text.slice(0, end);
    this.received = this.received.subarray(end);
    return taken;
  }

  /** Waits for a head and returns it; the bytes after it stay. */
  takesHead(): Promise<string> {
    return this.takes('\r\n\r\n');
  }

  /** Waits for so many bytes, forgets and returns them. */
  async takesBytes(count: number): Promise<Buffer> {
    await this.wait(`${count} bytes arrive`, () => this.received.length >= count);
    const taken = this.received.subarray(0, count);
    this.received = this.received.subarray(count);
    return taken;
  }

  /** How the other side ended. */
  async over(): Promise<'end' | 'reset'> {
    await this.wait('the other side ends', () => this.ended !== 'no');
    return this.ended as 'end' | 'reset';
  }

  /** Sends FIN; reading goes on. */
  end(): void {
    this.socket.end();
  }

  close(): void {
    this.socket.destroy();
  }

  reset(): void {
    this.socket.resetAndDestroy();
  }

  private sawEnd(how: 'end' | 'reset'): void {
    this.ended = how;
    this.changed();
  }

  private async wait(what: string, done: () => boolean): Promise<void> {
    const limit_ms = performance.now() + PATIENCE_MS;
    while (!done()) {
      const left_ms = limit_ms - performance.now();
      const gone = this.closed && !done();
      assert.ok(left_ms > 0 && !gone, `waited in vain until ${what}; came: ${this.text.slice(0, 400)} (${this.ended})`);
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, left_ms);
        this.changed = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
  }
}

/** What a rig needs to know of a server. */
export type Backend = { readonly port: number; closeAll(): void; stop(): Promise<void> };

/** Accepts on a loopback port; each connection is a Wire, in the order they came. */
export class RawServer implements Backend {
  readonly wires: Wire[] = [];
  private readonly server: Server;
  private arrived: () => void = () => {};

  private constructor(server: Server) {
    this.server = server;
    server.on('connection', (socket) => {
      this.wires.push(new Wire(socket));
      this.arrived();
    });
  }

  static async start(): Promise<RawServer> {
    const server = createServer({ allowHalfOpen: true });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return new RawServer(server);
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  /** The connection with that number, as soon as it is made. */
  async wire(number: number): Promise<Wire> {
    const limit_ms = performance.now() + PATIENCE_MS;
    while (this.wires.length <= number) {
      const left_ms = limit_ms - performance.now();
      assert.ok(left_ms > 0, `waited in vain for connection ${number} to the server`);
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, left_ms);
        this.arrived = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
    return this.wires[number] as Wire;
  }

  /** The connection on which exactly this has come; takes it. */
  async asked(request: string): Promise<Wire> {
    for (const limit_ms = performance.now() + PATIENCE_MS; ; await nextTurn()) {
      const wire = this.wires.find(({ text }) => text === request);
      if (wire) {
        await wire.takes(request);
        return wire;
      }
      assert.ok(performance.now() < limit_ms, `waited in vain for ${request}`);
    }
  }

  closeAll(): void {
    for (const wire of this.wires) wire.close();
  }

  async stop(): Promise<void> {
    this.closeAll();
    await new Promise<void>((resolve) => {
      if (this.server.listening) this.server.close(() => resolve());
      else resolve();
    });
  }
}

/** A response with a length. */
export function response(body: string, fields = ''): string {
  return `HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n${fields}\r\n${body}`;
}

/** A place among the servers where nobody listens. */
export async function nobody(): Promise<Backend> {
  return { port: await freePort(), closeAll: () => {}, stop: async () => {} };
}

/** A server whose accept queue is full: connections to it do not come about. `release` ends it. */
export function fullListener(): { server: Backend; release: () => void } {
  const { fd, port } = listenOnLoopback(0);
  const peers = [Peer.connect(port), Peer.connect(port), Peer.connect(port)];
  const release = () => {
    for (const peer of peers) peer.close();
    libc.close(fd);
  };
  return { server: { port, closeAll: () => {}, stop: async () => {} }, release };
}

/** One side says its last words and ends; the other is told so, and goes on with many bytes that all arrive. */
export async function endsLongBefore(ends: Wire, goes_on: Wire, bytes: Uint8Array): Promise<void> {
  ends.write('last words');
  ends.end();
  await goes_on.takes('last words');
  assert.equal(await goes_on.over(), 'end');
  goes_on.write(bytes);
  goes_on.end();
  assert.ok((await ends.takesBytes(bytes.length)).equals(bytes));
  assert.equal(await ends.over(), 'end');
}
