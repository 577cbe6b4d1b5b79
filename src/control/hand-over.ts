/**
 * `-x SOCKET -sf PID …`: a new process takes the place of an old one.
 *
 *   new: ask the old one for its listening sockets and whom it is MASTER of
 *        ──▶ open what is missing, run; the carp thread has its sockets and waits
 *        ──▶ go on with its vhids (succession.ts), or with none when it gives none
 *        ──▶ signal the old one: it drains for `grace`, and bows out of what is left
 *
 * A listening socket that both hold loses nobody, whoever closes it first.
 */

import { byReference } from '../system/arguments.ts';
import * as libc from '../system/libc.ts';
import { receiveDescriptor } from '../system/pass-descriptor.ts';
import { encodeUnixAddress } from '../system/socket-address.ts';
import type { ListenerSet, ListeningSocket } from '../threads/listeners.ts';
import type { Daemon } from './daemon-state.ts';
import { logLine } from './daemon-state.ts';
import { HAND_OVER, HAND_OVER_END } from './hand-over-words.ts';
import { waitUntil } from './shutdown.ts';
import { takenVhids, tryTakenVhids } from './vhid-locks.ts';

/** From the command line. */
export type Replacement = {
  readonly socket: string | undefined;
  readonly pids: readonly number[];
  /** -sf lets clients finish, -st does not. */
  readonly signal: 'SIGUSR1' | 'SIGTERM';
};

const AF_UNIX = 1;
const SOCK_STREAM_CLOEXEC = 1 | 0o2000000;
const SOL_SOCKET = 1;
const SO_RCVTIMEO = 20;
const ANSWER_S = 5n;
/** As many as a process hands over: sixty-four threads with some hundred ports. */
const MOST_SOCKETS = 10_000;
/** The old process drains for its grace, 5 s at most, and bows out. */
const RELIEF_MS = 8_000;

/** The old process's listening sockets; undefined when it gives none. */
export function takeListeners(path: string): ListenerSet | undefined {
  const address = encodeUnixAddress(path);
  const socket = address ? libc.socket(AF_UNIX, SOCK_STREAM_CLOEXEC, 0) : -1;
  if (!address || socket < 0) return undefined;
  try {
    libc.setsockopt(socket, SOL_SOCKET, SO_RCVTIMEO, byReference(BigInt64Array.of(ANSWER_S, 0n)), 16);
    if (libc.connect(socket, byReference(address), address.length) !== 0) return undefined;
    const line = new TextEncoder().encode(`${HAND_OVER}\n`);
    if (libc.send(socket, byReference(line), line.length, 0) !== line.length) return undefined;
    return receiveSockets(socket);
  } finally {
    libc.close(socket);
  }
}

function receiveSockets(from: number): ListenerSet | undefined {
  const sockets: ListeningSocket[] = [];
  while (sockets.length < MOST_SOCKETS) {
    const message = receiveDescriptor(from);
    const [, thread, place] = /^(\d+) (\S+ \d+)\n/.exec(message?.text ?? '') ?? [];
    if (message?.text === HAND_OVER_END) return { by_thread: [], sockets, opened: [] };
    if (message === undefined || message.fd < 0 || place === undefined) break;
    sockets.push({ fd: message.fd, thread: Number(thread), place });
  }
  for (const { fd } of sockets) libc.close(fd);
  return undefined;
}

/** Tells the old processes to go, and waits until they have given their vhids back. */
export async function relieve(daemon: Daemon, { pids, signal }: Replacement): Promise<void> {
  for (const pid of pids) {
    try {
      process.kill(pid, signal);
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code !== 'ESRCH') logLine(daemon.events, 'warning', `process ${pid} cannot be told to go (${code})`);
    }
  }
  const free = await waitUntil(() => daemon.stopping || tryTakenVhids(), RELIEF_MS);
  if (!free) logLine(daemon.events, 'warning', `another process keeps ${takenVhids().join(', ')}`);
}
