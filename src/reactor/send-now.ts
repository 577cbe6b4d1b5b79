/** One call that sends and does not wait. */
import { MSG_DONTWAIT, MSG_MORE, MSG_NOSIGNAL } from '../system/abi/linux.ts';
import * as libc from '../system/libc.ts';
import type { Buffers } from './buffers.ts';
import type { Socket } from './socket.ts';

/** What the socket's send is about; `more` follows. Bytes, or -1 (errno). */
export function sendNow(buffers: Buffers, socket: Socket, more: boolean): number {
  const pipe = buffers.pipeOf(socket.send_buffer);
  if (pipe >= 0) return buffers.pipes.drain(pipe, socket.fd, socket.send_length, more);
  const flags = more ? MSG_NOSIGNAL | MSG_DONTWAIT | MSG_MORE : MSG_NOSIGNAL | MSG_DONTWAIT;
  return libc.send(socket.fd, buffers.address + socket.send_offset, socket.send_length, flags);
}
