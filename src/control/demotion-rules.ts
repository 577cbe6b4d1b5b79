/**
 * `demote … if|unless` over the states of servers. Pure: states in, verdicts with a reason out.
 *
 *   server states ──> evaluateRule(rule) ──> demoted? and the sentence a person reads ──> carp thread
 */
import type { DemoteRule, IntegerRange, Term, Test } from '../config/model.ts';

/** A server as conditions see it. `usable` is HAProxy's: up, not in maintenance or drain, weight above 0. */
export type ServerView = {
  readonly name: string;
  /** Up and not in maintenance. */
  readonly up: boolean;
  readonly usable: boolean;
  /** It would be usable if it were up. */
  readonly willing: boolean;
  readonly backup: boolean;
};

/** The servers of a backend; undefined for a backend that does not exist. */
export type ServersOf = (backend: string) => readonly ServerView[] | undefined;

export type Verdict = { readonly demoted: boolean; readonly reason: string };

export function evaluateRule(rule: DemoteRule, serversOf: ServersOf): Verdict {
  const held = rule.condition.some((terms) => terms.every((term) => termHolds(term, serversOf)));
  const demoted = rule.polarity === 'if' ? held : !held;
  return { demoted, reason: demoted ? explain(rule, serversOf) : '' };
}

/** A tracked service demotes while its only server is not up. */
export function evaluateTrack(service: string, servers: readonly ServerView[] = []): Verdict {
  const demoted = !servers.some((server) => server.up);
  return { demoted, reason: demoted ? `${service} fails its checks` : '' };
}

/** The demotion's owner in messages and in `carpool status`. */
export function ruleOwner(rule: DemoteRule): string {
  return `config:${rule.polarity} ${rule.text}`;
}

/** HAProxy's nbsrv: the usable servers; when there are none, 1 if a backup server would be used. */
export function countUsable(servers: readonly ServerView[]): number {
  const active = servers.filter((server) => server.usable && !server.backup).length;
  if (active > 0) return active;
  return servers.some((server) => server.usable && server.backup) ? 1 : 0;
}

function termHolds(term: Term, serversOf: ServersOf): boolean {
  return testHolds(term.test, serversOf) !== term.negated;
}

function testHolds(test: Test, serversOf: ServersOf): boolean {
  if (test.kind === 'constant') return test.value;
  const servers = serversOf(test.backend) ?? [];
  if (test.kind === 'srv_is_up') return servers.find((server) => server.name === test.server)?.up ?? false;
  const count = countUsable(servers);
  return test.ranges.some((range) => count >= (range.min ?? 0) && (range.max === null || count <= range.max));
}

/** Says which facts decided: the terms that failed (`unless`) or the conjunction that held (`if`). */
function explain(rule: DemoteRule, serversOf: ServersOf): string {
  const holds = (term: Term) => termHolds(term, serversOf);
  const deciding: readonly (Term | undefined)[] =
    rule.polarity === 'if'
      ? (rule.condition.find((terms) => terms.every(holds)) ?? [])
      : rule.condition.map((terms) => terms.find((term) => !holds(term)));
  const verb = rule.polarity === 'if' ? 'demotes at' : 'wants';
  const sentences = deciding.filter((term) => term !== undefined).map((term) => explainTerm(term, verb, serversOf));
  return sentences.join(', and ') || `the rule is always true: ${rule.polarity} ${rule.text}`;
}

/** `nbsrv(servers) is 0, the rule wants ge 1` */
function explainTerm(term: Term, verb: string, serversOf: ServersOf): string {
  const { test, negated } = term;
  if (test.kind === 'constant') return `the rule is always ${test.value !== negated}`;
  const servers = serversOf(test.backend) ?? [];
  if (test.kind === 'nbsrv') {
    const wanted = test.ranges.map(formatRange).join(' or ');
    return `nbsrv(${test.backend}) is ${countUsable(servers)}, the rule ${verb} ${negated ? 'not ' : ''}${wanted}`;
  }
  const up = servers.find((server) => server.name === test.server)?.up ?? false;
  return `server ${test.backend}/${test.server} is ${up ? 'up' : 'down'}, the rule ${verb} ${negated ? 'down' : 'up'}`;
}

function formatRange(range: IntegerRange): string {
  if (range.min !== null && range.min === range.max) return `eq ${range.min}`;
  if (range.max === null) return `ge ${range.min ?? 0}`;
  if (range.min === null) return `le ${range.max}`;
  return `${range.min}:${range.max}`;
}
