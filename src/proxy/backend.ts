/** A backend as one data thread sees it: its servers and the picker over those that can take traffic now. */
import type * as model from '../config/model.ts';
import { backendRow, type Row, SESSIONS } from '../threads/counters.ts';
import * as shared from '../threads/shared-memory.ts';
import { type Algorithm, algorithmOf } from './balance/algorithm.ts';
import { limitOf, WHOLE_SHARE } from './balance/limit.ts';
import { ALL_FULL, emptyPicker, type Loads, NO_SERVER, type Picker } from './balance/picker.ts';
import { type HashKey, hashKeyOf } from './hash-key.ts';
import { type ErrorReplies, ownReplies } from './http/error-replies.ts';
import { NameField } from './http/name-field.ts';
import { PageRoutes } from './http/page-routes.ts';
import { type RetryRules, retryRulesOf } from './http/retry-rules.ts';
import { SessionCookie } from './http/session-cookie.ts';
import { prepareSocketOf } from './prepare-socket.ts';
import { ServerRules } from './rules/server-rules.ts';
import { Server } from './server.ts';
import { WaitingLine } from './waiting-line.ts';

/** Of a slow start: how often a server's share is counted anew, as in HAProxy. */
const STEPS_OF_A_START = 20;

/** Where a backend stands: its number, the number of its first server through all backends, and the thread that looks at it. */
export type BackendPlace = {
  readonly number: number;
  readonly first_server: number;
  readonly memory: shared.SharedMemory;
  /** In shared memory. */
  readonly thread: number;
  /** What `fullconn` is where nobody wrote it. */
  readonly fullconn: number;
  /** 32 bits. */
  readonly random: () => number;
};

export class Backend implements Loads {
  readonly config: model.Backend;
  readonly name_bytes: Uint8Array;
  readonly error_replies: ErrorReplies;
  readonly servers: readonly Server[];
  readonly connect_ms: number;
  readonly server_ms: number;
  readonly queue_ms: number;
  /** Those of this thread that wait for any of the servers. */
  readonly waiting: WaitingLine;
  readonly number: number;
  readonly random: () => number;
  /** Null: nothing of a request says which server gets it. */
  readonly hash_key: HashKey | null;
  readonly cookie: SessionCookie | null;
  /** Null: servers are not told their names. */
  readonly name_field: NameField | null;
  /** This thread's. */
  readonly counters: Row;
  readonly retry: RetryRules;
  readonly server_rules: ServerRules | null;
  /** Null: it serves none of our own pages. */
  readonly pages: PageRoutes | null;
  private readonly memory: shared.SharedMemory;
  private readonly at: number;
  private readonly fullconn: number;
  private readonly algorithm: Algorithm;
  private picker: Picker = emptyPicker;
  private picker_version = -1;
  /** While a server starts slowly the picker holds for a while only. */
  private rebuild_ms = Number.POSITIVE_INFINITY;
  private now_ms = 0;
  /** Of each server, whether the picker has it. */
  private readonly chosen: Uint8Array;

  constructor(config: model.Backend, place: BackendPlace) {
    const { number, first_server, memory, thread } = place;
    this.config = config;
    this.number = number;
    this.memory = memory;
    this.counters = backendRow(memory, thread, number);
    this.random = place.random;
    this.fullconn = config.fullconn ?? place.fullconn;
    this.name_bytes = new TextEncoder().encode(config.name);
    this.error_replies = ownReplies(config.error_files);
    this.servers = config.servers.map(
      (server, position) => new Server(server, position, first_server + position, memory, thread),
    );
    for (const server of this.servers) server.prepare = prepareSocketOf(server.config, config);
    this.hash_key = hashKeyOf(config);
    this.cookie = config.cookie ? new SessionCookie(config.cookie, config, this.servers, wallClock_s) : null;
    const { name_header } = config.http;
    this.name_field = name_header === undefined ? null : new NameField(name_header, config.servers);
    this.server_rules = ServerRules.of(config, this.servers);
    this.retry = retryRulesOf(config);
    this.pages = PageRoutes.of(config);
    this.chosen = new Uint8Array(this.servers.length);
    this.algorithm = algorithmOf(
      config,
      this.servers.map(({ position, id, config: { weight } }) => ({ position, id, weight })),
    );
    this.connect_ms = config.timeouts.connect_ms ?? Number.POSITIVE_INFINITY;
    this.server_ms = config.timeouts.server_ms ?? Number.POSITIVE_INFINITY;
    this.queue_ms = config.timeouts.queue_ms ?? this.connect_ms;
    this.at = shared.backendAt(memory, number);
    const row = shared.queueAt(memory, thread, memory.counts.servers + number);
    this.waiting = new WaitingLine(memory, row, this.at + shared.BACKEND_QUEUED);
  }

