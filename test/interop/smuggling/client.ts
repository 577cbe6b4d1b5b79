/** A client that sends the bytes of one case as they are and tells what came back. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { PATIENCE_MS } from '../../helpers/patience.js';
import { bytesOf, type Case } from './case.js';

export type Reply = { readonly status: number; readonly head: string };
export type Outcome = {
  readonly replies: readonly Reply[];
  /** How the connection ended: nobody may wait in vain. */
  readonly ended: 'closed' | 'reset' | 'hung';
};

export type Sending = {
  readonly port: number;
  /** Bytes in one write; all at once without it. */
  readonly piece?: number;
};

/**
 * Sends the case, waits for as many replies as are due, says FIN and reads on until the other side closes: a reply too many
 * would come then.
 */
export async function send(one: Case, number: number, { port, piece }: Sending): Promise<Outcome> {
  const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true, noDelay: true });
  const reader = new ReplyReader(socket, one);
  await once(socket, 'connect');
  await write(socket, bytesOf(one, number), piece);
  const due = one.expected.kind === 'unfinished' ? 0 : one.expected.kind === 'two' ? 2 : 1;
  await reader.until(() => reader.replies.length >= due);
  socket.end();
  await reader.until(() => false);
  socket.destroy();
  return { replies: reader.replies, ended: reader.ended ?? 'hung' };
}

async function write(socket: Socket, bytes: Buffer, piece = bytes.length): Promise<void> {
  for (let at = 0; at < bytes.length && socket.writable; at += piece) {
    socket.write(bytes.subarray(at, at + piece));
    if (at + piece < bytes.length) await nextTurn();
  }
}

class ReplyReader {
  readonly replies: Reply[] = [];
  ended: 'closed' | 'reset' | undefined;
  private text = '';
  private readonly is_head: boolean;
  private changed: () => void = () => {};

  constructor(socket: Socket, { bytes }: Case) {
    this.is_head = bytes.startsWith('HEAD ');
    socket.setEncoding('latin1');
    socket.on('data', (text: string) => {
      this.text += text;
      while (this.takeReply());
      this.changed();
    });
    socket.on('end', () => this.end('closed'));
    socket.on('error', () => this.end('reset'));
  }

  /** Waits until `done` or the end of the connection; bounded. */
  async until(done: () => boolean): Promise<void> {
    const end_ms = performance.now() + PATIENCE_MS;
    while (!done() && this.ended === undefined && performance.now() < end_ms) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, end_ms - performance.now());
        this.changed = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
  }

  private end(how: 'closed' | 'reset'): void {
    this.ended ??= how;
    this.changed();
  }

  /** Takes a whole reply off `text`; an interim one is none. */
  private takeReply(): boolean {
    const head_end = this.text.indexOf('\r\n\r\n') + 4;
    if (head_end < 4) return false;
    const head = this.text.slice(0, head_end);
    const status = Number(/^HTTP\/1\.[01] (\d{3})/.exec(head)?.[1]);
    assert.ok(status > 0, `a response begins with ${head.slice(0, 100)}`);
    const interim = status < 200;
    const bodyless = interim || (this.is_head && this.replies.length === 0);
    const end = head_end + (bodyless ? 0 : this.bodyLength(head, head_end));
    if (!(end <= this.text.length)) return false;
    this.text = this.text.slice(end);
    if (!interim) this.replies.push({ status, head });
    return true;
  }

  /** NaN: its end is not here yet. */
  private bodyLength(head: string, at: number): number {
    const length = /^content-length: *(\d+)/im.exec(head)?.[1];
    if (length !== undefined) return Number(length);
    if (!/^transfer-encoding: *chunked/im.test(head)) return 0;
    const end = this.text.indexOf('0\r\n\r\n', at);
    return end < 0 ? Number.NaN : end + 5 - at;
  }
}
