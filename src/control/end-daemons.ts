/** Ends the daemons that run a certain configuration, found by asking every control socket. */
import { readdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { ask } from './control-client.ts';
import { waitUntil } from './shutdown.ts';
import { type Environment, socketPaths } from './socket-path.ts';
import type { StatusReport } from './status-report.ts';

/** A little more than a daemon takes at most. */
const END_MS = 12_000;

/** `file` is the only one of the configuration. Resolves to an exit status: 0 when none of them runs any more. */
export async function endDaemons(file: string, env: Environment): Promise<number> {
  let status = 0;
  for (const path of liveSockets(env)) {
    const pid = await pidOf(path, file);
    if (pid === undefined) continue;
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

async function pidOf(path: string, file: string): Promise<number | undefined> {
  let text = '';
  const result = await ask({ candidates: [path], named: true }, 'status --json', (piece) => {
    text += piece;
  });
  if (result.kind !== 'answered') return undefined;
  const { pid, files } = JSON.parse(text) as StatusReport;
  return files.length === 1 && files[0] === file ? pid : undefined;
}

function hasEnded(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return false;
  } catch {
    return true;
  }
}
