/** Replies of our own to a client: each is copied into a buffer that is sent like any other. */
import type { ClientConnection } from './client-connection.ts';
import { type ErrorStatus, errorReply } from './error-replies.ts';

const CONTINUE = new TextEncoder().encode('HTTP/1.1 100 Continue\r\n\r\n');

/** The body is wanted, before any server has said so. */
export function sayContinue(client: ClientConnection): void {
  send(client, CONTINUE);
}

/** Returns how many bytes it has; 0: there is no buffer for it. `head_only`: to HEAD, whose answer has no body. */
export function sendError(client: ClientConnection, status: ErrorStatus, close: boolean, head_only = false): number {
  const reply = ownReply(client, status) ?? errorReply(status, close);
  return send(client, head_only ? headOf(reply) : reply);
}

/** A file may be anything: what has no end of a head is sent whole, and the connection ends behind it. */
function headOf(reply: Uint8Array): Uint8Array {
  const end = Buffer.from(reply.buffer, reply.byteOffset, reply.length).indexOf('\r\n\r\n');
  return end < 0 ? reply : reply.subarray(0, end + 4);
}

/** What `errorfile` says, of the backend where there is one; it says itself that the connection ends. */
export function ownReply({ exchange, frontend }: ClientConnection, status: ErrorStatus): Uint8Array | undefined {
  return exchange.backend?.error_replies.get(status) ?? frontend.error_replies.get(status);
}

function send({ socket, thread }: ClientConnection, text: Uint8Array): number {
  const { buffers } = thread.reactor;
  const buffer = buffers.takeSmall();
  if (buffer < 0) return 0;
  const offset = buffers.offsetOf(buffer);
  buffers.bytes.set(text, offset);
  socket.send(buffer, offset, text.length);
  return text.length;
}
