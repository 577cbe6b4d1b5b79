/**
 * `user`, `group` and `chroot`: what the process gives up once everything is open.
 *
 *   prepare (root) ──▶ supplementary groups away ──▶ threads start, carp drops to the user but keeps two capabilities
 *        ──▶ all run ──▶ chroot ──▶ group, user: the C library tells every other thread by a signal
 *
 * The C library changes all threads, also libuv's and V8's own; for the carp thread, which is that user already, it is no
 * change, so its capabilities stay. Only `setgroups` it could not repeat, and a call that fails in one thread of several
 * ends the process: so the groups go first.
 */
import { spawnSync } from 'node:child_process';
import { statSync } from 'node:fs';
import { type Diagnostic, NOWHERE } from '../config/diagnostic.ts';
import type { Config, Identity } from '../config/model.ts';
import { textByReference } from '../system/arguments.ts';
import { check } from '../system/errors.ts';
import * as libc from '../system/libc.ts';

/** Undefined: as it is. */
export type Confinement = {
  readonly uid: number | undefined;
  readonly gid: number | undefined;
  readonly chroot: string | undefined;
};

/** Looked up while /etc/passwd is still to be seen. */
export function planConfinement({ global }: Config): { plan: Confinement; diagnostics: Diagnostic[] } {
  const { identity, chroot, spans } = global;
  const base = { severity: 'error' } as const;
  const diagnostics: Diagnostic[] = [];
  const { uid, gid, unknown } = lookUp(identity);
  for (const { what, name } of unknown) {
    const message = `There is no ${what} \`${name}\` on this host.`;
    diagnostics.push({ ...base, code: `unknown-${what}`, message, span: spans[what] ?? NOWHERE });
  }
  const is_root = process.getuid?.() === 0;
  const changes =
    (uid !== undefined && uid !== process.getuid?.()) || (gid !== undefined && gid !== process.getgid?.());
  if (!is_root && changes) {
    const mend = 'Start carpool as root, or remove the line.';
    const span = spans['user'] ?? spans['uid'] ?? spans['group'] ?? spans['gid'] ?? NOWHERE;
    diagnostics.push({ ...base, code: 'not-root', message: 'Only root can become another user or group.', mend, span });
  }
  if (chroot !== undefined) diagnostics.push(...checkDirectory(chroot, is_root, spans['chroot'] ?? NOWHERE));
  return { plan: is_root || chroot ? { uid, gid, chroot } : { uid: undefined, gid: undefined, chroot }, diagnostics };
}

export type Numbers = { uid: number | undefined; gid: number | undefined };
type Unknown = { readonly what: 'user' | 'group'; readonly name: string };

/** Numbers for names; a user's own group is only taken where it is named, as in HAProxy. */
export function lookUp({ user, group, uid, gid }: Identity): Numbers & { unknown: Unknown[] } {
  const found = {
    uid: user === undefined ? uid : idOf('passwd', user),
    gid: group === undefined ? gid : idOf('group', group),
  };
  const unknown: Unknown[] = [];
  if (user !== undefined && found.uid === undefined) unknown.push({ what: 'user', name: user });
  if (group !== undefined && found.gid === undefined) unknown.push({ what: 'group', name: group });
  return { ...found, unknown };
}

function idOf(database: 'passwd' | 'group', name: string): number | undefined {
  const { stdout } = spawnSync('getent', [database, name], { encoding: 'utf8', timeout: 5_000 });
  const id = stdout?.split('\n')[0]?.split(':')[2];
  return id === undefined || id === '' ? undefined : Number(id);
}

function checkDirectory(path: string, is_root: boolean, span: Diagnostic['span']): Diagnostic[] {
  const base = { severity: 'error', span } as const;
  if (!is_root) {
    const mend = 'Start carpool as root, or remove the line.';
    return [{ ...base, code: 'not-root', message: 'Only root can change the root directory.', mend }];
  }
  try {
    if (statSync(path).isDirectory()) return [];
  } catch {
    // told below
  }
  const message = `The directory ${path} does not exist.`;
  return [{ ...base, code: 'no-directory', message, mend: `Make it: mkdir -p ${path}.` }];
}

/** Before any thread starts. */
export function dropGroups({ uid, gid }: Confinement): void {
  if (process.getuid?.() === 0 && (uid !== undefined || gid !== undefined)) process.setgroups?.([]);
}

/** When every thread runs. Throws a SystemError: then the process must not go on. */
export function confine({ uid, gid, chroot }: Confinement): void {
  if (chroot !== undefined) {
    check(libc.chroot(textByReference(chroot)), `chroot to ${chroot}`);
    process.chdir('/');
  }
  if (gid !== undefined) process.setgid?.(gid);
  if (uid !== undefined) process.setuid?.(uid);
}
