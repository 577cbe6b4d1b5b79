/**
 * One name that is resolved again and again, as HAProxy does it (manual 5.3): which question comes next, whose answer counts, and
 * when a failure is one.
 *
 *             due            all nameservers failed           no answer in time, or both types failed
 *   waiting ──────▶ asking ────────────────────────▶ asking ──────────────────────────────────────────▶ asking again
 *      ▲              │            the other type                                                        │ no try left
 *      │              │ first good answer                                                                ▼
 *      └──────────────┴◀──────────────────────────────── resolved, or failed unless `hold` says wait ◀───┘
 *
 * Times are milliseconds of a clock that only goes forward.
 */
import type { Hold } from '../config/model.ts';
import {
  type Answer,
  type DnsRecord,
  type QuestionType,
  RCODE_NONE,
  RCODE_NX,
  RCODE_REFUSED,
  recordsFor,
} from './message.ts';

export type Failure = 'nx' | 'refused' | 'timeout' | 'other';

/** What of a `resolvers` section decides. */
export type ResolutionSettings = {
  readonly nameservers: number;
  readonly resolve_retries: number;
  readonly resolve_ms: number;
  readonly retry_ms: number;
  readonly hold: Hold;
};

export type Resolution = {
  readonly name: string;
  /** What is asked for first; an address of the other family is better than none. */
  readonly preferred: QuestionType;
  readonly asking: boolean;
  /** Counts the questions: answers to an earlier one come too late. */
  readonly query: number;
  readonly type: QuestionType;
  readonly tries_left: number;
  /** Nameservers that have answered this question, and none of them well; a bit for each. */
  readonly answered: number;
  /** What the last of them said. */
  readonly failure: Failure | undefined;
  readonly due_ms: number;
  /** -Infinity before the first one. */
  readonly valid_ms: number;
  readonly records: readonly KnownRecord[];
};

type KnownRecord = { readonly record: DnsRecord; readonly seen_ms: number };

export type Effect =
  /** Ask all nameservers; their answers come back with this number. */
  | { readonly kind: 'ask'; readonly query: number; readonly type: QuestionType }
  /** These records hold. `answer` is the one that came, from this nameserver. */
  | {
      readonly kind: 'resolved';
      readonly records: readonly DnsRecord[];
      readonly answer: Answer;
      readonly nameserver: number;
    }
  | { readonly kind: 'failed'; readonly failure: Failure };

type Step = { readonly resolution: Resolution; readonly effects: readonly Effect[] };

/** Records that are kept of one name. */
const MOST_RECORDS = 4096;

/** `valid_ms`: when the servers' address was last known to be good. */
export function newResolution(name: string, preferred: QuestionType, now_ms: number, valid_ms: number): Resolution {
  const tries_left = 0;
  const idle = {
    asking: false,
    query: 0,
    type: preferred,
    tries_left,
    answered: 0,
    failure: undefined,
    due_ms: now_ms,
  };
  return { name, preferred, ...idle, valid_ms, records: [] };
}

export function onTime(resolution: Resolution, settings: ResolutionSettings, now_ms: number): Step {
  if (now_ms < resolution.due_ms) return { resolution, effects: [] };
  if (!resolution.asking) {
    const fresh = { ...resolution, asking: true, tries_left: settings.resolve_retries };
    return ask(fresh, resolution.preferred, settings, now_ms);
  }
  // some are silent, but one has said something
  if (resolution.failure !== undefined) return askOtherwise(resolution, resolution.failure, settings, now_ms);
  const tries_left = resolution.tries_left - 1;
  if (tries_left <= 0) return conclude(resolution, 'timeout', settings, now_ms);
  return ask({ ...resolution, tries_left }, resolution.type, settings, now_ms);
}

