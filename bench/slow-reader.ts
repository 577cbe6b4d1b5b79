/** A client that reads slower than the server sends: what arrives late must still be what was sent. */
import { createHash } from 'node:crypto';
import { connect } from 'node:net';

const FIRST_WAIT_MS = 500;
const PAUSE_MS = 10;
const LIMIT_MS = 30_000;

export type SlowRead = { readonly bytes: number; readonly exact: boolean };

/** Gets /large from the port in small bites, and says whether the body is byte for byte `body`. */
export function readSlowly(port: number, body: Buffer): Promise<SlowRead> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1');
    const digest = createHash('sha256');
    let head: Uint8Array | undefined = new Uint8Array(0);
    let bytes = 0;
    const limit = setTimeout(() => socket.destroy(new Error('the slow reader got no end')), LIMIT_MS);
    const wait = (ms: number) => {
      socket.pause();
      setTimeout(() => socket.resume(), ms);
    };
    socket.on('connect', () => {
      socket.write('GET /large HTTP/1.1\r\nHost: bench\r\nConnection: close\r\n\r\n');
      wait(FIRST_WAIT_MS); // by now every buffer on the way is full
    });
    socket.on('data', (chunk) => {
      let part = chunk;
      if (head) {
        const all = Buffer.concat([head, chunk]);
        const end = all.indexOf('\r\n\r\n');
        head = end < 0 ? all : undefined;
        if (head) return;
        part = all.subarray(end + 4);
      }
      digest.update(part);
      bytes += part.length;
      wait(PAUSE_MS);
    });
    socket.on('error', reject);
    socket.on('close', () => {
      clearTimeout(limit);
      const exact = digest.digest('hex') === createHash('sha256').update(body).digest('hex');
      resolve({ bytes, exact });
    });
  });
}
