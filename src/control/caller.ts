/** Who is at the other end of the control socket, as the kernel knows it (unix(7), SO_PEERCRED). */
import { readFileSync } from 'node:fs';
import type { Socket } from 'node:net';
import { peerCredentials } from '../system/peer-credentials.ts';
import type { Caller } from './commands.ts';

const NOBODY_LOGGED_IN = 0xffff_ffff;

/** Who logged in counts where the kernel remembers it: with sudo everybody is root. */
export function callerOf(client: Socket): Caller {
  const fd = (client as { _handle?: { fd?: number } })._handle?.fd ?? -1;
  const peer = peerCredentials(fd);
  if (peer === undefined) return { uid: -1, user: 'somebody unknown' };
  const login = loginUid(peer.pid);
  const user = userName(peer.uid);
  return { uid: peer.uid, user: login === undefined || login === peer.uid ? user : `${userName(login)} as ${user}` };
}

/** The user who logged in before any sudo or su; undefined where no login was recorded (proc(5), loginuid). */
function loginUid(pid: number): number | undefined {
  const uid = Number(read(`/proc/${pid}/loginuid`) ?? NOBODY_LOGGED_IN);
  return uid === NOBODY_LOGGED_IN ? undefined : uid;
}

function userName(uid: number): string {
  const entry = (read('/etc/passwd') ?? '').split('\n').find((line) => line.split(':')[2] === String(uid));
  return entry?.split(':')[0] ?? `uid ${uid}`;
}

function read(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}
