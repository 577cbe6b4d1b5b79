/**
 * What people change of a server at run time. Data threads read state, weight and limit in shared memory; the checks thread is told anew whom to ask, and takes up what shared memory says.
 */
import type { Endpoint, Server } from '../../config/model.ts';
import * as shared from '../../threads/shared-memory.ts';
import { viewOf } from '../stats/view.ts';
import type { RuntimeDaemon } from './command.ts';
import type { FoundServer } from './lookup.ts';

export class ServerChange {
  private readonly daemon: RuntimeDaemon;
  private readonly found: FoundServer;
  private readonly at: number;
  private readonly words: Int32Array;

  constructor(daemon: RuntimeDaemon, found: FoundServer) {
    const { memory } = daemon.generation();
    this.daemon = daemon;
    this.found = found;
    this.words = memory.words;
    this.at = shared.serverAt(memory, found.server.number);
  }

  get config(): Server {
    return this.found.server.config;
  }

  get endpoint(): Endpoint {
    return this.daemon.generation().servers.endpointOf(this.config);
  }

  get weight(): number {
    return Atomics.load(this.words, this.at + shared.SERVER_WEIGHT);
  }

  private get name(): string {
    return `${this.found.proxy.name}/${this.config.name}`;
  }

  /** `ready`, `drain`, `maint`: what people set, beside what checks say. */
  setState(state: 'ready' | 'drain' | 'maint'): void {
    const mask = { ready: 0, drain: shared.ADMIN_DRAIN, maint: shared.ADMIN_MAINTENANCE }[state];
    const { memory } = this.daemon.generation();
    for (const { server } of this.withFollowers()) {
      const word = shared.serverAt(memory, server.number) + shared.SERVER_ADMINISTRATIVE;
      Atomics.and(this.words, word, shared.ADMIN_UNRESOLVED); // what resolving says stays
      Atomics.or(this.words, word, mask);
    }
    this.done(`is set to ${state}`);
  }

  setWeight(weight: number): void {
    Atomics.store(this.words, this.at + shared.SERVER_WEIGHT, weight);
    this.done(`has the weight ${weight}`);
  }

  setMaxconn(maxconn: number): void {
    Atomics.store(this.words, this.at + shared.SERVER_SET_MAXCONN, maxconn);
    this.done(`has maxconn ${maxconn}`);
  }

  /** As if its checks, or its agent, had said so; they may say something else next time. */
  setHealth(health: 'up' | 'stopping' | 'down'): void {
    const { check } = this.config;
    const operational = { up: shared.SERVER_UP, stopping: shared.SERVER_STOPPING, down: shared.SERVER_DOWN }[health];
    const top = check ? check.rise + check.fall - 1 : 1;
    Atomics.store(this.words, this.at + shared.SERVER_OPERATIONAL, operational);
    Atomics.store(this.words, this.at + shared.SERVER_HEALTH, health === 'down' ? 0 : top);
    this.done(`is ${health} because somebody said so`, true);
  }

  setAgent(state: 'up' | 'down'): void {
    Atomics.store(this.words, this.at + shared.SERVER_AGENT_HEALTH, state === 'up' ? 1 : 0);
    const operational = state === 'up' ? shared.SERVER_UP : shared.SERVER_DOWN;
    Atomics.store(this.words, this.at + shared.SERVER_OPERATIONAL, operational);
    this.done(`is ${state}: somebody spoke for its agent`, true);
  }

  moveTo(endpoint: Endpoint): void {
    this.daemon.moveServer(this.found.proxy.name, this.config.name, endpoint);
    this.done(`is at ${endpoint.address} port ${endpoint.port}`);
  }

  /** Whom the checks thread asks, and where; undefined: nobody any more. */
  setChecks(changed: Pick<Server, 'check'> | Pick<Server, 'agent'>, text: string): void {
    this.amend(changed);
    this.done(text, true);
  }

  /** This daemon's own copy of the configuration, from which its parts are told anew; files say what they say. */
  private amend(changed: Partial<Server>): void {
    Object.assign(this.config, changed);
  }

  /** This server and all that track it, or one that does: as checks and agents, people speak for them too. */
  private withFollowers(): readonly FoundServer[] {
    const all = viewOf(this.daemon.generation()).proxies.flatMap((proxy) =>
      (proxy.backend?.servers ?? []).map((server): FoundServer => ({ proxy, server })),
    );
    const reached = new Set<FoundServer>([this.found]);
    for (const { proxy, server } of reached) {
      for (const each of all) {
        const { track } = each.server.config;
        if (track?.backend === proxy.name && track.server === server.config.name) reached.add(each);
      }
    }
    return [...reached];
  }

  private done(text: string, restart_checks = false): void {
    const { memory } = this.daemon.generation();
    for (const { proxy } of this.withFollowers()) {
      const backend = shared.backendAt(memory, proxy.backend!.number);
      Atomics.add(this.words, backend + shared.BACKEND_VERSION, 1);
    }
    for (const handle of this.daemon.data()) handle.wake();
    this.daemon.log(`server ${this.name} ${text} (runtime command)`);
    this.daemon.serversChanged(restart_checks);
  }
}
