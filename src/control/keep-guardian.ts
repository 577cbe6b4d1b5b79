/**
 * One guardian while there is a carp thread. One that ends is replaced; as a process that has given up being root can start
 * none that could do anything, a daemon that will do so has a spare one from the beginning, which knows nothing until then.
 */
import { type Daemon, logLine } from './daemon-state.ts';
import { startGuardian } from './guardian.ts';

const TRIES = 10;
const RESTART_MS = 1_000;

/** The pipe for the carp thread; -1: none could be started. */
export function keepGuardian(daemon: Daemon): number {
  const { uid, gid, chroot } = daemon.confinement;
  if (uid !== undefined || gid !== undefined || chroot !== undefined) keepSpare(daemon);
  return start(daemon, TRIES);
}

/** After the tries were used up: a reload is somebody's word that there is reason to try again. */
export function reviveGuardian(daemon: Daemon): void {
  if (daemon.carp !== undefined && daemon.guardian === undefined && !daemon.confined) replace(daemon, TRIES);
}

function start(daemon: Daemon, tries: number): number {
  daemon.guardian = startGuardian(() => onEnded(daemon, tries));
  return daemon.guardian?.fd ?? -1;
}

function keepSpare(daemon: Daemon): void {
  const spare = startGuardian(() => {
    if (daemon.guardian === spare) return onEnded(daemon, 0);
    daemon.spare_guardian = undefined;
    if (!daemon.stopping) logLine(daemon.events, 'warning', `the spare guardian ended; ${NEED_ROOT}`);
  });
  daemon.spare_guardian = spare;
}

const NEED_ROOT = 'a restart gives this daemon, which is no longer root, a spare one again';

/** It is replaced, but one that cannot run not more often than each second, and not for ever. */
function onEnded(daemon: Daemon, tries: number): void {
  daemon.guardian = undefined;
  if (daemon.stopping) return;
  const say = (next: string) => logLine(daemon.events, 'warning', `the guardian ended; ${next}`);
  const { spare_guardian } = daemon;
  if (daemon.confined && spare_guardian !== undefined) {
    daemon.guardian = spare_guardian;
    daemon.spare_guardian = undefined;
    daemon.carp?.post({ kind: 'guardian', fd: spare_guardian.fd });
    say(`the spare one takes its place; ${NEED_ROOT}`);
  } else if (tries > 0 && !daemon.confined) {
    say('starting another');
    setTimeout(() => replace(daemon, tries - 1), RESTART_MS).unref();
  } else say('from now on only the leases guard the addresses');
}

function replace(daemon: Daemon, tries: number): void {
  if (daemon.stopping || daemon.guardian !== undefined) return;
  daemon.carp?.post({ kind: 'guardian', fd: start(daemon, tries) });
}
