/**
 * A generation: one configuration as it runs, with shared memory of its own. A reload makes the next one, which starts with
 * what is known of the servers that both have; the one before goes on until its last client has gone.
 */
import type { Config } from '../config/model.ts';
import type { BufferCounts } from '../reactor/buffers.ts';
import type { ListenerSet } from '../threads/listeners.ts';
import {
  createSharedMemory,
  type SharedMemory,
  THREAD_CONNECTIONS,
  THREAD_DATA,
  THREAD_OLDEST_MS,
  THREAD_RETIRED,
  threadAt,
} from '../threads/shared-memory.ts';
import { createDemoter, type Demoter, type DemotionChange } from './demoter.ts';
import { createServerTable, type KnownServers, type Origins, type ServerTable } from './server-table.ts';
import { Tally } from './stats/tally.ts';

export type Generation = {
  /** 1, 2, … */
  readonly number: number;
  /** With the servers' names resolved. */
  readonly config: Config;
  readonly memory: SharedMemory;
  readonly listeners: ListenerSet;
  /** Of a data thread that starts with it. */
  readonly buffers: BufferCounts;
  readonly servers: ServerTable;
  readonly demoter: Demoter;
  readonly tally: Tally;
  readonly started_ns: number;
  /** When the next one took over; -1: it is the one that holds. */
  replaced_ns: number;
};

export type GenerationOptions = {
  readonly config: Config;
  /** Where its servers' addresses come from. */
  readonly origins: Origins;
  readonly listeners: ListenerSet;
  /** Of a data thread that starts with it. */
  readonly buffers: BufferCounts;
  readonly threads: number;
  readonly started_ns: number;
  readonly previous: Generation | undefined;
  /** What servers begin with where there is no `previous`. */
  readonly known?: KnownServers;
  readonly onDemotion: (change: DemotionChange) => void;
};

export function createGeneration(options: GenerationOptions): Generation {
  const { config, origins, listeners, buffers, threads, started_ns, previous, known } = options;
  const memory = createSharedMemory({
    threads: THREAD_DATA + threads,
    servers: config.backends.reduce((sum, backend) => sum + backend.servers.length, 0),
    backends: config.backends.length,
    frontends: config.frontends.length,
    binds: config.frontends.reduce((sum, { binds }) => sum + binds.length, 0),
  });
  const servers = createServerTable(config, memory, previous?.servers ?? known, origins);
  const demoter = createDemoter(config, servers.serversOf, options.onDemotion, previous?.demoter);
  const number = (previous?.number ?? 0) + 1;
  const tally = new Tally(memory, started_ns / 1e6);
  return { number, config, memory, listeners, buffers, servers, demoter, tally, started_ns, replaced_ns: -1 };
}

/** Clients of all data threads that are connected to it. */
export function countClients({ memory }: Generation): number {
  return sumOfThreads(memory, THREAD_CONNECTIONS);
}

/** No data thread serves anybody by it. */
export function isRetired({ memory }: Generation): boolean {
  return sumOfThreads(memory, THREAD_RETIRED) === memory.counts.threads - THREAD_DATA;
}

/** When the client came that has been here longest (monotonic, low 31 bits of milliseconds); threads look once a second. */
export function oldestClient_ms31({ memory }: Generation): number | undefined {
  const times = threadNumbers(memory)
    .filter((thread) => readWord(memory, thread, THREAD_CONNECTIONS) > 0)
    .map((thread) => readWord(memory, thread, THREAD_OLDEST_MS))
    .filter((time_ms) => time_ms > 0);
  return times.length === 0 ? undefined : Math.min(...times);
}

function sumOfThreads(memory: SharedMemory, word: number): number {
  return threadNumbers(memory).reduce((sum, thread) => sum + readWord(memory, thread, word), 0);
}

function threadNumbers({ counts }: SharedMemory): number[] {
  return Array.from({ length: counts.threads - THREAD_DATA }, (_, number) => THREAD_DATA + number);
}

function readWord(memory: SharedMemory, thread: number, word: number): number {
  return Atomics.load(memory.words, threadAt(memory, thread) + word);
}
