/**
 * Two daemons of one host that run the same vhid on one interface would take its address from each other. Each daemon
 * takes a name for each of its vhids, which a second one finds taken.
 */
import type { VhidSettings } from '../carp/events.ts';
import { type Diagnostic, NOWHERE } from '../config/diagnostic.ts';
import * as libc from '../system/libc.ts';
import { lockName } from '../system/name-lock.ts';

/** The descriptor of each vhid (`1@eth0`) that this process runs; undefined: another process has it. */
const held = new Map<string, number | undefined>();

/** From now on this process runs these vhids. One diagnostic for those that another daemon runs already. */
export function holdVhids(vhids: readonly VhidSettings[]): Diagnostic[] {
  const names = new Set(vhids.map((vhid) => `${vhid.vhid}@${vhid.interface}`));
  for (const [name, fd] of held) {
    if (fd !== undefined && names.has(name)) continue;
    if (fd !== undefined) libc.close(fd);
    held.delete(name);
  }
  for (const name of names) if (!held.has(name)) held.set(name, lockName(`carpool/${name}`));
  const taken = takenVhids();
  return taken.length === 0 ? [] : [takenDiagnostic(taken)];
}

/** Tries again those that another daemon had; true when this process has all of its vhids now. */
export function tryTakenVhids(): boolean {
  for (const [name, fd] of held) if (fd === undefined) held.set(name, lockName(`carpool/${name}`));
  return takenVhids().length === 0;
}

/** When this process holds no address any more, though it may go on serving. */
export function releaseVhids(): void {
  for (const fd of held.values()) if (fd !== undefined) libc.close(fd);
  held.clear();
}

/** The vhids that another daemon of this host had already when this one wanted them. */
export function takenVhids(): readonly string[] {
  return [...held].flatMap(([name, fd]) => (fd === undefined ? [name] : []));
}

function takenDiagnostic(taken: readonly string[]): Diagnostic {
  const which = taken.length === 1 ? `vhid ${taken[0]}` : `the vhids ${taken.join(', ')}`;
  return {
    severity: 'warning',
    code: 'vhid-taken',
    message: `Another carpool daemon of this host runs ${which} already.`,
    mend: 'Stop one of the two (each has its own --socket): together they take the address from each other.',
    span: NOWHERE,
  };
}