/** `nameserver` counts from 0 in the section. */
export function onAnswer(
  resolution: Resolution,
  settings: ResolutionSettings,
  { query, nameserver, answer }: { readonly query: number; readonly nameserver: number; readonly answer: Answer },
  now_ms: number,
): Step {
  if (!awaits(resolution, query, nameserver)) return { resolution, effects: [] };
  const found = recordsFor(answer, resolution);
  if (answer.rcode === RCODE_NONE && found.length > 0)
    return resolve(resolution, settings, found, answer, nameserver, now_ms);
  const answered = resolution.answered | (1 << nameserver);
  const failure = failureOf(answer);
  const waiting = { ...resolution, answered, failure };
  if (answered !== 2 ** settings.nameservers - 1) return { resolution: waiting, effects: [] };
  return askOtherwise(waiting, failure, settings, now_ms);
}

/** Nobody has answered this question well yet, and this nameserver not at all. */
export function awaits({ asking, query: asked, answered }: Resolution, query: number, nameserver: number): boolean {
  return asking && query === asked && (answered & (1 << nameserver)) === 0;
}

function failureOf({ rcode }: Answer): Failure {
  if (rcode === RCODE_NX) return 'nx';
  return rcode === RCODE_REFUSED ? 'refused' : 'other';
}

function ask(resolution: Resolution, type: QuestionType, { retry_ms }: ResolutionSettings, now_ms: number): Step {
  const query = resolution.query + 1;
  const next = { ...resolution, type, query, answered: 0, failure: undefined, due_ms: now_ms + retry_ms };
  return { resolution: next, effects: [{ kind: 'ask', query, type }] };
}

/** All nameservers have answered, and none well: the other family first, then everything again. */
function askOtherwise(resolution: Resolution, failure: Failure, settings: ResolutionSettings, now_ms: number): Step {
  const { preferred, type } = resolution;
  const other = otherFamily(preferred);
  if (other !== undefined && type === preferred) return ask(resolution, other, settings, now_ms);
  const tries_left = resolution.tries_left - 1;
  if (tries_left <= 0) return conclude(resolution, failure, settings, now_ms);
  return ask({ ...resolution, tries_left }, preferred, settings, now_ms);
}

function otherFamily(type: QuestionType): QuestionType | undefined {
  if (type === 'SRV') return undefined;
  return type === 'A' ? 'AAAA' : 'A';
}

function resolve(
  resolution: Resolution,
  { resolve_ms, hold }: ResolutionSettings,
  found: readonly DnsRecord[],
  answer: Answer,
  nameserver: number,
  now_ms: number,
): Step {
  const known = new Map<string, KnownRecord>();
  for (const record of found.slice(0, MOST_RECORDS)) known.set(keyOf(record), { record, seen_ms: now_ms });
  for (const old of resolution.records) {
    if (known.size >= MOST_RECORDS) break;
    if (!known.has(keyOf(old.record)) && now_ms - old.seen_ms < hold.obsolete_ms) known.set(keyOf(old.record), old);
  }
  const records = [...known.values()];
  const next = { ...resolution, asking: false, due_ms: now_ms + resolve_ms, valid_ms: now_ms, records };
  const effect = { kind: 'resolved', records: records.map(({ record }) => record), answer, nameserver } as const;
  return { resolution: next, effects: [effect] };
}

/** Two records with one key are the same address, or the same place of a service. */
function keyOf(record: DnsRecord): string {
  if (record.type === 'SRV') return `${record.target} ${record.port}`;
  return record.type === 'CNAME' ? record.target : record.address;
}

function conclude(resolution: Resolution, failure: Failure, settings: ResolutionSettings, now_ms: number): Step {
  const { resolve_ms, hold } = settings;
  const next = { ...resolution, asking: false, due_ms: now_ms + resolve_ms };
  if (now_ms - resolution.valid_ms <= hold[`${failure}_ms`]) return { resolution: next, effects: [] };
  return { resolution: { ...next, records: [] }, effects: [{ kind: 'failed', failure }] };
}
