/** Which requests of one frontend or backend the daemon answers itself, and what its conditions say of those who ask. */
import type * as model from '../../config/model.ts';
import type { StatsPage } from '../../config/model-pages.ts';
import type { Backend } from '../backend.ts';
import { compileRuleCondition, type Holds } from '../sample/condition.ts';
import type { Subject } from '../sample/subject.ts';
import type { Exchange } from './exchange.ts';
import * as m from './message.ts';
import { type Admission, Page } from './page.ts';

export class PageRoutes {
  private readonly of: model.Frontend | model.Backend;
  private readonly exporters: readonly Holds[];
  private readonly stats: StatsRoute | null;

  private constructor(of: model.Frontend | model.Backend) {
    this.of = of;
    this.exporters = of.exporters.map(({ when }) => compileRuleCondition(when));
    this.stats = of.stats ? new StatsRoute(of.stats) : null;
  }

  /** Null: it serves none of our own pages. */
  static of(config: model.Frontend | model.Backend): PageRoutes | null {
    const serves = config.mode === 'http' && (config.stats !== undefined || config.exporters.length > 0);
    return serves ? new PageRoutes(config) : null;
  }

  /**
   * Null: the request is not for us. The thread's request message is filled. `backend`: whose pages these are; null: the
   * frontend's.
   */
  find(exchange: Exchange, backend: Backend | null, end: number): Page | null {
    const { thread, frontend, client } = exchange;
    const { request, facts } = thread;
    const subject = facts.about(frontend, backend ?? frontend.routes.otherwise.backend, client.socket, request);
    const proxy = this.of.name;
    const of_backend = backend !== null;
    if (this.exporters.some((holds) => holds(subject)))
      return new Page(exchange, { page: 'metrics', proxy, of_backend, admission: EVERYBODY }, end);
    if (!this.stats?.isAsked(facts.bytes, request)) return null;
    return new Page(exchange, { page: 'stats', proxy, of_backend, admission: this.stats.admit(subject) }, end);
  }
}

const EVERYBODY: Admission = { may_look: 'yes', realm: undefined, may_act: false };

class StatsRoute {
  private readonly uri: Uint8Array;
  private readonly rules: readonly { readonly rule: model.StatsRule; readonly holds: Holds }[];
  private readonly admin: readonly Holds[];
  /** Without rules, users decide where there are any. */
  private readonly otherwise: Admission['may_look'];

  constructor({ uri, rules, admin, users }: StatsPage) {
    this.uri = new TextEncoder().encode(uri);
    this.rules = rules.map((rule) => ({ rule, holds: compileRuleCondition(rule.when) }));
    this.admin = admin.map(compileRuleCondition);
    this.otherwise = users.length > 0 ? 'users' : 'yes';
  }

  /** Its target begins with the page's URI. Other methods than these go to a server. */
  isAsked(bytes: Uint8Array, { target_start, target_end, method }: m.Message): boolean {
    const { uri } = this;
    if (method !== m.METHOD_GET && method !== m.METHOD_HEAD && method !== m.METHOD_POST) return false;
    if (target_end - target_start < uri.length) return false;
    for (let index = 0; index < uri.length; index++) if (bytes[target_start + index] !== uri[index]) return false;
    return true;
  }

  admit(subject: Subject): Admission {
    const rule = this.rules.find(({ holds }) => holds(subject))?.rule;
    return {
      may_look: rule ? LOOKS[rule.action] : this.otherwise,
      realm: rule?.realm,
      may_act: this.admin.some((holds) => holds(subject)),
    };
  }
}

const LOOKS: Readonly<Record<model.StatsRule['action'], Admission['may_look']>> = {
  allow: 'yes',
  deny: 'no',
  auth: 'users',
};
