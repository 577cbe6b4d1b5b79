/** What a backend's rules say about the server of a request: `use-server`, `force-persist`, `ignore-persist`. Null: it has none. */
import type * as model from '../../config/model.ts';
import { compileRuleCondition, type Holds } from '../sample/condition.ts';
import type { Subject } from '../sample/subject.ts';
import type { Server } from '../server.ts';

export class ServerRules {
  private readonly choices: readonly { readonly server: Server | undefined; readonly holds: Holds }[];
  private readonly persist_rules: readonly { readonly kind: 'force' | 'ignore'; readonly holds: Holds }[];
  private readonly persists: boolean;

  constructor(config: model.Backend, servers: readonly Server[]) {
    this.persists = config.persist;
    this.choices = config.use_servers.map(({ name, when }) => ({
      server: servers.find((server) => server.config.name === name),
      holds: compileRuleCondition(when),
    }));
    this.persist_rules = config.persist_rules.map(({ kind, when }) => ({ kind, holds: compileRuleCondition(when) }));
  }

  static of(config: model.Backend, servers: readonly Server[]): ServerRules | null {
    return config.use_servers.length + config.persist_rules.length === 0 ? null : new ServerRules(config, servers);
  }

  /** The first rule that holds decides; null: none does. */
  persistence(subject: Subject): 'force' | 'ignore' | null {
    return this.persist_rules.find(({ holds }) => holds(subject))?.kind ?? null;
  }

  /** Null: no rule chooses. `force`: also a server that is down. */
  server(subject: Subject, force: boolean): Server | null {
    const chosen = this.choices.find(
      ({ server, holds }) => server && (force || this.persists || server.running) && holds(subject),
    );
    return chosen?.server ?? null;
  }
}
