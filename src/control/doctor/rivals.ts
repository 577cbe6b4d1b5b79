/** Other programs of this host and this network namespace that run CARP: daemons of carpool, and ucarp. */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { basename } from 'node:path';
import { parseUcarpCommand } from '../../config/ucarp/command.ts';
import { secondDaemons } from '../vhid-locks.ts';
import type { Rival } from './facts.ts';

export function findRivals(): Rival[] {
  const daemons = secondDaemons().map(({ name, pid }) => ({ name, pid, program: 'carpool' }) as const);
  return [...daemons, ...findUcarps()];
}

function findUcarps(): Rival[] {
  const here = namespaceOf('self');
  return processes().flatMap((pid) => {
    const words = argumentsOf(pid);
    if (basename(words[0] ?? '') !== 'ucarp' || namespaceOf(pid) !== here) return [];
    const [carp] = parseUcarpCommand(words.slice(1), { readPassFile: () => ({ text: 'x' }) }).config?.carps ?? [];
    const name = carp && `${carp.vhid}@${carp.interface}`;
    return name === undefined ? [] : [{ name, pid: Number(pid), program: 'ucarp' }];
  });
}

function processes(): string[] {
  return readdirSync('/proc').filter((name) => /^\d+$/.test(name));
}

/** A process may end, or be somebody else's, at any moment: then there is nothing to tell. */
function argumentsOf(pid: string): string[] {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0').slice(0, -1);
  } catch {
    return [];
  }
}

function namespaceOf(pid: string): string | undefined {
  try {
    return readlinkSync(`/proc/${pid}/ns/net`);
  } catch {
    return undefined;
  }
}
