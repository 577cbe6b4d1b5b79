/**
 * What one check says: HAProxy's code for machines (manual, "show stat", check_status), a reason for people.
 * Verdicts are shared constants wherever possible: a check allocates nothing to say what it said before.
 */

export type Code =
  /** Connected, and that was all there was to check. */
  | 'L4OK'
  /** No connection: refused, unreachable. */
  | 'L4CON'
  /** No connection in time. */
  | 'L4TOUT'
  /** The expected answer. */
  | 'L7OK'
  /** An answer with another status than expected. */
  | 'L7STS'
  /** No valid answer. */
  | 'L7RSP'
  /** No answer in time. */
  | 'L7TOUT'
  /** The connection broke, or this host had nothing left to make it with. */
  | 'SOCKERR';

export type Verdict = {
  readonly code: Code;
  readonly passed: boolean;
  /** Without a subject: `connection refused`, `HTTP status 503`. */
  readonly reason: string;
};

/** A connection that could not be made: `error` is Linux's errno. */
export function connectFailed(error: number): Verdict {
  return remembered(connect_failures, error, () => ({ code: codeOf(error), passed: false, reason: reasonOf(error) }));
}

/** A connection that broke while the answer was awaited. */
export function connectionBroke(error: number): Verdict {
  return remembered(breaks, error, () => ({ code: 'SOCKERR', passed: false, reason: reasonOf(error) }));
}

export function connectTimedOut(timeout_ms: number): Verdict {
  return { code: 'L4TOUT', passed: false, reason: `no connection within ${timeout_ms} ms` };
}

export function answerTimedOut(timeout_ms: number): Verdict {
  return { code: 'L7TOUT', passed: false, reason: `no answer within ${timeout_ms} ms` };
}

const connect_failures = new Map<number, Verdict>();
const breaks = new Map<number, Verdict>();

/** At most one entry for each errno there is. */
function remembered(verdicts: Map<number, Verdict>, error: number, make: () => Verdict): Verdict {
  const known = verdicts.get(error);
  if (known) return known;
  const made = make();
  verdicts.set(error, made);
  return made;
}

const EAGAIN = 11;
const EADDRINUSE = 98;
const EADDRNOTAVAIL = 99;
const ETIMEDOUT = 110;

function codeOf(error: number): Code {
  if (error === ETIMEDOUT) return 'L4TOUT';
  return error === EAGAIN || error === EADDRINUSE || error === EADDRNOTAVAIL ? 'SOCKERR' : 'L4CON';
}

const REASONS: Readonly<Record<number, string>> = {
  1: 'connecting is forbidden on this host',
  13: 'connecting is forbidden on this host',
  32: 'the connection was closed',
  97: 'this host does not know the address family',
  [EADDRNOTAVAIL]: 'this host has no address or port left to connect from',
  100: 'the network is down',
  101: 'the network is unreachable',
  104: 'the connection was reset',
  [ETIMEDOUT]: 'the connection timed out',
  111: 'connection refused',
  112: 'the host is down',
  113: 'no route to the host',
};

function reasonOf(error: number): string {
  return REASONS[error] ?? `connection error ${error}`;
}
