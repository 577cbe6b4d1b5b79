/** A web server that does what its clients ask for: it hangs, closes, resets or talks garbage; and one that takes nobody. */
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import type { TestContext } from 'node:test';
import * as libc from '#src/system/libc.js';
import { listenOnLoopback } from '../reactor/peer.js';

const LONG = 400_000_000;
const SWITCH = 'HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: other\r\n\r\n';

const CHUNKS = 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n';

export type Misbehaving = {
  readonly port: number;
  /** The hosts that were asked for. */
  readonly seen: ReadonlySet<string>;
  /** Who was asked for by that host does what it had put off. */
  goOn(host: string): void;
  release(): void;
};

/** Answers by the request's path. */
export async function misbehavingServer(t: TestContext): Promise<Misbehaving> {
  const seen = new Set<string>();
  const put_off = new Map<string, () => void>();
  const held: Socket[] = [];
  let holds = true;
  const answerHeld = (socket: Socket) => void socket.end('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');
  const half = 'HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nhalf of it';
  const behaviours: Record<string, (socket: Socket, host: string) => void> = {
    '/ok': (socket) => void socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok'),
    '/hangs': () => {},
    '/held': (socket) => void (holds ? held.push(socket) : answerHeld(socket)),
    '/reads': () => {},
    '/closes': (socket) => void socket.end(),
    '/resets': (socket) => void socket.resetAndDestroy(),
    '/garbage': (socket) => void socket.write('this is no HTTP\r\n\r\n'),
    '/bad-chunk': (socket, host) => {
      socket.write(`${CHUNKS}3\r\nabc\r\n`);
      put_off.set(host, () => void socket.write('no chunk\r\n'));
    },
    '/bad-first-chunk': (socket) => void socket.write(`${CHUNKS}no chunk\r\n`),
    '/long-head': (socket) => void socket.write(`HTTP/1.1 200 OK\r\nX: ${'x'.repeat(20_000)}`),
    '/two-lengths': (socket) =>
      void socket.write('HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab'),
    '/half-then-close': (socket) => void socket.end(half),
    '/half-then-reset': (socket, host) => {
      socket.write(half);
      put_off.set(host, () => void socket.resetAndDestroy());
    },
    '/switches': (socket) => void socket.write(SWITCH),
    '/switches-then-resets': (socket, host) => {
      socket.write(SWITCH);
      put_off.set(host, () => void socket.resetAndDestroy());
    },
    '/half-then-hang': (socket) => void socket.write(half),
    '/long': (socket) => {
      socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${LONG}\r\n\r\n`);
      const more = () => {
        while (!socket.destroyed && socket.write(Buffer.alloc(65536))) {}
      };
      socket.on('drain', more);
      more();
    },
  };
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    socket.on('error', () => {});
    socket.on('data', (bytes) => {
      const text = String(bytes);
      const host = /^host: (\S+)/im.exec(text)?.[1] ?? '';
      seen.add(host);
      behaviours[/^\w+ (\S+)/.exec(text)?.[1] ?? '']?.(socket, host);
    });
    socket.on('end', () => setTimeout(() => socket.destroy(), 50));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => {
    server.close();
  });
  server.unref();
  const release = () => {
    holds = false;
    held.splice(0).forEach(answerHeld);
  };
  return { port: (server.address() as AddressInfo).port, seen, goOn: (host) => put_off.get(host)?.(), release };
}

/** Listens, and its accept queue is full: a connection attempt gets no answer. */
export function deafServer(t: TestContext): number {
  const { fd, port } = listenOnLoopback(0);
  const fillers = [connect(port, '127.0.0.1'), connect(port, '127.0.0.1'), connect(port, '127.0.0.1')];
  for (const socket of fillers) socket.on('error', () => {});
  t.after(() => {
    for (const socket of fillers) socket.destroy();
    libc.close(fd);
  });
  return port;
}