  /**
   * The position of the next server, NO_SERVER or ALL_FULL. `hash` is the request's, or NO_HASH. `avoid` has just failed and is
   * taken only if it is the last one.
   */
  pick(hash: number, avoid: Server | null, now_ms: number): number {
    const version = this.version;
    if (version !== this.picker_version || now_ms >= this.rebuild_ms) this.rebuild(version, now_ms);
    this.now_ms = now_ms;
    if (this.waiting.queued > 0 && !this.algorithm.hashes && this.picker !== emptyPicker) return ALL_FULL;
    const turn = Atomics.add(this.memory.words, this.at + shared.BACKEND_ROUND, 1);
    return this.picker.pick(turn, hash, avoid ? avoid.position : NO_SERVER, this);
  }

  /** By its number through all backends. */
  moveServer(number: number, endpoint: model.Endpoint): void {
    const server = this.servers[number - this.servers[0].number];
    server.move(endpoint);
    if (this.config.cookie?.dynamic) this.cookie?.nameServers(this.servers, this.config);
    this.picker_version = -1;
  }

  /** Changes with the state or the weight of any server. */
  get version(): number {
    return Atomics.load(this.memory.words, this.at + shared.BACKEND_VERSION);
  }

  /** What a request is hashed by decides which server gets it. */
  get hashes(): boolean {
    return this.algorithm.hashes;
  }

  /** How many requests a server may serve at once. */
  limitOf(server: Server, now_ms: number): number {
    if (!server.limited) return Number.POSITIVE_INFINITY;
    const { maxconn } = server;
    const { minconn } = server.config;
    if (maxconn === undefined) return Number.POSITIVE_INFINITY;
    return limitOf({ maxconn, minconn, fullconn: this.fullconn }, this.connections, server.shareAt(now_ms));
  }

  /** The server is one of those that balancing gives traffic to. */
  gives(server: Server, now_ms: number): boolean {
    const version = this.version;
    if (version !== this.picker_version) this.rebuild(version, now_ms);
    return this.chosen[server.position] === 1;
  }

  // ── the loads, for pickers ────────────────────────────────────────────────────────────────────

  connectionsOf(position: number): number {
    const server = this.servers[position];
    return server.limited ? server.connections + server.waiting.queued : server.connections;
  }

  isFull(position: number): boolean {
    const server = this.servers[position];
    if (!server.limited) return false;
    return server.waiting.queued > 0 || server.connections >= this.limitOf(server, this.now_ms);
  }

  // ── counts of all threads ─────────────────────────────────────────────────────────────────────

  enter(): void {
    const count = Atomics.add(this.memory.words, this.at + shared.BACKEND_CONNECTIONS, 1) + 1;
    shared.raise(this.memory, this.at + shared.BACKEND_CONNECTIONS_MAX, count);
    this.counters[SESSIONS]++;
  }

  leave(): void {
    Atomics.sub(this.memory.words, this.at + shared.BACKEND_CONNECTIONS, 1);
  }

  get connections(): number {
    return Atomics.load(this.memory.words, this.at + shared.BACKEND_CONNECTIONS);
  }

  /** Backup servers take traffic only when no other server can; then the first of them alone, or with `allbackups` all. */
  private rebuild(version: number, now_ms: number): void {
    this.picker_version = version;
    this.rebuild_ms = Number.POSITIVE_INFINITY;
    const usable = this.servers.filter((server) => server.usable && server.weight > 0);
    const rest = this.servers.filter((server) => server.config.takes_rest);
    const active = usable.filter((server) => !server.config.backup);
    const chosen =
      rest.length > 0 ? rest : active.length > 0 ? active : this.config.all_backups ? usable : usable.slice(0, 1);
    this.chosen.fill(0);
    const candidates = chosen.map((server) => {
      const { position, id, weight, config } = server;
      const share = server.shareAt(now_ms);
      const step_ms = share === WHOLE_SHARE ? Number.POSITIVE_INFINITY : (config.slowstart_ms ?? 0) / STEPS_OF_A_START;
      this.rebuild_ms = Math.min(this.rebuild_ms, now_ms + Math.max(1, step_ms));
      this.chosen[position] = 1;
      return { position, id, weight: this.algorithm.weigh(weight, share) };
    });
    this.picker = this.algorithm.build(candidates);
  }
}

function wallClock_s(): number {
  return Math.floor(Date.now() / 1000);
}
