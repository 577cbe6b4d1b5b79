/**
 * The sockets of `stats socket`: the runtime API and the commands of the control socket, with the file's mode and owner as written.
 * Like HAProxy's, a file of the same name is replaced, whoever listened there.
 */
import { createServer, type Server } from 'node:net';
import type { Diagnostic } from '../config/diagnostic.ts';
import type { Config, StatsSocket } from '../config/model.ts';
import { listeningAddress } from '../system/inherited-socket.ts';
import type { Session } from './runtime/command.ts';
import { type Answer, converse } from './runtime/conversation.ts';
import { nameSocketFile, prepareSocketFile } from './socket-file.ts';

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
    const problem = await openSocket(server, socket);
    if (problem === undefined) servers.push(server);
    else diagnostics.push(describe(socket, problem));
  }
  const sockets = { close: () => servers.forEach((server) => void server.close()) };
  if (diagnostics.length > 0) sockets.close();
  return { sockets, diagnostics };
}

function sessionOf({ level, exposes_listeners }: StatsSocket, idle_ms: number | undefined): Session {
  return { level, interactive: false, idle_ms, modes: new Set(), exposes_listeners };
}

/** Undefined: it listens. */
async function openSocket(server: Server, socket: StatsSocket): Promise<string | undefined> {
  const { to } = socket;
  try {
    if (to.kind === 'unix') return await openFile(server, socket, to.path);
    if (to.kind === 'tcp') return await open(server, to.endpoint);
    listeningAddress(to.fd);
    return await open(server, { fd: to.fd });
  } catch (error) {
    return codeOf(error);
  }
}

async function openFile(server: Server, socket: StatsSocket, path: string): Promise<string | undefined> {
  const own = prepareSocketFile(path, socket);
  const problem = await open(server, { path: own });
  if (problem !== undefined) return problem;
  try {
    nameSocketFile(own, path, socket);
    return undefined;
  } catch (error) {
    server.close();
    throw error;
  }
}

function open(
  server: Server,
  where: { path: string } | { fd: number } | { address: string; port: number },
): Promise<string | undefined> {
  return new Promise((resolve) => {
    server.once('error', (error) => resolve(codeOf(error)));
    server.once('listening', () => resolve(undefined));
    if ('path' in where) server.listen(where.path);
    else if ('fd' in where) server.listen({ fd: where.fd });
    else server.listen(where.port, where.address);
  });
}

function codeOf(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException;
  return code ?? message;
}

function describe({ to, span }: StatsSocket, problem: string): Diagnostic {
  const place = placeOf(to);
  return {
    severity: 'error',
    code: 'no-stats-socket',
    message: `The stats socket ${place} cannot be opened (${problem}).`,
    span,
  };
}

export function placeOf(to: StatsSocket['to']): string {
  if (to.kind === 'unix') return to.path;
  return to.kind === 'inherited' ? `fd@${to.fd}` : `${to.endpoint.address}:${to.endpoint.port}`;
}
