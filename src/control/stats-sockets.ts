/**
 * The sockets of `stats socket`: the runtime API and the commands of the control socket, with the file's mode and owner as written.
 * Like HAProxy's, a file of the same name is replaced, whoever listened there.
 */
import { chmodSync, chownSync, lstatSync, mkdirSync, renameSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { dirname } from 'node:path';
import type { Diagnostic } from '../config/diagnostic.ts';
import type { Config, StatsSocket } from '../config/model.ts';
import { lookUp } from './confine.ts';
import type { Session } from './runtime/command.ts';
import { type Answer, converse } from './runtime/conversation.ts';

const MAX_CLIENTS = 32;

export type StatsSockets = { close(): void };

/** All of them, or none and why. */
export async function openStatsSockets(
  { global }: Config,
  answer: Answer,
): Promise<{ sockets: StatsSockets; diagnostics: Diagnostic[] }> {
  const servers: Server[] = [];
  const diagnostics: Diagnostic[] = [];
  for (const socket of global.stats_sockets) {
    const server = createServer({ allowHalfOpen: true }, (client) =>
      converse(client, sessionOf(socket, global.stats_timeout_ms), answer),
    );
    server.maxConnections = MAX_CLIENTS;
    const problem =
      socket.to.kind === 'unix'
        ? await openFile(server, socket, socket.to.path)
        : await open(server, socket.to.endpoint);
    if (problem === undefined) servers.push(server);
    else diagnostics.push(describe(socket, problem));
  }
  const sockets = { close: () => servers.forEach((server) => void server.close()) };
  if (diagnostics.length > 0) sockets.close();
  return { sockets, diagnostics };
}

function sessionOf({ level, exposes_listeners }: StatsSocket, idle_ms: number | undefined): Session {
  return { level, interactive: false, idle_ms, exposes_listeners };
}

/** The file gets its name when its mode and owner are right. */
async function openFile(server: Server, { mode, identity }: StatsSocket, path: string): Promise<string | undefined> {
  const own = `${path}.${process.pid}`;
  const { uid, gid, unknown } = lookUp(identity);
  if (unknown[0] !== undefined) return `there is no ${unknown[0].what} ${unknown[0].name}`;
  try {
    mkdirSync(dirname(path), { recursive: true, mode: 0o755 });
    rmSync(own, { force: true });
    if (lstatSync(path, { throwIfNoEntry: false })?.isSocket() === false)
      return 'something else than a socket is there';
  } catch (error) {
    return codeOf(error);
  }
  const problem = await open(server, { path: own });
  if (problem !== undefined) return problem;
  try {
    if (mode !== undefined) chmodSync(own, mode);
    if (uid !== undefined || gid !== undefined) chownSync(own, uid ?? -1, gid ?? -1);
    renameSync(own, path);
    return undefined;
  } catch (error) {
    server.close();
    return codeOf(error);
  }
}

function open(
  server: Server,
  where: { path: string } | { address: string; port: number },
): Promise<string | undefined> {
  return new Promise((resolve) => {
    server.once('error', (error) => resolve(codeOf(error)));
    server.once('listening', () => resolve(undefined));
    if ('path' in where) server.listen(where.path);
    else server.listen(where.port, where.address);
  });
}

function codeOf(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException;
  return code ?? message;
}

function describe({ to, span }: StatsSocket, problem: string): Diagnostic {
  const place = to.kind === 'unix' ? to.path : `${to.endpoint.address}:${to.endpoint.port}`;
  return {
    severity: 'error',
    code: 'no-stats-socket',
    message: `The stats socket ${place} cannot be opened (${problem}).`,
    span,
  };
}
