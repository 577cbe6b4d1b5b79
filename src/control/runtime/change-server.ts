/**
 * What people change of a server at run time. Data threads read state, weight and limit in shared memory; the checks thread is told anew whom to ask, and takes up what shared memory says.
 */
import type { Endpoint, Server } from '../../config/model.ts';
import type { ServerPlace } from '../../health/plan.ts';
import type { Order } from '../../threads/administrative.ts';
import * as shared from '../../threads/shared-memory.ts';
import { orderServer, setServerState } from '../administer.ts';
import type { RuntimeDaemon } from './command.ts';
import type { FoundServer } from './lookup.ts';

const STATES = { up: 'UP', stopping: 'STOPPING', down: 'DOWN' } as const;

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
  setState(state: Order): void {
    orderServer(this.daemon.generation(), this.place, state);
    this.done(`is set to ${state}`, 'in the log already');
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
    const top = check ? check.rise + check.fall - 1 : 1;
    Atomics.store(this.words, this.at + shared.SERVER_HEALTH, health === 'down' ? 0 : top);
    setServerState(this.daemon.generation(), this.place, STATES[health]);
    this.done(`is ${health} because somebody said so`, 'in the log already');
  }

  setAgent(state: 'up' | 'down'): void {
    Atomics.store(this.words, this.at + shared.SERVER_AGENT_HEALTH, state === 'up' ? 1 : 0);
    setServerState(this.daemon.generation(), this.place, STATES[state]);
    this.done(`is ${state}: somebody spoke for its agent`, 'in the log already');
  }

  moveTo(endpoint: Endpoint): void {
    this.daemon.moveServer(this.found.proxy.name, this.config.name, endpoint);
    this.done(`is at ${endpoint.address} port ${endpoint.port}`);
  }

  /** Whom the checks thread asks, and where; undefined: nobody any more. */
  setChecks(changed: Pick<Server, 'check'> | Pick<Server, 'agent'>, text: string): void {
    this.amend(changed);
    this.done(text, 'restart');
  }

  /** This daemon's own copy of the configuration, from which its parts are told anew; files say what they say. */
  private amend(changed: Partial<Server>): void {
    Object.assign(this.config, changed);
  }

  private get place(): ServerPlace {
    const { proxy, server } = this.found;
    const { name, backend } = proxy;
    return { backend: name, server: server.config.name, backend_index: backend!.number, server_index: server.number };
  }

  /** `restart`: the checks thread is told anew whom to ask. */
  private done(text: string, more?: 'restart' | 'in the log already'): void {
    const { memory } = this.daemon.generation();
    const backend = shared.backendAt(memory, this.found.proxy.backend!.number);
    Atomics.add(this.words, backend + shared.BACKEND_VERSION, 1);
    for (const handle of this.daemon.data()) handle.wake();
    const said = more === 'in the log already' ? 'info' : 'notice';
    this.daemon.log(`server ${this.name} ${text} (runtime command)`, said);
    this.daemon.serversChanged(more === 'restart');
  }
}
