/**
 * The processes inside a network namespace, found through /proc. Needed where a host dies: whatever runs on it
 * dies with it, whoever started it.
 */
import { fstatSync, readdirSync, readFileSync, statSync } from 'node:fs';

/** SIGKILL for every process of the namespace; returns how many there were. */
export function killAllInside(namespace_fd: number): number {
  const pids = processesInside(namespace_fd);
  for (const pid of pids) {
    try {
      process.kill(pid, 'SIGKILL');
    } catch {
      // it ended by itself in between
    }
  }
  return pids.length;
}

/** Process ids as this process counts them. */
export function processesInside(namespace_fd: number): number[] {
  return entriesInside(namespace_fd).flatMap((entry) => ownId(entry) ?? []);
}

/** Their names in /proc, which may count as an outer process namespace does. */
export function entriesInside(namespace_fd: number): string[] {
  const namespace = fstatSync(namespace_fd).ino;
  return readdirSync('/proc').filter((entry) => /^\d+$/.test(entry) && isInside(entry, namespace));
}

function isInside(entry: string, namespace: number): boolean {
  try {
    return statSync(`/proc/${entry}/ns/net`).ino === namespace;
  } catch {
    return false; // another user's, or gone
  }
}

/** /proc may count processes as an outer process namespace does; the last number of NSpid is the innermost count. */
function ownId(entry: string): number | undefined {
  try {
    const status = readFileSync(`/proc/${entry}/status`, 'utf8');
    const id = /^NSpid:.*?(\d+)$/m.exec(status)?.[1];
    return Number(id ?? entry);
  } catch {
    return undefined;
  }
}
