/**
 * The real programs that tests talk to. Which there are, and which Debian package brings each, is in test/peers.json.
 *
 *   test('ucarp yields to us', { skip: needs('ucarp', 'ip') }, () => { … });
 */
import { accessSync, constants, existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

type Peer = { readonly package: string; readonly command: string; readonly for: string };

const peers: Record<string, Peer> = JSON.parse(
  readFileSync(new URL('../../../test/peers.json', import.meta.url), 'utf8'),
);

/**
 * For node:test's `skip`: false when all of them are installed, else a reason that names the packages.
 * With CI=true a missing peer is an error: nothing may be skipped there unseen.
 */
export function needs(...names: readonly string[]): string | false {
  const missing = names.map(peerNamed).filter((peer) => findCommand(peer.command) === undefined);
  if (missing.length === 0) return false;
  const reason = `needs the package ${missing.map((peer) => peer.package).join(', ')}`;
  if (process.env['CI'] === 'true') throw new Error(reason);
  return reason;
}

/** Where the peer's program is, for a test that `needs` it. */
export function peerPath(name: string): string {
  const { command } = peerNamed(name);
  const path = findCommand(command);
  if (path === undefined) throw new Error(`${command} is not installed: guard this test with needs('${name}')`);
  return path;
}

function peerNamed(name: string): Peer {
  const peer = peers[name];
  if (peer === undefined) throw new Error(`test/peers.json has no peer ${name}`);
  return peer;
}

/** Also looks where ordinary users' PATH does not: daemons live in /usr/sbin, PostgreSQL below its version. */
function findCommand(command: string): string | undefined {
  const folders = [...(process.env['PATH'] ?? '').split(':'), '/usr/sbin', '/sbin', ...postgresFolders()];
  return folders.map((folder) => join(folder, command)).find(isExecutable);
}

/** Debian's: the newest version first. */
function postgresFolders(): string[] {
  const versions = '/usr/lib/postgresql';
  if (!existsSync(versions)) return [];
  const newest_first = readdirSync(versions).sort((a, b) => Number(b) - Number(a));
  return newest_first.map((version) => join(versions, version, 'bin'));
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
