/**
 * Two daemons of one host that run the same vhid on one interface would take its address from each other. Each daemon
 * takes a name for each of its vhids. One that finds it taken takes a second name with its pid in it, so that the first
 * can be told, too:
 *
 *   @carpool/1@eth0        the first        @carpool/1@eth0/4711   every other one
 */
import { readFileSync } from 'node:fs';
import type { VhidSettings } from '../carp/events.ts';
import { type Diagnostic, NOWHERE } from '../config/diagnostic.ts';
import * as libc from '../system/libc.ts';
import { lockName } from '../system/name-lock.ts';
import { outside } from './outside.ts';

type Lock = { readonly fd: number | undefined; readonly taken: boolean };

/** By vhid, as `1@eth0`: those that this process runs. */
const held = new Map<string, Lock>();

/** From now on this process runs these vhids. One diagnostic for those that another daemon runs already. */
export function holdVhids(vhids: readonly VhidSettings[]): Diagnostic[] {
  const names = new Set(vhids.map((vhid) => `${vhid.vhid}@${vhid.interface}`));
  for (const [name, lock] of held) if (!names.has(name)) release(name, lock);
  for (const name of names) if (!held.has(name)) held.set(name, take(name));
  const taken = takenVhids();
  return taken.length === 0 ? [] : [takenDiagnostic(taken)];
}

/** True when this process has all of its vhids now. */
export function tryTakenVhids(): boolean {
  return takenVhids().length === 0;
}

/** When this process holds no address any more, though it may go on serving. */
export function releaseVhids(): void {
  for (const [name, lock] of held) release(name, lock);
}

/** The vhids that another daemon of this host had before this one, and still has. */
export function takenVhids(): readonly string[] {
  for (const [name, lock] of held) {
    const fd = lock.taken ? lockName(nameOf(name)) : undefined;
    if (fd === undefined) continue;
    release(name, lock);
    held.set(name, { fd, taken: false });
  }
  return [...held].flatMap(([name, { taken }]) => (taken ? [name] : []));
}

/** Every daemon of this host that runs a vhid which another one had before: `1@eth0` and its pid. */
export function secondDaemons(): { readonly name: string; readonly pid: number }[] {
  const names = outside((root) => readFileSync(`${root}/proc/net/unix`, 'utf8')).matchAll(/ @carpool\/(\S+)\/(\d+)$/gm);
  return [...names].map(([, name, pid]) => ({ name: name!, pid: Number(pid) }));
}

function take(name: string): Lock {
  const fd = lockName(nameOf(name));
  return fd === undefined ? { fd: lockName(`${nameOf(name)}/${process.pid}`), taken: true } : { fd, taken: false };
}

function release(name: string, { fd }: Lock): void {
  if (fd !== undefined) libc.close(fd);
  held.delete(name);
}

function nameOf(name: string): string {
  return `carpool/${name}`;
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
