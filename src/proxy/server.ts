/**
 * A server as one data thread sees it: where it is, and this thread's idle connections to it. What all threads must agree on
 * (state, weight, connections) stands in shared memory.
 */
import type * as model from '../config/model.ts';
import type { Socket } from '../reactor/socket.ts';
import { type AddressPlace, encodeSocketAddress, type PinnedAddress } from '../system/socket-address.ts';
import { IDLE_CONNECTIONS, type Row, SESSIONS, serverRow } from '../threads/counters.ts';
import { noteLiveError, noteLiveSuccess } from '../threads/live-errors.ts';
import * as shared from '../threads/shared-memory.ts';
import { startingShare, WHOLE_SHARE } from './balance/limit.ts';
import { destinationOf } from './ends.ts';
import type { ServerConnection } from './http/server-connection.ts';
import { endpointFor, followsClient } from './mapped-address.ts';
import { WaitingLine } from './waiting-line.ts';

/** Idle connections a thread keeps to one server. */
export const IDLE_LIMIT = 512;
/** So long, and not longer than twice that, a server is expected to be used as much again as it was. */
const EXPECTED_MS = 5_000;
/** So many connections more are kept, for a quiet server. */
const SPARE = 8;
/** Idle connections that are looked at for one that was used before. */
const PROVEN_LOOKS = 16;
/** Another thread can come between a look and a change so many times before we call the server full. */
const ENTER_TRIES = 64;

export class Server {
  readonly config: model.Server;
  /** Its place in the backend, and its number through all backends. */
  readonly position: number;
  readonly number: number;
  /** What consistent hashes and `balance first` know it by. */
  readonly id: number;
  readonly name_bytes: Uint8Array;
  /** Where it is now; its address is '' and `address` null while its name does not resolve. */
  endpoint: model.Endpoint;
  address: PinnedAddress | null;
  /** Where it is depends on the client. */
  follows_client: boolean;
  /** Sets what is wanted of a new connection; false: the system refuses. Null: nothing is. */
  prepare: ((fd: number) => boolean) | null = null;
  readonly idle: ServerConnection[] = [];
  /** This thread's connections to it, idle ones among them. */
  private open_count = 0;
  /** The most that were in use at once, in the present period and in the one before. */
  private most_used = 0;
  private most_used_before = 0;
  private period_ms = 0;
  /** Those of this thread that wait for this server and no other. */
  readonly waiting: WaitingLine;
  /** It is to be looked at for those who wait: some may have become its turn. */
  room_noted = false;
  /** This thread's. */
  readonly counters: Row;
  /** This thread's share of `pool-max-conn`. */
  private readonly idle_limit: number;
  private readonly memory: shared.SharedMemory;
  private readonly at: number;

  constructor(config: model.Server, position: number, number: number, memory: shared.SharedMemory, thread: number) {
    this.config = config;
    this.position = position;
    this.number = number;
    this.id = config.id ?? position + 1;
    this.name_bytes = new TextEncoder().encode(config.name);
    this.endpoint = config.endpoint;
    this.address = pinnedAddress(config.endpoint);
    this.follows_client = followsClient(config.endpoint);
    this.memory = memory;
    this.counters = serverRow(memory, thread, number);
    this.idle_limit = shareOf(
      config.pool_max_conn,
      thread - shared.THREAD_DATA,
      memory.counts.threads - shared.THREAD_DATA,
    );
    this.at = shared.serverAt(memory, number);
    const row = shared.queueAt(memory, thread, number);
    this.waiting = new WaitingLine(memory, row, this.at + shared.SERVER_QUEUED);
  }

  /** It can serve those who are bound to it, also while it is drained of all others. */
  get running(): boolean {
    return (
      this.address !== null &&
      this.read(shared.SERVER_OPERATIONAL) !== shared.SERVER_DOWN &&
      (this.read(shared.SERVER_ADMINISTRATIVE) & shared.ADMIN_ANY_MAINTENANCE) === 0
    );
  }

  get usable(): boolean {
    const takes_clients = this.read(shared.SERVER_OPERATIONAL) === shared.SERVER_UP;
    return this.running && takes_clients && this.read(shared.SERVER_ADMINISTRATIVE) === 0;
  }

  get weight(): number {
    return this.read(shared.SERVER_WEIGHT);
  }

  /** It has a `maxconn`, or its agent may give it one: requests may have to wait for it. */
  get limited(): boolean {
    const { config } = this;
    return config.maxconn !== undefined || config.agent !== undefined || this.read(shared.SERVER_SET_MAXCONN) > 0;
  }

  /** It is elsewhere from now on. Connections that lie idle are of no use any more; those in use go on. */
  move(endpoint: model.Endpoint): void {
    this.endpoint = endpoint;
    this.address = pinnedAddress(endpoint);
    this.follows_client = followsClient(endpoint);
    for (const connection of [...this.idle]) connection.close();
  }

  /** Where it is for a client. Null: nowhere. `place` is the connection's own. */
  addressFor(client: Socket, place: AddressPlace): PinnedAddress | null {
    if (!this.follows_client) return this.address;
    const destination = destinationOf(client);
    return destination ? place.put(endpointFor(this.endpoint, this.config.port_offset, destination)) : null;
  }

  /** What its agent says, else what people set, else what is configured; undefined: none. */
  get maxconn(): number | undefined {
    return this.read(shared.SERVER_AGENT_MAXCONN) || this.read(shared.SERVER_SET_MAXCONN) || this.config.maxconn;
  }

