/**
 * Going to the background: the same command is run once more in a session of its own, and this process waits until that
 * one cares for its addresses, or has said what hinders it.
 *
 *   carpool ucarp -B ──spawn──> carpool ucarp -B        knows by STARTED_FD in its environment
 *        │   <── what it has to say about its start ──│
 *        │   <── one byte on STARTED_FD ──────────────│  chdir /, its output goes nowhere from now on
 *     exit 0
 */
import { spawn } from 'node:child_process';
import { closeSync, fstatSync, writeSync } from 'node:fs';

const STARTED_FD = 'CARPOOL_STARTED_FD';
/** Longer than a daemon waits for its first checks. */
const START_MS = 20_000;

/** Whether this process is the one in the background; `env` is process.env. */
export function isInBackground(env: NodeJS.ProcessEnv): boolean {
  return env[STARTED_FD] !== undefined;
}

/** In the background: tells the waiting process that all is well, and lets go of where it was started. */
export function tellStarted(env: NodeJS.ProcessEnv): void {
  const fd = Number(env[STARTED_FD]);
  delete env[STARTED_FD];
  process.chdir('/');
  try {
    writeSync(fd, '\n');
    closeSync(fd);
  } catch {
    // nobody waits any more
  }
}

/**
 * Runs `node ARGV…` in the background, with these descriptors of this process under their numbers (Node hands none on by itself).
 * Resolves to 0 once it told that it started, else to its exit status.
 */
export function runInBackground(
  argv: readonly string[],
  env: NodeJS.ProcessEnv,
  descriptors: readonly number[] = [],
): Promise<number> {
  const handed_on = descriptors.filter(isOpen);
  const started_fd = Math.max(2, ...handed_on) + 1;
  const stdio: ('ignore' | 'pipe' | number)[] = Array(started_fd).fill('ignore');
  stdio.push('pipe');
  stdio[2] = 'pipe';
  for (const fd of handed_on) stdio[fd] = fd;
  const child = spawn(process.execPath, [...process.execArgv, ...argv], {
    detached: true,
    stdio,
    env: { ...env, [STARTED_FD]: String(started_fd) },
  });
  child.stderr!.pipe(process.stderr, { end: false });
  return new Promise((resolve) => {
    const timer = setTimeout(() => {
      process.stderr.write(`carpool: not started within ${START_MS / 1000} s; it goes on trying, pid ${child.pid}\n`);
      resolve(1);
    }, START_MS);
    const finish = (status: number) => {
      clearTimeout(timer);
      resolve(status);
    };
    child.once('error', (error) => {
      process.stderr.write(`carpool: no process could be started: ${error.message}\n`);
      finish(1);
    });
    child.stdio[started_fd as 3]!.once('data', () => finish(0));
    // its output has come to an end as well
    child.once('close', (status) => finish(status ?? 1));
  });
}

function isOpen(fd: number): boolean {
  try {
    return fd > 2 && fstatSync(fd) !== undefined;
  } catch {
    return false; // told with its place by the one in the background
  }
}
