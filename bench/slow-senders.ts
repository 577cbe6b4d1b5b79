/** A process with many clients that each send one byte of a request each second, until it is told to stop. argv: port, count. */
import { connect, type Socket } from 'node:net';
import { constants, setPriority } from 'node:os';

const [port = 0, count = 0] = process.argv.slice(2).map(Number);
const HEAD = Buffer.from(`GET /k64 HTTP/1.1\r\nHost: bench\r\nX-Slow: ${'a'.repeat(1000)}`);
const AT_ONCE = 50;
/** Few bytes at a time: a burst of hundreds would hold up those who are measured beside it. */
const TICK_MS = 2;
const TICKS = 1000 / TICK_MS;

// What is measured beside it goes first: 17,000 writes a second on the core of the measuring clients would be their delay.
setPriority(constants.priority.PRIORITY_LOW);

const sockets: Socket[] = [];
let lost = 0;
while (sockets.length < count) {
  await Promise.all(Array.from({ length: Math.min(AT_ONCE, count - sockets.length) }, open));
}
const begin_ms = performance.now();
let tick = 0;
setInterval(() => {
  for (const due = (performance.now() - begin_ms) / TICK_MS; tick < due; tick++) sendPart(tick);
}, TICK_MS);

function sendPart(tick: number): void {
  const part = tick % TICKS;
  const at = Math.floor(tick / TICKS);
  const end = Math.floor((count * (part + 1)) / TICKS);
  for (let index = Math.floor((count * part) / TICKS); index < end; index++) {
    sockets[index]?.write(HEAD.subarray(at, at + 1));
  }
}

process.on('message', () => {
  process.send?.(lost);
  setImmediate(() => process.exit());
});
process.on('disconnect', () => process.exit());
process.send?.('connected');

function open(): Promise<void> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', resolve);
    socket.setNoDelay();
    socket.on('error', () => resolve());
    socket.on('close', () => lost++);
    sockets.push(socket);
  });
}
