/**
 * Ports of loopback for what is started later. They lie below those that the kernel gives to sockets without one, so that no
 * connection of another test takes one meanwhile. Each process has blocks of its own: none is told twice, here or elsewhere.
 */
import { once } from 'node:events';
import { createServer } from 'node:net';

const FIRST = 10_000;
/** What one test file needs at the most, or so. */
const BLOCK = 100;
const BLOCKS = 220;

let next = 0;
let end = 0;
let claiming: Promise<void> | undefined;

/** Nobody listens there, and nobody else is told of it. */
export async function freePort(): Promise<number> {
  for (let tries = 0; tries < BLOCK * BLOCKS; tries++) {
    while (next === end) await claimBlock();
    const port = next++;
    if (await listensAt({ port, host: '127.0.0.1' })) return port;
  }
  throw new Error('every port is taken');
}

/** All who need one wait for the same. */
async function claimBlock(): Promise<void> {
  claiming ??= claimNext().finally(() => {
    claiming = undefined;
  });
  await claiming;
}

/** A name in the abstract namespace stands for a block: the kernel frees it with the process. */
async function claimNext(): Promise<void> {
  for (let tries = 0; tries < BLOCKS; tries++) {
    const block = (process.pid + tries) % BLOCKS;
    if (!(await listensAt({ path: `\0carpool-test-ports-${block}` }, true))) continue;
    next = FIRST + block * BLOCK;
    end = next + BLOCK;
    return;
  }
  throw new Error('every block of ports is taken');
}

/** Whether we could listen there. `keeps`: we do from now on, until this process ends. */
async function listensAt(place: { port: number; host: string } | { path: string }, keeps = false): Promise<boolean> {
  const server = createServer().listen(place);
  const listens = await Promise.race([
    once(server, 'listening').then(() => true),
    once(server, 'error').then(() => false),
  ]).catch(() => false);
  if (keeps) server.unref();
  else if (listens) {
    server.close();
    await once(server, 'close');
  }
  return listens;
}
