/**
 * What one check says: HAProxy's code for machines (manual, "show stat", check_status), a reason for people.
 * Verdicts are shared constants wherever possible: a check allocates nothing to say what it said before.
 */

import type { AgentReport } from './agent.ts';

/** By number, as shared memory holds them: append only. */
export const CODES = [
  /** Not checked yet. */
  'INI',
  /** Connected, and that was all there was to check. */
  'L4OK',
  /** No connection in time. */
  'L4TOUT',
  /** No connection: refused, unreachable. */
  'L4CON',
  /** TLS answered. */
  'L6OK',
  'L6TOUT',
  'L6RSP',
  /** The expected answer. */
  'L7OK',
  /** An answer after which the server gets no new clients, but keeps those it has. */
  'L7OKC',
  /** No answer in time. */
  'L7TOUT',
  /** No valid answer. */
  'L7RSP',
  /** A valid answer that says no: another status than expected. */
  'L7STS',
  /** The connection broke, or this host had nothing left to make it with. */
  'SOCKERR',
  /** A program said yes, did not end in time, or failed. */
  'PROCOK',
  'PROCTOUT',
  'PROCERR',
  /** The traffic said so (`observe`). */
  'HANA',
] as const;

export type Code = (typeof CODES)[number];

/** HAProxy's words for them, as logs and statistics have them. */
export const DESCRIPTIONS: Readonly<Record<Code, string>> = {
  INI: 'Initializing',
  L4OK: 'Layer4 check passed',
  L4TOUT: 'Layer4 timeout',
  L4CON: 'Layer4 connection problem',
  L6OK: 'Layer6 check passed',
  L6TOUT: 'Layer6 timeout',
  L6RSP: 'Layer6 invalid response',
  L7OK: 'Layer7 check passed',
  L7OKC: 'Layer7 check conditionally passed',
  L7TOUT: 'Layer7 timeout',
  L7RSP: 'Layer7 invalid response',
  L7STS: 'Layer7 wrong status',
  SOCKERR: 'Socket error',
  PROCOK: 'External check passed',
  PROCTOUT: 'External check timeout',
  PROCERR: 'External check error',
  HANA: 'Health analyze',
};

export type Verdict = {
  readonly code: Code;
  readonly passed: boolean;
  /** Without a subject: `connection refused`, `HTTP status 503`. */
  readonly reason: string;
  /** Of the protocol: an HTTP status, an error number; 0 when there is none. */
  readonly status: number;
  /** More than the code tells: what logs show as `info`. */
  readonly info: string;
  /** What an agent asks for. */
  readonly agent?: AgentReport;
};

const PASSED: readonly Code[] = ['L4OK', 'L6OK', 'L7OK', 'L7OKC', 'PROCOK'];
/** Longer texts of a server's are cut. */
const LONGEST_REASON = 256;

/** `info` is the reason itself unless it is given. */
export function verdictOf(code: Code, reason: string, status = 0, info = reason): Verdict {
  const shown = cleaned(reason).trim();
  return { code, passed: PASSED.includes(code), reason: shown, status, info: info === reason ? shown : cleaned(info) };
}

/** What a server sends may hold anything; a log line and a terminal may not. */
function cleaned(text: string): string {
  return text
    .slice(0, LONGEST_REASON)
    .replace(/[^\x20-\x7e\u00a0-\uffff]+/g, ' ')
    .trimEnd();
}

/** The number of a code in shared memory. */
export function codeNumber(code: Code): number {
  return CODES.indexOf(code);
}

/** A connection that could not be made: `error` is Linux's errno. */
export function connectFailed(error: number): Verdict {
  return remembered(connect_failures, error, () => ofSystem(codeOf(error), error));
}

/** A connection that broke while the answer was awaited. */
export function connectionBroke(error: number): Verdict {
  return remembered(breaks, error, () => ofSystem('SOCKERR', error));
}

/** Logs have the system's own words, as HAProxy's. */
function ofSystem(code: Code, error: number): Verdict {
  return verdictOf(code, reasonOf(error), 0, SYSTEM_TEXTS[error] ?? `error ${error}`);
}

const SYSTEM_TEXTS: Readonly<Record<number, string>> = {
  1: 'Operation not permitted',
  13: 'Permission denied',
  32: 'Broken pipe',
  97: 'Address family not supported by protocol',
  99: 'Cannot assign requested address',
  100: 'Network is down',
  101: 'Network is unreachable',
  104: 'Connection reset by peer',
  110: 'Connection timed out',
  111: 'Connection refused',
  112: 'Host is down',
  113: 'No route to host',
};

export function connectTimedOut(timeout_ms: number): Verdict {
  return verdictOf('L4TOUT', `no connection within ${timeout_ms} ms`, 0, '');
}

export function answerTimedOut(timeout_ms: number, code: Code): Verdict {
  return verdictOf(code, `no answer within ${timeout_ms} ms`, 0, '');
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

/** How a program of `external-check` ended: 0 is well. */
export function programExited(status: number): Verdict {
  if (status === 0) return verdictOf('PROCOK', 'the program says that it is well', 0, '');
  return verdictOf('PROCERR', `the program ended with exit status ${status}`, status);
}

export function programKilled(signal: string): Verdict {
  return verdictOf('PROCERR', `the program was ended by ${signal}`);
}

export function programNotStarted(problem: string): Verdict {
  return verdictOf('SOCKERR', `the program could not be started: ${problem}`);
}

export function programTimedOut(timeout_ms: number): Verdict {
  return verdictOf('PROCTOUT', `the program did not end within ${timeout_ms} ms`);
}
