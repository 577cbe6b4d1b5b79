/** A backend as one data thread sees it: its servers and the picker over those that can take traffic now. */
import type * as model from '../config/model.ts';
import * as shared from '../threads/shared-memory.ts';
import { leastConnections } from './balance/leastconn.ts';
import { emptyPicker, NO_SERVER, type Picker } from './balance/picker.ts';
import { roundRobin } from './balance/roundrobin.ts';
import { Server } from './server.ts';

const algorithms = { roundrobin: roundRobin, leastconn: leastConnections };

export class Backend {
  readonly config: model.Backend;
  readonly name_bytes: Uint8Array;
  readonly servers: readonly Server[];
  readonly connect_ms: number;
  readonly server_ms: number;
  private readonly memory: shared.SharedMemory;
  private readonly at: number;
  private picker: Picker = emptyPicker;
  private picker_version = -1;
  private readonly connectionsOf = (position: number): number => this.servers[position].connections;

  /** `number` is the backend's, `first_server` the number of its first server through all backends. */
  constructor(config: model.Backend, number: number, first_server: number, memory: shared.SharedMemory) {
    this.config = config;
    this.name_bytes = new TextEncoder().encode(config.name);
    this.servers = config.servers.map(
      (server, position) => new Server(server, position, first_server + position, memory),
    );
    this.connect_ms = config.timeouts.connect_ms ?? Number.POSITIVE_INFINITY;
    this.server_ms = config.timeouts.server_ms ?? Number.POSITIVE_INFINITY;
    this.memory = memory;
    this.at = shared.backendAt(memory, number);
  }

  /** The next server; null when none is usable. `avoid` has just failed and is taken only if it is the last one. */
  pick(avoid: Server | null): Server | null {
    const version = Atomics.load(this.memory.words, this.at + shared.BACKEND_VERSION);
    if (version !== this.picker_version) this.rebuild(version);
    const turn = Atomics.add(this.memory.words, this.at + shared.BACKEND_ROUND, 1);
    const position = this.picker.pick(turn, this.connectionsOf, avoid ? avoid.position : NO_SERVER);
    return position === NO_SERVER ? null : this.servers[position];
  }

  enter(): void {
    Atomics.add(this.memory.words, this.at + shared.BACKEND_CONNECTIONS, 1);
  }

  leave(): void {
    Atomics.sub(this.memory.words, this.at + shared.BACKEND_CONNECTIONS, 1);
  }

  get connections(): number {
    return Atomics.load(this.memory.words, this.at + shared.BACKEND_CONNECTIONS);
  }

  /** Backup servers take traffic only when no other server can, and then the first of them alone (HAProxy's rule). */
  private rebuild(version: number): void {
    this.picker_version = version;
    const usable = this.servers.filter((server) => server.usable && server.weight > 0);
    const active = usable.filter((server) => !server.config.backup);
    const chosen = active.length > 0 ? active : usable.slice(0, 1);
    this.picker = algorithms[this.config.balance](chosen.map(({ position, weight }) => ({ position, weight })));
  }
}
