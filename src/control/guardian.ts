/** Starts the guardian: the small process that takes the addresses away when this one dies (system/guardian.ts). */
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { check } from '../system/errors.ts';
import * as libc from '../system/libc.ts';

const O_CLOEXEC = 0o2000000;
const O_NONBLOCK = 0o4000;
const F_SETFL = 4;
const PROGRAM = fileURLToPath(new URL('../system/guardian.js', import.meta.url));
/** It holds a few kilobytes and runs for milliseconds: no compiler threads, the smallest heap. */
const NODE_FLAGS = ['--max-semi-space-size=1', '--max-old-space-size=16', '--v8-pool-size=0', '--no-opt'];

export type Guardian = {
  /** Where the carp thread writes this node's will. From then on the carp thread owns it. */
  readonly fd: number;
  readonly pid: number;
};

/**
 * `onEnded` is called when the guardian ended while this process lives; also when the carp thread told it to, but then
 * control is stopping.
 * Undefined when no process can be started: the leases stand alone then.
 */
export function startGuardian(onEnded: () => void): Guardian | undefined {
  const [reading_fd, writing_fd] = openPipe();
  const child = spawn(process.execPath, [...NODE_FLAGS, PROGRAM], {
    stdio: [reading_fd, 'ignore', 'inherit'],
    detached: true, // a session of its own: a signal to the daemon's group does not reach it
  });
  libc.close(reading_fd);
  child.once('error', () => {}); // without a process id, and told by that
  child.once('exit', onEnded);
  child.unref();
  if (child.pid === undefined) {
    libc.close(writing_fd);
    return undefined;
  }
  return { fd: writing_fd, pid: child.pid };
}

/** Both ends close on exec, so that no other child keeps the pipe open after this process died. */
function openPipe(): [number, number] {
  const memory = libc.allocatePinned(8);
  check(libc.pipe2(memory.address, O_CLOEXEC), 'pipe');
  const [reading_fd, writing_fd] = memory.words;
  libc.munmap(memory.address, 8);
  // Only the writing end: a guardian that hangs must not hold up the carp thread.
  check(libc.fcntl(writing_fd, F_SETFL, O_NONBLOCK), 'fcntl');
  return [reading_fd, writing_fd];
}
