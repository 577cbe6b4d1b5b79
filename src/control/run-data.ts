/** The data threads from the control thread: their start, their next configuration, and who still serves by an earlier one. */
import { accessSync, constants } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { now_ns } from '../system/clock.ts';
import { errnoName } from '../system/libc.ts';
import { type DataHandle, startDataThread } from '../threads/data-handle.ts';
import type { LineKey } from '../threads/data-messages.ts';
import { THREAD_DATA, THREAD_STATE, threadAt } from '../threads/shared-memory.ts';
import { type Daemon, type Fail, logLine } from './daemon-state.ts';
import { describeError } from './end.ts';
import { countClients, type Generation, isRetired } from './generation.ts';
import { linePrinter } from './line-printer.ts';
import { logRings } from './log-rings.ts';
import { answerPage } from './run-pages.ts';
import { noteStopped, waitUntil } from './shutdown.ts';

/** Every data thread takes a new configuration within a pass of its loop. */
const CONFIGURE_MS = 5_000;
/** How often main looks who of an earlier generation is still there. */
const LOOK_MS = 100;
/** A thread's state. */
const STARTING = 0;
const DATA_THREAD = new URL('../threads/data.js', import.meta.url);

export function startDataThreads(daemon: Daemon, fail: Fail): void {
  const { by_thread } = daemon.generation.listeners;
  for (let number = daemon.data.length; number < by_thread.length; number++) startOne(daemon, number, fail);
}

function startOne(daemon: Daemon, number: number, fail: Fail): void {
  const { memory, events } = daemon;
  const name = `data thread ${number}`;
  const place = freePlace(daemon);
  daemon.waits_for.add(name);
  Atomics.store(memory.words, threadAt(memory, place) + THREAD_STATE, STARTING);
  const handle = startDataThread({
    number,
    process: { memory, place },
    first: settingsOf(daemon.generation, number),
    reactor: process.env['CARPOOL_REACTOR'] || undefined,
    buffers: daemon.generation.buffers,
    onRunning: (reactor, reason) => {
      daemon.waits_for.delete(name);
      logLine(events, 'info', `${name} runs on ${reactor}: ${reason}`);
    },
    onConfigured: () => void daemon.waits_for.delete(name),
    onPage: (generation, question) => answerPage(daemon, generation, question),
    onLines: takeLines,
    onDropped: (lines) => daemon.lost_lines.add(lines),
    onShortage: (error) => {
      const text = `${name}: no descriptor or memory left (${errnoName(error)}): new clients wait, and requests that need a new connection to a server may fail`;
      logLine(events, 'warning', text);
    },
    onError: (error) => {
      noteStopped(memory, place); // it cannot say so itself any more
      fail(`${name} failed: ${describeError(error)}`);
    },
    onExit: () => forgetThread(daemon, handle, name),
  });
  daemon.data.push(handle);
  daemon.threads.push({ name, thread: place, wake: handle.wake });
}

/** Where a new thread's heartbeat goes: threads that leave keep theirs to the end. */
function freePlace({ threads }: Daemon): number {
  const taken = new Set(threads.map(({ thread }) => thread));
  let place = THREAD_DATA;
  while (taken.has(place)) place++;
  return place;
}

/** Those that serve earlier configurations only, too. */
export function allDataThreads({ data, leaving }: Daemon): DataHandle[] {
  return [...data, ...leaving];
}

/** It has served its last client. */
function forgetThread({ stopping, leaving, threads, events }: Daemon, handle: DataHandle, name: string): void {
  const index = leaving.indexOf(handle);
  if (stopping || index < 0) return;
  leaving.splice(index, 1);
  threads.splice(
    threads.findIndex(({ thread }) => thread === handle.place),
    1,
  );
  logLine(events, 'info', `${name} has no clients any more and is gone`);
}

/** `fd 2` prints, `ring latest` keeps. */
function takeLines(key: LineKey, lines: Uint8Array): void {
  const name = key.slice(key.indexOf(' ') + 1);
  if (key.startsWith('ring ')) logRings.put(name, lines);
  else linePrinter(Number(name)).print(lines);
}

/** Why no thread can be started any more; undefined: it can. */
export function refusalOfThreads(): string | undefined {
  try {
    accessSync(DATA_THREAD, constants.R_OK);
    return undefined;
  } catch (error) {
    return `${fileURLToPath(DATA_THREAD)}: ${(error as NodeJS.ErrnoException).code}`;
  }
}

/**
 * Starts what the daemon's present generation has more of, and lets go what it has less of. Resolves when all of them serve it;
 * false when one did not say so in time.
 */
export async function configureDataThreads(daemon: Daemon, fail: Fail): Promise<boolean> {
  const { generation, data, leaving } = daemon;
  const count = generation.listeners.by_thread.length;
  for (const handle of data.splice(count)) {
    leaving.push(handle);
    handle.leave(generation.listeners.sockets.map(({ fd }) => fd));
  }
  data.forEach((handle, number) => {
    daemon.waits_for.add(`data thread ${number}`);
    handle.configure(settingsOf(generation, number));
  });
  startDataThreads(daemon, fail);
  const waits = () => data.some((_, number) => daemon.waits_for.has(`data thread ${number}`));
  return waitUntil(() => !waits() || daemon.stopping, CONFIGURE_MS);
}

/** From now on, and as long as there is one: forgets generations that have ended, and ends those whose time is over. */
export function watchDraining(daemon: Daemon): void {
  daemon.draining_watch ??= setInterval(() => {
    lookAtDraining(daemon);
    if (daemon.draining.length === 0) stopWatchingDraining(daemon);
  }, LOOK_MS);
}

export function stopWatchingDraining(daemon: Daemon): void {
  clearInterval(daemon.draining_watch);
  daemon.draining_watch = undefined;
}

function lookAtDraining(daemon: Daemon): void {
  const limit_ms = daemon.generation.config.global.hard_stop_after_ms;
  for (const generation of [...daemon.draining]) {
    if (isRetired(generation)) {
      daemon.draining.splice(daemon.draining.indexOf(generation), 1);
      logLine(daemon.events, 'info', `configuration ${generation.number} has no clients any more and is gone`);
    } else if (limit_ms !== undefined && now_ns() - generation.replaced_ns > limit_ms * 1e6) {
      abandon(daemon, generation, limit_ms);
    }
  }
}

function abandon(daemon: Daemon, generation: Generation, limit_ms: number): void {
  const clients = countClients(generation);
  if (clients === 0) return;
  const text = `configuration ${generation.number}: hard-stop-after ${limit_ms} ms is over, ${clients} clients lose their connection`;
  logLine(daemon.events, 'warning', text);
  for (const handle of allDataThreads(daemon)) handle.abandon(generation.number);
}

function settingsOf({ number, config, memory, listeners }: Generation, thread: number) {
  const elsewhere = listeners.sockets.filter((socket) => socket.thread !== thread).map(({ fd }) => fd);
  return { generation: number, config, memory, listeners: listeners.by_thread[thread] ?? [], elsewhere };
}
