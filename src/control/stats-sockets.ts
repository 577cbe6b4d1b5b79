/**
 * The sockets of `stats socket`: the runtime API and the commands of the control socket, with the file's mode and owner as written.
 * Like HAProxy's, a file of the same name is replaced, whoever listened there.
 */
import { rmSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import type { Diagnostic } from '../config/diagnostic.ts';
import type { Global, StatsSocket } from '../config/model.ts';
import { listeningAddress } from '../system/inherited-socket.ts';
import { outside } from './outside.ts';
import { plain } from './plain.ts';
import type { Session } from './runtime/command.ts';
import { type Answer, converse } from './runtime/conversation.ts';
import { nameSocketFile, prepareSocketFile, setModeAndOwner } from './socket-file.ts';

const MAX_CLIENTS = 32;

/** What a configuration changes: done by `commit`, undone by `cancel`. With diagnostics there is nothing to commit. */
export type SocketsChange = {
  readonly diagnostics: readonly Diagnostic[];
  commit(): void;
  cancel(): void;
};

type Served = { readonly server: Server; socket: StatsSocket; idle_ms: number | undefined };

export class StatsSockets {
  private readonly answer: Answer;
  /** By place. */
  private readonly served = new Map<string, Served>();

  constructor(answer: Answer) {
    this.answer = answer;
  }

  /** Opens what is new; a socket that stays is never closed, and its clients stay. */
  async change({ stats_sockets, stats_timeout_ms }: Global): Promise<SocketsChange> {
    const opened = new Map<string, Served>();
    const diagnostics: Diagnostic[] = [];
    for (const socket of stats_sockets) {
      const place = placeOf(socket.to);
      if (this.served.has(place) || opened.has(place)) continue;
      const served = this.serve(socket, stats_timeout_ms);
      const problem = await openSocket(served.server, socket);
      if (problem === undefined) opened.set(place, served);
      else diagnostics.push(describe(socket, problem));
    }
    const cancel = () => {
      for (const served of opened.values()) close(served);
    };
    if (diagnostics.length > 0) cancel();
    const commit = () => {
      for (const [place, served] of opened) this.served.set(place, served);
      const wanted = new Map(stats_sockets.map((socket) => [placeOf(socket.to), socket]));
      for (const [place, served] of this.served) {
        const socket = wanted.get(place);
        if (socket === undefined) {
          close(served);
          this.served.delete(place);
        } else {
          alterFile(served.socket, socket);
          served.socket = socket;
          served.idle_ms = stats_timeout_ms;
        }
      }
    };
    return { diagnostics, commit, cancel };
  }

  private serve(socket: StatsSocket, idle_ms: number | undefined): Served {
    const server = createServer({ allowHalfOpen: true }, (client) => converse(client, sessionOf(served), this.answer));
    server.maxConnections = MAX_CLIENTS;
    const served: Served = { server, socket, idle_ms };
    return served;
  }

  close(): void {
    for (const { server } of this.served.values()) server.close();
  }
}

function sessionOf({ socket: { level, exposes_listeners, is_master }, idle_ms }: Served): Session {
  const target = is_master ? 'master' : undefined;
  return { level, interactive: false, idle_ms, target, modes: new Set(), exposes_listeners };
}

/** Nobody finds it any more; those who are connected are answered to the end. */
function close({ server, socket: { to } }: Served): void {
  server.close();
  if (to.kind === 'unix') outside((root) => rmSync(`${root}${to.path}`, { force: true }));
}

/** The file's mode and owner, where they changed. What the file system refuses stays as it was. */
function alterFile(before: StatsSocket, { to, mode, identity }: StatsSocket): void {
  if (to.kind !== 'unix' || plain([before.mode, before.identity]) === plain([mode, identity])) return;
  try {
    outside((root) => setModeAndOwner(`${root}${to.path}`, { mode, identity }));
  } catch {
    // a process that gave up its rights cannot
  }
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

/** Binding happens within the call, so that paths are those outside of a chroot. */
async function openFile(server: Server, socket: StatsSocket, path: string): Promise<string | undefined> {
  const attempt = outside((root) => {
    const own = prepareSocketFile(`${root}${path}`, socket);
    const listening = open(server, { path: own });
    return { own, listening };
  });
  const problem = await attempt.listening;
  if (problem !== undefined) return problem;
  try {
    outside((root) => nameSocketFile(attempt.own, `${root}${path}`, socket));
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
