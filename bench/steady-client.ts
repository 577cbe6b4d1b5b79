/**
 * A client that never stops asking, run as a process of its own: `steady-client.js ADDRESS PORT KEEPING CLOSING`. KEEPING
 * connections are used again and again, CLOSING ones for one request each. A request fails when its answer is not a whole
 * 200. It prints how many were answered, every hundred. SIGTERM ends it; then it prints one line of JSON: {"answered":…,"failed":…,"reasons":[…],"connections":…}.
 */
import { connect } from 'node:net';

const [address = '', port = '', keeping = '', closing = ''] = process.argv.slice(2);
const MOST_REASONS = 10;
const SAID_EVERY = 100;
const result = { answered: 0, failed: 0, reasons: [] as string[], connections: 0 };
let stopping = false;
let open = 0;

function ask(keeps: boolean): void {
  const socket = connect(Number(port), address);
  let text = '';
  let waits = false;
  let said_close = false;
  open++;
  result.connections++;
  const request = `GET / HTTP/1.1\r\nHost: steady\r\n${keeps ? '' : 'Connection: close\r\n'}\r\n`;
  const send = () => {
    text = '';
    waits = true;
    socket.write(request);
  };
  socket.once('connect', send);
  socket.on('data', (bytes) => {
    text += bytes.toString('latin1');
    if (!isWhole(text)) return;
    waits = false;
    if (text.startsWith('HTTP/1.1 200 ')) countAnswer();
    else fail(`answered ${text.slice(0, 30)}`);
    said_close = !keeps || /^connection: close/im.test(text);
    if (stopping) socket.end();
    else if (!said_close) setImmediate(() => (socket.writable ? send() : undefined));
  });
  socket.on('error', (error) => fail(`${waits ? 'while waiting' : 'between requests'}: ${error.message}`));
  socket.on('end', () => waits && fail(`closed after ${text.length} bytes of the answer`));
  socket.once('close', () => {
    open--;
    if (!stopping) ask(keeps);
    else if (open === 0) finish();
  });
}

/** Head and body are there, by Content-Length or the last chunk. */
function isWhole(text: string): boolean {
  const end = text.indexOf('\r\n\r\n');
  if (end < 0) return false;
  const length = /^content-length: (\d+)/im.exec(text);
  return length === null ? text.endsWith('\r\n0\r\n\r\n') : text.length >= end + 4 + Number(length[1]);
}

function countAnswer(): void {
  if (++result.answered % SAID_EVERY === 0) process.stdout.write(`${result.answered}\n`);
}

function fail(reason: string): void {
  result.failed++;
  if (result.reasons.length < MOST_REASONS) result.reasons.push(reason);
}

function finish(): void {
  process.stdout.write(`${JSON.stringify(result)}\n`);
  process.exit(0);
}

process.on('SIGTERM', () => {
  stopping = true;
  setTimeout(finish, 3_000).unref();
});
for (let number = 0; number < Number(keeping); number++) ask(true);
for (let number = 0; number < Number(closing); number++) ask(false);
