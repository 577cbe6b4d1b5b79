import { byReference, textByReference } from './arguments.ts';
import * as libc from './libc.ts';

const SCHED_RR = 2;
/** What this thread starts later does not inherit real-time scheduling. */
const SCHED_RESET_ON_FORK = 0x4000_0000;
const O_WRONLY_CLOEXEC = 0o2000001;

/** Real-time scheduling for the calling thread alone; false where the system does not allow it (RLIMIT_RTPRIO). */
export function useRealTimeScheduling(priority = 10): boolean {
  const parameter = Int32Array.of(priority);
  return libc.sched_setscheduler(0, SCHED_RR | SCHED_RESET_ON_FORK, byReference(parameter)) === 0;
}

/** -1000 (never) .. 1000 (first): how likely the kernel kills this process when memory runs out. */
export function setOomScore(score: number): boolean {
  const fd = libc.open(textByReference('/proc/self/oom_score_adj'), O_WRONLY_CLOEXEC, 0);
  if (fd < 0) return false;
  const text = new TextEncoder().encode(String(score));
  const written = libc.write(fd, byReference(text), text.length);
  libc.close(fd);
  return written === text.length;
}
