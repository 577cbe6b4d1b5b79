/** What the conditions and formats of one thread are about: filled for one client at a time, so that asking allocates nothing. */
import type { Socket } from '../../reactor/socket.ts';
import type { Backend } from '../backend.ts';
import { destinationOf, sourceOf } from '../ends.ts';
import type { Frontend } from '../frontend.ts';
import type { ProxyThread } from '../proxy-thread.ts';
import type { Outcome, Place, Proxies, RequestHead, ResponseHead, Subject } from '../sample/subject.ts';
import type { Server } from '../server.ts';

export class Facts implements Subject, Proxies {
  readonly bytes: Uint8Array;
  readonly proxies: Proxies = this;
  head: RequestHead | null = null;
  response: ResponseHead | null = null;
  outcome: Outcome | null = null;
  private readonly thread: ProxyThread;
  private frontend!: Frontend;
  private backend: Backend | null = null;
  private socket!: Socket;

  constructor(thread: ProxyThread) {
    this.thread = thread;
    this.bytes = thread.reactor.buffers.bytes;
  }

  /** `head`: the thread's request message, filled; null in mode tcp. `backend`: where the rule stands, or where requests go anyway. */
  about(frontend: Frontend, backend: Backend | null, socket: Socket, head: RequestHead | null): this {
    this.frontend = frontend;
    this.backend = backend;
    this.socket = socket;
    this.head = head;
    this.response = null;
    this.outcome = null;
    return this;
  }

  /** After `about`: the thread's response message, filled. */
  answeredBy(response: ResponseHead): this {
    this.response = response;
    return this;
  }

  /** After `about`: for a log line. */
  withOutcome(outcome: Outcome): this {
    this.outcome = outcome;
    return this;
  }

  get source(): Place | undefined {
    return sourceOf(this.socket);
  }

  get destination(): Place | undefined {
    return destinationOf(this.socket);
  }

  get frontend_name(): string {
    return this.frontend.config.name;
  }

  get frontend_connections(): number {
    return this.frontend.connection_count;
  }

  /** Those that take traffic; where there are none, one backup server counts that would. */
  usableServers(name: string): number {
    const servers = this.named(name)?.servers.filter((server) => server.usable && server.weight > 0) ?? [];
    const active = servers.filter(({ config }) => !config.backup).length;
    return active > 0 ? active : Math.min(servers.length, 1);
  }

  isUp(backend: string, server: string): boolean {
    return this.serverNamed(backend, server)?.running ?? false;
  }

  serverConnections(backend: string, server: string): number {
    return this.serverNamed(backend, server)?.connections ?? 0;
  }

  serverQueue(backend: string, server: string): number {
    return this.serverNamed(backend, server)?.waiting.queued ?? 0;
  }

  backendQueue(name: string): number {
    const backend = this.named(name);
    if (!backend) return 0;
    return backend.servers.reduce((sum, { waiting }) => sum + waiting.queued, backend.waiting.queued);
  }

  backendConnections(name: string): number {
    return this.named(name)?.connections ?? 0;
  }

  groupsIn(userlist: string, authorization: string | undefined): readonly string[] | undefined {
    return this.thread.accounts.find(userlist, authorization)?.groups;
  }

  private named(name: string): Backend | null {
    if (name === '') return this.backend;
    return this.thread.backends.find(({ config }) => config.name === name) ?? null;
  }

  private serverNamed(backend: string, name: string): Server | undefined {
    return this.named(backend)?.servers.find(({ config }) => config.name === name);
  }
}
