/**
 * Starts data threads from the control thread.
 *
 *   const data = startDataThread({ number: 0, first: { generation: 1, config, memory, listeners, elsewhere: [] }, … });
 *   data.configure({ generation: 2, config, memory, listeners, elsewhere: [] });
 *
 * They stop by the stop word of the memory of the process and `wake`.
 */
import { Worker } from 'node:worker_threads';
import type { Config } from '../config/model.ts';
import type { BadMessage } from '../proxy/http/bad-messages.ts';
import type { PageQuestion, PageReply } from '../proxy/http/page.ts';
import type { OpenListener } from '../proxy/proxy-thread.ts';
import type { SessionReport } from '../proxy/session-list.ts';
import type { BufferCounts } from '../reactor/buffers.ts';
import { EFD_CLOEXEC, EFD_NONBLOCK } from '../system/abi/linux.ts';
import { check } from '../system/errors.ts';
import * as libc from '../system/libc.ts';
import type { AddressChange } from './address-change.ts';
import { Answers } from './answers.ts';
import {
  type DataSettings,
  type FromData,
  type GenerationSettings,
  type LineKey,
  type LineTarget,
  lineKey,
  type ToData,
} from './data-messages.ts';
import { createLineRing, LineRing } from './line-ring.ts';
import { type SharedMemory, THREAD_DATA } from './shared-memory.ts';

/** A configuration for one thread. */
export type DataGeneration = {
  readonly generation: number;
  readonly config: Config;
  readonly memory: SharedMemory;
  readonly listeners: readonly OpenListener[];
  /** Descriptors that other threads listen on. */
  readonly elsewhere: readonly number[];
};

/** Requests leave hardly any garbage: a small place for it is emptied quickly, stays in the cache, and costs no memory. */
const YOUNG_MB = 6;

/** How long a data thread may take to answer a question; it passes its loop thousands of times in that time. */
const ANSWER_MS = 1_000;

export type DataThreadOptions = {
  /** 0, 1, … */
  readonly number: number;
  /** Where its heartbeat is. */
  readonly process: { readonly memory: SharedMemory; readonly place: number };
  readonly first: DataGeneration;
  /** CARPOOL_REACTOR. */
  readonly reactor: string | undefined;
  readonly buffers: BufferCounts;
  /** It accepts. The reason says why it runs on this back end. */
  readonly onRunning: (reactor: 'ring' | 'epoll', reason: string) => void;
  /** It serves this generation now. */
  readonly onConfigured: (generation: number) => void;
  /** A client wants a page that main writes. */
  readonly onPage: (generation: number, question: PageQuestion) => Promise<PageReply>;
  /** Log lines of requests for a descriptor or a ring, each with its newline. */
  readonly onLines: (key: LineKey, lines: Uint8Array) => void;
  /** So many lines could not be sent. */
  readonly onDropped: (lines: number) => void;
  /** There was no descriptor or memory for another connection (errno). */
  readonly onShortage: (error: number) => void;
  /** The thread threw: a mistake of ours. */
  readonly onError: (error: Error) => void;
  readonly onExit: () => void;
};

export type DataHandle = {
  /** Its place in the memory of the process. */
  readonly place: number;
  /** Undefined until it runs. */
  reactor(): { readonly kind: 'ring' | 'epoll'; readonly reason: string } | undefined;
  wake(): void;
  configure(next: DataGeneration): void;
  /** It serves whom it has, and ends. `elsewhere`: descriptors that others go on with. */
  leave(elsewhere: readonly number[]): void;
  /** Servers of this generation are elsewhere from now on. */
  moveServers(generation: number, changes: readonly AddressChange[]): void;
  /** Clients of this generation that are left lose their connections. */
  abandon(generation: number): void;
  /** Gives free buffers and garbage back to the system. */
  trim(): void;
  /** Replies say `Connection: close`; after the stop word clients may go on so long (null: without limit). */
  announceEnd(limit_ms: number | null): void;
  /** Undefined: no answer in time. */
  sessions(): Promise<readonly SessionReport[] | undefined>;
  badMessages(): Promise<readonly BadMessage[] | undefined>;
  /** How many were ended. */
  endSessions(which: { id: string } | { server: number }): Promise<number | undefined>;
};

