/** A socket's file in the file system: it gets its name when its mode and owner are right, in place of an earlier socket. */
import { chmodSync, chownSync, lstatSync, mkdirSync, renameSync, rmSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Identity } from '../config/model.ts';
import { lookUp } from './confine.ts';

export type SocketFile = { readonly mode: number | undefined; readonly identity: Identity };

/** `bindTo` binds the socket to the path that it is given. Throws what it throws, and what the file system refuses. */
export function placeSocketFile(path: string, file: SocketFile, bindTo: (path: string) => void): void {
  const own = prepareSocketFile(path, file);
  bindTo(own);
  nameSocketFile(own, path, file);
}

/** The path to bind to first. Throws when somebody else's file is at `path`. */
export function prepareSocketFile(path: string, { identity }: SocketFile): string {
  const { unknown } = lookUp(identity);
  if (unknown[0] !== undefined) throw new Error(`there is no ${unknown[0].what} ${unknown[0].name}`);
  makeDirectory(dirname(path));
  const own = `${path}.${process.pid}`;
  rmSync(own, { force: true });
  if (lstatSync(path, { throwIfNoEntry: false })?.isSocket() === false)
    throw new Error('something else than a socket is there');
  return own;
}

export function nameSocketFile(own: string, path: string, file: SocketFile): void {
  setModeAndOwner(own, file);
  renameSync(own, path);
}

export function setModeAndOwner(path: string, { mode, identity }: SocketFile): void {
  const { uid, gid } = lookUp(identity);
  if (mode !== undefined) chmodSync(path, mode);
  if (uid !== undefined || gid !== undefined) chownSync(path, uid ?? -1, gid ?? -1);
}

/** One level only, such as /run/haproxy: `recursive` never returns below /proc. What hinders shows when the socket is bound. */
function makeDirectory(path: string): void {
  try {
    mkdirSync(path, { mode: 0o755 });
  } catch {
    // mostly: it is there
  }
}
