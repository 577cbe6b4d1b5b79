/**
 * `on-marked-down shutdown-sessions` and `on-marked-up shutdown-backup-sessions` in one data thread: looks whether a server went
 * down or came up, and ends the sessions that are not to outlive it.
 */
import type { Reactor } from '../reactor/reactor.ts';
import type { Backend } from './backend.ts';
import { ServerConnection } from './http/server-connection.ts';
import type { Server } from './server.ts';
import { Side } from './tcp/tcp-session.ts';

/** Of a termination state: the server was marked down, an active server came up, or somebody ended the session. */
export type Mark = 'D' | 'U' | 'K';

type Watched = { readonly backend: Backend; version: number; readonly up: boolean[] };

export class MarkedServers {
  private readonly reactor: Reactor;
  private readonly watched: readonly Watched[];

  constructor(reactor: Reactor, backends: readonly Backend[]) {
    this.reactor = reactor;
    const marks = ({ config }: Server) => config.shutdown_sessions_when_down || config.shutdown_backup_sessions_when_up;
    this.watched = backends
      .filter(({ servers }) => servers.some(marks))
      .map((backend) => ({ backend, version: backend.version, up: backend.servers.map(({ running }) => running) }));
  }

  /** Once a pass. */
  look(): void {
    for (let index = 0; index < this.watched.length; index++) {
      const watched = this.watched[index];
      const { version } = watched.backend;
      if (version === watched.version) continue;
      watched.version = version;
      this.compare(watched);
    }
  }

  private compare({ backend, up }: Watched): void {
    for (const server of backend.servers) {
      const { running, config, position } = server;
      if (running === up[position]) continue;
      up[position] = running;
      if (!running && config.shutdown_sessions_when_down) this.endSessions('D', (each) => each === server);
      const takes_back = running && config.shutdown_backup_sessions_when_up && !config.backup && server.weight > 0;
      if (takes_back) this.endSessions('U', (each) => each.config.backup && backend.servers.includes(each));
    }
  }

  private endSessions(mark: Mark, isMeant: (server: Server) => boolean): void {
    this.reactor.forEachSocket(({ owner }) => {
      if (owner instanceof ServerConnection && isMeant(owner.server)) owner.serverMarked(mark);
      if (!(owner instanceof Side) || !owner.is_upstream) return;
      const { server } = owner.session.assignment;
      if (server && isMeant(server)) owner.session.serverMarked(mark);
    });
  }
}
