/** The daemons that run a certain configuration, found by asking every control socket. */
import { readdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { ask } from './control-client.ts';
import { waitUntil } from './shutdown.ts';
import { type Environment, socketPaths } from './socket-path.ts';
import type { StatusReport } from './status-report.ts';

/** A little more than a daemon takes at most. */
const END_MS = 12_000;

export type OtherDaemon = { readonly pid: number; readonly vhids: readonly number[] };

/** `file` is the only one of their configuration. */
export async function findDaemons(file: string, env: Environment): Promise<OtherDaemon[]> {
  const found: OtherDaemon[] = [];
  for (const path of liveSockets(env)) {
    const report = await statusAt(path);
    if (report === undefined || report.files.length !== 1 || report.files[0] !== file) continue;
    found.push({ pid: report.pid, vhids: report.vhids.map(({ vhid }) => vhid) });
  }
  return found;
}

/** Resolves to an exit status: 0 when none of them runs any more. */
export async function endDaemons(file: string, env: Environment): Promise<number> {
  let status = 0;
  for (const { pid } of await findDaemons(file, env)) {
    process.kill(pid, 'SIGTERM');
    if (await waitUntil(() => hasEnded(pid), END_MS)) continue;
    process.stderr.write(`carpool: the daemon of "${file}", pid ${pid}, has not ended within ${END_MS / 1000} s\n`);
    status = 1;
  }
  return status;
}

/** Every socket beside the usual ones: daemons with a name of their own have theirs there. */
function liveSockets(env: Environment): string[] {
  const { candidates, named } = socketPaths(undefined, env);
  if (named) return [...candidates];
  return [...new Set(candidates.map(dirname))].flatMap((directory) =>
    names(directory)
      .filter((name) => name.endsWith('.sock'))
      .map((name) => `${directory}/${name}`),
  );
}

function names(directory: string): string[] {
  try {
    return readdirSync(directory);
  } catch {
    return [];
  }
}

async function statusAt(path: string): Promise<StatusReport | undefined> {
  let text = '';
  const result = await ask({ candidates: [path], named: true }, 'status --json', (piece) => {
    text += piece;
  });
  return result.kind === 'answered' ? (JSON.parse(text) as StatusReport) : undefined;
}

function hasEnded(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return false;
  } catch {
    return true;
  }
}
