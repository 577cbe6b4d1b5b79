import * as libc from './libc.ts';

const SOL_SOCKET = 1;
const SO_PEERCRED = 17;
/** struct ucred, and the length behind it. */
const answer = libc.allocatePinned(16);

export type PeerCredentials = { readonly pid: number; readonly uid: number; readonly gid: number };

/** Of the process that connected to a unix stream socket; undefined when there is none. */
export function peerCredentials(fd: number): PeerCredentials | undefined {
  answer.words[3] = 12;
  if (libc.getsockopt(fd, SOL_SOCKET, SO_PEERCRED, answer.address, answer.address + 12) < 0) return undefined;
  const [pid, uid, gid] = new Uint32Array(answer.bytes.buffer, 0, 3);
  return { pid, uid, gid };
}
