/** Bytes of our own on a socket: copied into a buffer that is sent like any other. */
import type { Socket } from '../reactor/socket.ts';

/** At most what a small buffer holds. False: there is no buffer for it. */
export function sendBytes(socket: Socket, text: Uint8Array): boolean {
  const { buffers } = socket.reactor;
  const buffer = buffers.takeSmall();
  if (buffer < 0) return false;
  const offset = buffers.offsetOf(buffer);
  buffers.bytes.set(text, offset);
  return socket.send(buffer, offset, text.length);
}