export function startDataThread(options: DataThreadOptions): DataHandle {
  const { process } = options;
  const wake_fd = check(libc.eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK), 'eventfd');
  const one = libc.allocatePinned(8);
  one.words[0] = 1;
  const rings = new Map<LineKey, SharedArrayBuffer>();
  const readers = new Map<LineKey, LineRing>();
  const settingsOf = (generation: DataGeneration) => generationSettings(generation, rings, readers);
  const settings: DataSettings = {
    thread: THREAD_DATA + options.number,
    process: {
      shared: process.memory.words.buffer as SharedArrayBuffer,
      counts: process.memory.counts,
      place: process.place,
    },
    first: settingsOf(options.first),
    wake_fd,
    reactor: options.reactor,
    buffers: options.buffers,
  };
  const worker = new Worker(new URL('./data.js', import.meta.url), {
    workerData: settings,
    resourceLimits: { maxYoungGenerationSizeMb: YOUNG_MB },
  });
  let exited = false;
  let reactor: ReturnType<DataHandle['reactor']>;
  const answers = new Answers(ANSWER_MS);
  worker.on('message', (message: FromData) => {
    if (message.kind === 'running') {
      reactor = { kind: message.reactor, reason: message.reason };
      options.onRunning(message.reactor, message.reason);
    } else if (message.kind === 'configured') options.onConfigured(message.generation);
    else if (message.kind === 'page') void answerPage(message.generation, message.question);
    else if (message.kind === 'sessions') answers.give(message.ask, message.sessions);
    else if (message.kind === 'bad-messages') answers.give(message.ask, message.messages);
    else if (message.kind === 'ended') answers.give(message.ask, message.count);
    else if (message.kind === 'lines') options.onLines(message.key, readers.get(message.key)!.takeAll());
    else if (message.kind === 'shortage') options.onShortage(message.error);
    else options.onDropped(message.lines);
  });
  worker.on('error', options.onError);
  worker.on('exit', () => {
    exited = true;
    for (const [key, reader] of readers) options.onLines(key, reader.takeAll());
    libc.close(wake_fd);
    libc.munmap(one.address, 8);
    options.onExit();
  });
  const wake = () => {
    if (!exited) libc.write(wake_fd, one.address, 8);
  };
  const post = (message: ToData) => {
    worker.postMessage(message);
    wake();
  };
  const answerPage = async (generation: number, question: PageQuestion) => {
    const reply = await options.onPage(generation, question);
    post({ kind: 'page', ask: question.ask, generation, reply });
  };
  const ask = <T>(question: (number: number) => ToData): Promise<T | undefined> =>
    answers.ask((number) => post(question(number))) as Promise<T | undefined>;
  return {
    place: process.place,
    reactor: () => reactor,
    wake,
    configure: (next) => post({ kind: 'configure', settings: settingsOf(next) }),
    leave: (elsewhere) => post({ kind: 'leave', elsewhere }),
    moveServers: (generation, changes) => post({ kind: 'addresses', generation, changes }),
    abandon: (generation) => post({ kind: 'abandon', generation }),
    sessions: () => ask((number) => ({ kind: 'list-sessions', ask: number })),
    badMessages: () => ask((number) => ({ kind: 'list-bad-messages', ask: number })),
    trim: () => post({ kind: 'trim' }),
    endSessions: (which) => ask((number) => ({ kind: 'end-sessions', ask: number, which })),
    announceEnd: (limit_ms) => post({ kind: 'announce-end', limit_ms }),
  };
}

/** Adds a way for each descriptor and ring that is new. */
function generationSettings(
  { generation, config, memory, listeners, elsewhere }: DataGeneration,
  rings: Map<LineKey, SharedArrayBuffer>,
  readers: Map<LineKey, LineRing>,
): GenerationSettings {
  for (const key of lineKeys(config)) {
    if (rings.has(key)) continue;
    const ring = createLineRing();
    rings.set(key, ring);
    readers.set(key, new LineRing(ring));
  }
  const lines = [...rings].map(([key, ring]): LineTarget => ({ key, ring }));
  const shared = memory.words.buffer as SharedArrayBuffer;
  return { generation, config, shared, counts: memory.counts, listeners, elsewhere, lines };
}

/** What the targets of the configuration need main for. */
function lineKeys(config: Config): LineKey[] {
  const targets = config.frontends.flatMap(({ log_targets }) => log_targets);
  return [...new Set(targets.flatMap(({ to }) => lineKey(to) ?? []))];
}
