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
import { createWakeUp } from './wake-up.ts';

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
  const wake_up = createWakeUp();
  const lines = new LineWays();
  const worker = new Worker(new URL('./data.js', import.meta.url), {
    workerData: threadSettings(options, generationSettings(options.first, lines), wake_up.fd),
    resourceLimits: { maxYoungGenerationSizeMb: YOUNG_MB },
  });
  const answers = new Answers(ANSWER_MS);
  let reactor: ReturnType<DataHandle['reactor']>;
  const post = (message: ToData) => {
    worker.postMessage(message);
    wake_up.wake();
  };
  const ask = <T>(question: (number: number) => ToData): Promise<T | undefined> =>
    answers.ask((number) => post(question(number))) as Promise<T | undefined>;
  worker.on('message', (message: FromData) => {
    if (message.kind === 'running') reactor = { kind: message.reactor, reason: message.reason };
    receive(message, { options, answers, lines, post });
  });
  worker.on('error', options.onError);
  worker.on('exit', () => {
    lines.takeRest(options.onLines);
    wake_up.close();
    options.onExit();
  });
  return {
    place: options.process.place,
    reactor: () => reactor,
    wake: wake_up.wake,
    configure: (next) => post({ kind: 'configure', settings: generationSettings(next, lines) }),
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

type Receiver = {
  readonly options: DataThreadOptions;
  readonly answers: Answers;
  readonly lines: LineWays;
  readonly post: (message: ToData) => void;
};

/** What the thread says goes to who asked, or to who started it. */
function receive(message: FromData, { options, answers, lines, post }: Receiver): void {
  switch (message.kind) {
    case 'running':
      return options.onRunning(message.reactor, message.reason);
    case 'configured':
      return options.onConfigured(message.generation);
    case 'page': {
      const { generation, question } = message;
      const { ask } = question;
      void options.onPage(generation, question).then((reply) => post({ kind: 'page', ask, generation, reply }));
      return;
    }
    case 'sessions':
      return answers.give(message.ask, message.sessions);
    case 'bad-messages':
      return answers.give(message.ask, message.messages);
    case 'ended':
      return answers.give(message.ask, message.count);
    case 'lines':
      return options.onLines(message.key, lines.take(message.key));
    case 'shortage':
      return options.onShortage(message.error);
    case 'dropped':
      return options.onDropped(message.lines);
  }
}

function threadSettings(options: DataThreadOptions, first: GenerationSettings, wake_fd: number): DataSettings {
  const { memory, place } = options.process;
  return {
    thread: THREAD_DATA + options.number,
    process: { shared: memory.words.buffer as SharedArrayBuffer, counts: memory.counts, place },
    first,
    wake_fd,
    reactor: options.reactor,
    buffers: options.buffers,
  };
}

function generationSettings(generation: DataGeneration, lines: LineWays): GenerationSettings {
  const { memory, config, listeners, elsewhere } = generation;
  const shared = memory.words.buffer as SharedArrayBuffer;
  return {
    generation: generation.generation,
    config,
    shared,
    counts: memory.counts,
    listeners,
    elsewhere,
    lines: lines.targetsOf(config),
  };
}

/** The rings in which log lines come that main writes. One that is there stays, whatever later configurations say. */
class LineWays {
  private readonly ways = new Map<LineKey, { readonly ring: SharedArrayBuffer; readonly reader: LineRing }>();

  /** Adds one for each descriptor and ring that is new, and gives all. */
  targetsOf(config: Config): LineTarget[] {
    for (const key of lineKeys(config)) {
      if (this.ways.has(key)) continue;
      const ring = createLineRing();
      this.ways.set(key, { ring, reader: new LineRing(ring) });
    }
    return [...this.ways].map(([key, { ring }]) => ({ key, ring }));
  }

  take(key: LineKey): Uint8Array {
    return this.ways.get(key)!.reader.takeAll();
  }

  /** What the thread left behind. */
  takeRest(onLines: DataThreadOptions['onLines']): void {
    for (const [key, { reader }] of this.ways) onLines(key, reader.takeAll());
  }
}

/** What the targets of the configuration need main for. */
function lineKeys(config: Config): LineKey[] {
  const targets = config.frontends.flatMap(({ log_targets }) => log_targets);
  return [...new Set(targets.flatMap(({ to }) => lineKey(to) ?? []))];
}
