/** The sockets that killed balancers left: they are named by process numbers, so no later daemon takes their places. */
import { readdirSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';

const PROBE_MS = 1_000;
/** Of one start; the next one goes on. */
const MOST = 100;
/** As socket-path.ts names them. */
const NAME = /^carpool-(\d{1,9})\.sock$/;

/** Removes those whose process is gone and on which nobody listens (a process of another container has numbers of its own). */
export async function removeStaleSockets(directory: string): Promise<void> {
  const ofTheDead = namesIn(directory).filter((name) => {
    const pid = NAME.exec(name)?.[1];
    return pid !== undefined && !isAlive(Number(pid));
  });
  for (const name of ofTheDead.slice(0, MOST)) {
    const path = join(directory, name);
    if ((await probe(path)) === 'stale') rmSync(path, { force: true });
  }
}

/** Whether somebody listens there. */
export function probe(path: string): Promise<'live' | 'stale' | 'absent'> {
  return new Promise((resolve) => {
    const socket = connect(path);
    const finish = (result: 'live' | 'stale' | 'absent') => {
      socket.destroy();
      resolve(result);
    };
    socket.setTimeout(PROBE_MS, () => finish('live'));
    socket.once('connect', () => finish('live'));
    socket.once('error', (error: NodeJS.ErrnoException) => finish(error.code === 'ECONNREFUSED' ? 'stale' : 'absent'));
  });
}

function namesIn(directory: string): readonly string[] {
  try {
    return readdirSync(directory);
  } catch {
    return []; // it is not there yet, or nobody may look
  }
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
