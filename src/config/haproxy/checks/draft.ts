/** What a proxy section says about checks while it is being read. */
import type { CheckMethod, CheckRule } from '../../model.ts';
import { PLAIN_CHECK } from '../../model-defaults.ts';

/** Rules of the defaults hold until a section has rules of its own. */
export type RuleList = { readonly rules: readonly CheckRule[]; readonly inherited: boolean };

export type ChecksDraft = {
  /** The last `option …-check` decides; its rules are put in at the end. Undefined: a plain connection. */
  method: CheckMethod | undefined;
  tcp: RuleList;
  http: RuleList;
  disable_on_404: boolean;
  send_state: boolean;
  command: string;
  path: string;
  log: boolean;
};

export function newChecks(): ChecksDraft {
  const none: RuleList = { rules: [], inherited: false };
  return {
    method: undefined,
    tcp: none,
    http: none,
    disable_on_404: false,
    send_state: false,
    command: '',
    path: '',
    log: false,
  };
}

/** A section's own copy of what its defaults say. */
export function inheritChecks(defaults: ChecksDraft): ChecksDraft {
  const inherited = ({ rules }: RuleList): RuleList => ({ rules, inherited: true });
  return { ...defaults, tcp: inherited(defaults.tcp), http: inherited(defaults.http) };
}

export function addRule(list: RuleList, rule: CheckRule): RuleList {
  return { rules: list.inherited ? [rule] : [...list.rules, rule], inherited: false };
}

/** The method as the model wants it. */
export function finishMethod(draft: ChecksDraft): CheckMethod {
  const { method, tcp, http, disable_on_404, send_state, command, path } = draft;
  switch (method?.kind) {
    case undefined:
      return PLAIN_CHECK; // rules have no say without their option
    case 'tcp':
      return { kind: 'tcp', rules: tcp.rules };
    case 'http':
      return { ...method, rules: http.rules, disable_on_404, send_state };
    case 'external':
      return { ...method, command, path };
    default:
      return method!;
  }
}
