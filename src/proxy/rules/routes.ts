/** Where the requests and sessions of a frontend go: `default_backend`, and before that the first `use_backend` that holds. */
import type * as model from '../../config/model.ts';
import type { Socket } from '../../reactor/socket.ts';
import type { Backend } from '../backend.ts';
import type { Frontend } from '../frontend.ts';
import { type ConnectionRules, combineRules } from '../http/connection-rules.ts';
import { ForwardFor } from '../http/forwardfor.ts';
import { compileRuleCondition, type Holds } from '../sample/condition.ts';
import type { RequestHead } from '../sample/subject.ts';
import type { Facts } from './facts.ts';
import { Priorities } from './priorities.ts';

/** A backend, and what the frontend and it say together. */
export type Route = {
  /** Null: there is none; every request gets 503. */
  readonly backend: Backend | null;
  readonly rules: ConnectionRules;
  readonly forwardfor: ForwardFor | null;
  readonly originalto: ForwardFor | null;
  /** Null: requests wait in the order they come. */
  readonly priorities: Priorities | null;
};

export class Routes {
  readonly otherwise: Route;
  private readonly choices: readonly { readonly holds: Holds; readonly route: Route }[];

  constructor(config: model.Frontend, backendNamed: (name: string) => Backend | null) {
    const routeTo = (backend: Backend | null): Route => {
      const forwardfor = combine(config.forwardfor, backend?.config.forwardfor);
      const originalto = combine(config.originalto, backend?.config.originalto);
      return {
        backend,
        rules: combineRules(config.http, backend?.config.http),
        forwardfor: forwardfor ? new ForwardFor(forwardfor) : null,
        originalto: originalto ? new ForwardFor(originalto) : null,
        priorities: Priorities.of(config.priority_rules, backend?.config.priority_rules ?? []),
      };
    };
    this.otherwise = routeTo(config.default_backend === undefined ? null : backendNamed(config.default_backend));
    this.choices = config.use_backends.map(({ name, when }) => ({
      holds: compileRuleCondition(when),
      route: routeTo(backendNamed(name)),
    }));
  }

  /** `head`: the thread's request message, filled; null in mode tcp. */
  choose(facts: Facts, frontend: Frontend, socket: Socket, head: RequestHead | null): Route {
    if (this.choices.length === 0) return this.otherwise;
    const subject = facts.about(frontend, this.otherwise.backend, socket, head);
    return this.choices.find(({ holds }) => holds(subject))?.route ?? this.otherwise;
  }
}

/** As in HAProxy: the backend names the header, and one of the two without `if-none` is enough to add it always; clients that either excepts are not told of. */
function combine(own: model.ForwardFor | undefined, its: model.ForwardFor | undefined): model.ForwardFor | undefined {
  if (own === undefined || its === undefined) return own ?? its;
  return { header: its.header, if_none: own.if_none && its.if_none, except: [...own.except, ...its.except] };
}
