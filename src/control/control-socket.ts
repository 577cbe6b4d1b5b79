/**
 * The daemon's end of the control socket: a unix stream socket, one line of command words in, the answer out, close.
 * Only its owner may connect (mode 0600). A stalled or greedy client costs a bounded amount of memory and is dropped.
 */
import { lstatSync, mkdirSync, rmdirSync, rmSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { dirname } from 'node:path';
import { type Diagnostic, NOWHERE } from '../config/diagnostic.ts';
import { ERROR } from './commands.ts';
import type { SocketPaths } from './socket-path.ts';
import { probe, removeStaleSockets } from './stale-sockets.ts';

const MAX_CLIENTS = 32;
const MAX_LINE_BYTES = 1024;
/** A client that has not sent its line by then is dropped; so is one that does not take its answer. */
const IDLE_MS = 10_000;
/** sun_path has 108 with the closing NUL (unix(7)); Node cuts a longer one in silence. */
const LONGEST_PATH_BYTES = 107;

export type ControlSocket = { readonly path: string; close(): void };

/** Answers one client: `line` is trimmed; writes to `client` and ends it. */
export type AnswerClient = (line: string, client: Socket) => void;

/** Opens the first path that works. A stale socket of a dead daemon is replaced, a live one is never touched. */
export async function openControlSocket(
  paths: SocketPaths,
  answer: AnswerClient,
): Promise<{ socket?: ControlSocket; diagnostic?: Diagnostic }> {
  let reason = '';
  const others: string[] = [];
  for (const path of paths.candidates) {
    const obstacle = obstacleAt(path);
    if (obstacle !== undefined) {
      reason = `${path}: ${obstacle}`;
      continue;
    }
    const made_directory = makeDirectory(dirname(path));
    const found = await probe(path);
    if (found === 'live' && paths.shares === undefined && !paths.replaces) return { diagnostic: alreadyRunning(path) };
    if (found === 'live' && !paths.replaces) {
      reason = `${path}: another daemon has it`;
      others.push(path);
      continue;
    }
    if (found !== 'absent') rmSync(path, { force: true });
    const server = createServer({ allowHalfOpen: true, pauseOnConnect: false }, (client) => serve(client, answer));
    server.maxConnections = MAX_CLIENTS;
    const error = await listen(server, path);
    if (error === undefined) {
      if (!paths.named) await removeStaleSockets(dirname(path));
      const socket = opened(server, path, made_directory);
      return others.length > 0 && paths.shares === 'aloud' ? { socket, diagnostic: shared(path, others) } : { socket };
    }
    reason = `${path}: ${ERRORS[error] ?? error}`;
    if (made_directory) rmdirSync(dirname(path));
  }
  return { diagnostic: cannotListen(reason, paths.named) };
}

/** libuv says EACCES also for a directory that is not there. */
const ERRORS: Readonly<Record<string, string>> = {
  EACCES: 'the directory is not there, or this user may not write to it',
  EADDRINUSE: 'another user has a socket there',
};

/** What makes this path useless; only a socket is ever replaced. */
function obstacleAt(path: string): string | undefined {
  if (Buffer.byteLength(path) > LONGEST_PATH_BYTES) return `a path of more than ${LONGEST_PATH_BYTES} bytes`;
  try {
    return lstatSync(path).isSocket() ? undefined : 'something else than a socket is there';
  } catch {
    return undefined; // nothing is there, or nobody may look: then listening says so
  }
}

function opened(server: Server, path: string, made_directory: boolean): ControlSocket {
  const born = birthOf(path);
  return {
    path,
    close() {
      // a process that took this one's place has its own there, which closing would remove
      if (birthOf(path) !== born) return void server.unref();
      server.close();
      rmSync(path, { force: true });
      if (made_directory) removeEmptyDirectory(dirname(path));
    },
  };
}

/** Tells a file from a later one of the same name; inode numbers alone are used again. */
function birthOf(path: string): string {
  const stat = lstatSync(path, { throwIfNoEntry: false });
  return `${stat?.ino} ${stat?.ctimeMs}`;
}

/** Whether the directory is ours to remove again. A failure shows when the socket is bound. */
function makeDirectory(directory: string): boolean {
  try {
    mkdirSync(directory, { mode: 0o755 });
    return true;
  } catch {
    return false;
  }
}

function removeEmptyDirectory(directory: string): void {
  try {
    rmdirSync(directory);
  } catch {
    // somebody else put something there
  }
}

/** The errno's name, or undefined when it listens. */
function listen(server: Server, path: string): Promise<string | undefined> {
  return new Promise((resolve) => {
    server.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
    server.once('listening', () => resolve(undefined));
    // the file is born with its mode: a chmod afterwards would leave a gap
    const umask = process.umask(0o177);
    try {
      server.listen(path);
    } finally {
      process.umask(umask);
    }
  });
}

function serve(client: Socket, answer: AnswerClient): void {
  let received = '';
  client.setEncoding('utf8');
  client.setTimeout(IDLE_MS, () => client.destroy());
  client.on('error', () => client.destroy());
  const take = () => {
    client.removeAllListeners('data').removeAllListeners('end').resume();
    client.on('end', () => client.end());
    answer(received.split('\n', 1)[0]!.trim(), client);
  };
  client.on('data', (text: string) => {
    received += text;
    if (received.length > MAX_LINE_BYTES) client.end(`${ERROR}A command is at most ${MAX_LINE_BYTES} bytes long.\n`);
    else if (received.includes('\n')) take();
  });
  client.on('end', take);
}

function alreadyRunning(path: string): Diagnostic {
  return {
    severity: 'error',
    code: 'already-running',
    message: `A carpool daemon already answers on the control socket ${path}.`,
    mend: 'Stop that one first, or give this one a socket of its own: --socket PATH.',
    span: NOWHERE,
  };
}

function shared(path: string, others: readonly string[]): Diagnostic {
  return {
    severity: 'warning',
    code: 'another-daemon',
    message: `Another carpool answers on ${others.join(' and ')}; this one answers on ${path}.`,
    mend: `Ask it with "carpool status --socket ${path}".`,
    span: NOWHERE,
  };
}

function cannotListen(reason: string, named: boolean): Diagnostic {
  return {
    severity: named ? 'error' : 'warning',
    code: 'no-control-socket',
    message: `No control socket could be made (${reason}), so "carpool status" will not find this daemon.`,
    mend: 'Name a path that this user may write: --socket PATH, or CARPOOL_SOCKET.',
    span: NOWHERE,
  };
}
