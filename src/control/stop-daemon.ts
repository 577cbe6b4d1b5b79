/**
 * The end of the daemon, in order:
 *
 *   leave        vhids that a new process of this host runs by now
 *   drain        still MASTER, clients are served and told `Connection: close`, at most `grace`
 *   bow out      the other node takes over; what is left on the VIP is reset, the address goes
 *   stop         listeners close, those who are served on other addresses may finish, then the hard way
 *
 * Every wait has a bound but one: a soft stop (SIGUSR1) without `hard-stop-after` waits for its clients as HAProxy does.
 */
import { now_ns } from '../system/clock.ts';
import { notifyServiceManager } from '../system/sd-notify.ts';
import { STOP_HARD, STOP_SOFT, THREAD_CARP } from '../threads/shared-memory.ts';
import type { Daemon } from './daemon-state.ts';
import { countClients } from './generation.ts';
import { logRings } from './log-rings.ts';
import { allDataThreads, stopWatchingDraining } from './run-data.ts';
import { exitNow, stopThreads, waitUntil } from './shutdown.ts';
import { leaveVhids } from './succession.ts';
import { releaseVhids } from './vhid-locks.ts';

/** The whole stop on SIGTERM, whatever happens in it, beside `grace`. */
export const STOP_MS = 10_000;
/** `grace`, when it is not written. */
const GRACE_MS = 1_000;
const LONGEST_GRACE_MS = 5_000;
const BOW_OUT_MS = 1_000;
/** How long those who are being served on other addresses may go on after SIGTERM. */
const DRAIN_MS = 1_500;
/** For the threads to end beyond that. */
const MARGIN_MS = 500;
const HARD_STOP_MS = 500;
const SCRIPTS_MS = 5_000;

export type StopOptions = {
  readonly reason: string;
  readonly status: number;
  /** SIGUSR1: clients may finish. */
  readonly soft: boolean;
  readonly hurried: () => boolean;
};

/** Resolves to the exit status. */
export async function stopDaemon(daemon: Daemon, { reason, status, soft, hurried }: StopOptions): Promise<number> {
  daemon.stopping = true;
  daemon.events.record({ kind: 'stop', at_ns: now_ns(), reason });
  notifyServiceManager('STOPPING=1', process.env);
  const limit_ms = soft ? daemon.generation.config.global.hard_stop_after_ms : DRAIN_MS;
  for (const handle of allDataThreads(daemon)) handle.announceEnd(limit_ms ?? null);
  if (status === 0) await leaveVhids(daemon, reason);
  if (status === 0 && (soft || daemon.carp !== undefined)) await drain(daemon, hurried);
  const bowed_out = (await daemon.carp?.stop(reason, BOW_OUT_MS)) ?? true;
  releaseVhids();
  const carp = daemon.carp ? [{ name: 'carp', thread: THREAD_CARP, wake: daemon.carp.wake }] : [];
  const threads = [...carp, ...daemon.threads];
  const timeout_ms = limit_ms === undefined ? Number.POSITIVE_INFINITY : limit_ms + MARGIN_MS;
  const in_time = await stopThreads(daemon.memory, threads, STOP_SOFT, { timeout_ms, hurried });
  const stopped = in_time || (await stopThreads(daemon.memory, threads, STOP_HARD, { timeout_ms: HARD_STOP_MS }));
  await waitUntil(() => !daemon.scripts.busy || hurried(), SCRIPTS_MS);
  clearInterval(daemon.beat);
  stopWatchingDraining(daemon);
  daemon.resolvers?.stop();
  daemon.orders?.close();
  daemon.stats_sockets.close();
  logRings.close();
  daemon.socket?.close();
  if (!stopped || !bowed_out) exitNow(1, 'carpool: a thread did not stop in time and was left behind');
  return status;
}

/** While clients are here, and no longer than `grace`, the addresses stay. */
async function drain(daemon: Daemon, hurried: () => boolean): Promise<void> {
  const grace_ms = Math.min(daemon.generation.config.global.grace_ms ?? GRACE_MS, LONGEST_GRACE_MS);
  const generations = [daemon.generation, ...daemon.draining];
  const nobody = () => generations.every((generation) => countClients(generation) === 0);
  await waitUntil(() => nobody() || hurried(), grace_ms);
}