  /** Sixteenths of its share: less than all of them for some time after it came back, if it starts slowly. */
  shareAt(now_ms: number): number {
    const { slowstart_ms } = this.config;
    if (slowstart_ms === undefined) return WHOLE_SHARE;
    const up_since_ms = this.read(shared.SERVER_UP_SINCE_MS);
    return up_since_ms === 0 ? WHOLE_SHARE : startingShare((now_ms - up_since_ms) & 0x7fffffff, slowstart_ms);
  }

  /** Of all threads. */
  get connections(): number {
    return this.read(shared.SERVER_CONNECTIONS);
  }

  /** A request or a TCP session begins to use the server. */
  enter(): void {
    const { words } = this.memory;
    this.noteEntered(Atomics.add(words, this.at + shared.SERVER_CONNECTIONS, 1) + 1);
  }

  /** The same where the server may serve `limit` at once. False: it does already. */
  tryEnter(limit: number): boolean {
    const { words } = this.memory;
    const word = this.at + shared.SERVER_CONNECTIONS;
    for (let tries = 0; tries < ENTER_TRIES; tries++) {
      const count = Atomics.load(words, word);
      if (count >= limit) return false;
      if (Atomics.compareExchange(words, word, count, count + 1) === count) {
        this.noteEntered(count + 1);
        return true;
      }
    }
    return false;
  }

  private noteEntered(count: number): void {
    this.count(shared.SERVER_TOTAL);
    this.counters[SESSIONS]++;
    shared.raise(this.memory, this.at + shared.SERVER_CONNECTIONS_MAX, count);
  }

  leave(): void {
    Atomics.sub(this.memory.words, this.at + shared.SERVER_CONNECTIONS, 1);
  }

  // ── what `observe` sees ───────────────────────────────────────────────────────────────────────

  connected(): void {
    if (this.config.observe?.layer === 4) noteLiveSuccess(this.memory, this.number);
  }

  connectFailed(): void {
    const { observe } = this.config;
    if (observe) noteLiveError(this.memory, this.number, observe.error_limit);
  }

  /** 100 to 499, 501 and 505 are what a server in health may say. */
  answered(status: number): void {
    const { observe } = this.config;
    if (observe?.layer !== 7) return;
    if (status < 500 || status === 501 || status === 505) noteLiveSuccess(this.memory, this.number);
    else noteLiveError(this.memory, this.number, observe.error_limit);
  }

  /** No answer, in time, that could be understood. */
  answerFailed(): void {
    const { observe } = this.config;
    if (observe?.layer === 7) noteLiveError(this.memory, this.number, observe.error_limit);
  }

  /** `word`: one of SERVER_*. */
  count(word: number): void {
    Atomics.add(this.memory.words, this.at + word, 1);
  }

  private read(word: number): number {
    return Atomics.load(this.memory.words, this.at + word);
  }

  /** The connection used last: the one whose server is least likely to be about to close it. */
  takeIdle(): ServerConnection | null {
    const connection = this.idle[this.idle.length - 1];
    if (!connection) return null;
    this.forgetIdle(connection);
    this.noteUsed();
    return connection;
  }

  /** The same, but only one that served more than one request already. */
  takeProven(): ServerConnection | null {
    for (let index = this.idle.length - 1; index >= Math.max(0, this.idle.length - PROVEN_LOOKS); index--) {
      const connection = this.idle[index];
      if (connection.uses < 2) continue;
      this.forgetIdle(connection);
      this.noteUsed();
      return connection;
    }
    return null;
  }

  /** One that nobody is likely to need is closed at once, while all about it is still in the cache. */
  putIdle(connection: ServerConnection, now_ms: number): void {
    if (this.idle.length >= this.idle_limit || this.open_count > this.neededAt(now_ms) + SPARE) {
      connection.close();
      return;
    }
    connection.idle_index = this.idle.length;
    this.counters[IDLE_CONNECTIONS] = this.idle.push(connection);
  }

  connectionOpened(): void {
    this.open_count++;
    this.noteUsed();
  }

  connectionGone(): void {
    this.open_count--;
  }

  private noteUsed(): void {
    this.most_used = Math.max(this.most_used, this.open_count - this.idle.length);
  }

  /** As many as were in use at once not long ago. */
  private neededAt(now_ms: number): number {
    const passed_ms = now_ms - this.period_ms;
    if (passed_ms >= EXPECTED_MS) {
      this.most_used_before = passed_ms < 2 * EXPECTED_MS ? this.most_used : 0;
      this.most_used = this.open_count - this.idle.length;
      this.period_ms = now_ms;
    }
    return Math.max(this.most_used, this.most_used_before);
  }

  forgetIdle(connection: ServerConnection): void {
    const index = connection.idle_index;
    if (index < 0) return;
    connection.idle_index = -1;
    const last = this.idle.pop() as ServerConnection;
    this.counters[IDLE_CONNECTIONS] = this.idle.length;
    if (last === connection) return;
    this.idle[index] = last;
    last.idle_index = index;
  }
}

function pinnedAddress(endpoint: model.Endpoint): PinnedAddress | null {
  return endpoint.address === '' ? null : encodeSocketAddress(endpoint);
}

/** The shares of all threads are the whole, or less. */
function shareOf(most: number | undefined, thread: number, threads: number): number {
  if (most === undefined) return IDLE_LIMIT;
  return Math.min(IDLE_LIMIT, Math.floor(most / threads) + (thread < most % threads ? 1 : 0));
}
