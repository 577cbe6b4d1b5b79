/**
 * Ports of loopback for what is started later. They lie below those that the kernel gives to sockets without one, so that no
 * connection of another test takes one meanwhile; none is told twice in a process, and processes begin at different ones.
 */
import { once } from 'node:events';
import { createServer } from 'node:net';

const FIRST = 10_000;
const COUNT = 22_000;
/** What one test file needs at the most, or so. */
const EACH = 131;

let next = process.pid * EACH;

/** Nobody listens there. */
export async function freePort(): Promise<number> {
  for (let tries = 0; tries < COUNT; tries++) {
    const port = FIRST + (next++ % COUNT);
    if (await isFree(port)) return port;
  }
  throw new Error('every port is taken');
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer();
  server.listen(port, '127.0.0.1');
  const free = await Promise.race([
    once(server, 'listening').then(() => true),
    once(server, 'error').then(() => false),
  ]).catch(() => false);
  if (free) {
    server.close();
    await once(server, 'close');
  }
  return free;
}
