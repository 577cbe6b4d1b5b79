/** `show info`: facts about the process, in HAProxy's order and under its names (management manual, 9.3 "show info"). */
import { hostname } from 'node:os';
import { rateNow } from '../../proxy/client-rate.ts';
import * as c from '../../threads/counters.ts';
import {
  SET_CONNECTION_RATE,
  SET_SESSION_RATE,
  THREAD_CONNECTIONS,
  THREAD_DATA,
  threadAt,
} from '../../threads/shared-memory.ts';
import { descriptorLimit } from '../descriptor-limit.ts';
import { describeInfo } from './descriptions.ts';
import type { Field, Values } from './fields.ts';
import { jsonField, set, typed } from './formats.ts';
import { seconds } from './rows.ts';
import type { View } from './view.ts';

/** Number, name, tags, type. What is not in the middle HAProxy was built without, here and there. */
const TABLE = `
  0|Name|POS|str, 1|Version|POS|str, 2|Release_date|POS|str, 3|Nbthread|CGS|u32, 4|Nbproc|CGS|u32
  5|Process_num|KGP|u32, 6|Pid|SGP|u32, 7|Uptime|MDP|str, 8|Uptime_sec|MDP|u32, 9|Memmax_MB|CLP|u32
  10|PoolAlloc_MB|MGP|u32, 11|PoolUsed_MB|MGP|u32, 12|PoolFailed|MCP|u32, 13|Ulimit-n|CLP|u32, 14|Maxsock|CLP|u32
  15|Maxconn|CLP|u32, 16|Hard_maxconn|CLP|u32, 17|CurrConns|MGP|u32, 18|CumConns|MCP|u32, 19|CumReq|MCP|u32
  20|MaxSslConns|MMP|u32, 21|CurrSslConns|MGP|u32, 22|CumSslConns|MCP|u32, 23|Maxpipes|CLP|u32, 24|PipesUsed|MGP|u32
  25|PipesFree|MGP|u32, 26|ConnRate|MRP|u32, 27|ConnRateLimit|CLP|u32, 28|MaxConnRate|MMP|u32, 29|SessRate|MRP|u32
  30|SessRateLimit|CLP|u32, 31|MaxSessRate|MRP|u32, 32|SslRate|MRP|u32, 33|SslRateLimit|CLP|u32, 34|MaxSslRate|MMP|u32
  35|SslFrontendKeyRate|MGP|u32, 36|SslFrontendMaxKeyRate|MMP|u32, 37|SslFrontendSessionReuse_pct|MGP|u32
  38|SslBackendKeyRate|MRP|u32, 39|SslBackendMaxKeyRate|MMP|u32, 40|SslCacheLookups|MCP|u32, 41|SslCacheMisses|MCP|u32
  42|CompressBpsIn|MRP|u32, 43|CompressBpsOut|MRP|u32, 44|CompressBpsRateLim|CLP|u32, 47|Tasks|MGP|u32
  48|Run_queue|MGP|u32, 49|Idle_pct|MaP|u32, 50|node|COS|str, 52|Stopping|MGP|u32, 53|Jobs|MGP|u32
  54|Unstoppable Jobs|MGP|u32, 55|Listeners|MGP|u32, 56|ActivePeers|MGP|u32, 57|ConnectedPeers|MGP|u32
  58|DroppedLogs|MGP|u32, 59|BusyPolling|MGP|u32, 60|FailedResolutions|MGP|u32, 61|TotalBytesOut|MGP|u64
  62|TotalSplicdedBytesOut|MGP|u64, 63|BytesOutRate|MRP|u64, 64|DebugCommandsIssued|MGP|u32, 65|CumRecvLogs|MCP|u32
  66|Build info|POS|str, 67|Memmax_bytes|CLP|u32, 68|PoolAlloc_bytes|MGP|u64, 69|PoolUsed_bytes|MGP|u64
  70|Start_time_sec|MDP|u32, 71|Tainted|SGP|str
`;

const INFO_FIELDS: readonly Field[] = TABLE.trim()
  .split(/,\s+|\n\s*/)
  .map((text) => {
    const [position, name, tags, type] = text.split('|');
    return { position: Number(position), name, tags, type };
  });

export type ProcessFacts = {
  readonly version: string;
  readonly started_ms: number;
  readonly stopping: boolean;
  readonly lost_log_lines: number;
  /** Percent of the last second in which the process did not use its cores. */
  readonly idle_percent: number;
};

export function infoValues(view: View, facts: ProcessFacts): Values {
  const { config, memory, tally, now_ms, maxconn } = view;
  const threads = memory.counts.threads - THREAD_DATA;
  const clients = sumOfThreads(view, THREAD_CONNECTIONS);
  const connections = tally.processRate(c.CONNECTIONS, now_ms);
  const sessions = tally.processRate(c.SESSIONS, now_ms);
  const uptime_s = seconds(now_ms - facts.started_ms);
  const descriptors = descriptorLimit();
  const listeners = config.frontends.reduce((sum, { binds }) => sum + binds.length, 0);
  const memory_bytes = process.memoryUsage.rss();
  return {
    ...NOTHING,
    Name: 'carpool',
    Version: facts.version,
    Release_date: '',
    Nbthread: threads,
    Nbproc: 1,
    Process_num: 1,
    Pid: process.pid,
    Uptime: uptimeText(uptime_s),
    Uptime_sec: fraction(now_ms - facts.started_ms),
    Memmax_MB: config.global.memory_max_mb ?? 0,
    PoolAlloc_MB: Math.round(memory_bytes / 2 ** 20),
    PoolUsed_MB: Math.round(memory_bytes / 2 ** 20),
    'Ulimit-n': descriptors,
    Maxsock: descriptors,
    Maxconn: maxconn,
    Hard_maxconn: maxconn,
    CurrConns: clients,
    CumConns: tally.total(c.CONNECTIONS),
    CumReq: tally.total(c.REQUESTS),
    ConnRate: connections.rate,
    ConnRateLimit: rateNow(memory, config.global.connections_per_s, SET_CONNECTION_RATE),
    SessRateLimit: rateNow(memory, config.global.sessions_per_s, SET_SESSION_RATE),
    MaxConnRate: connections.max,
    SessRate: sessions.rate,
    MaxSessRate: sessions.max,
    Tasks: clients,
    Idle_pct: facts.idle_percent,
    node: config.global.node ?? hostname(),
    Stopping: facts.stopping ? 1 : 0,
    Jobs: clients + listeners,
    Listeners: listeners,
    DroppedLogs: facts.lost_log_lines,
    TotalBytesOut: tally.total(c.BYTES_OUT),
    BytesOutRate: tally.processRate(c.BYTES_OUT, now_ms).rate,
    'Build info': facts.version,
    Memmax_bytes: (config.global.memory_max_mb ?? 0) * 2 ** 20,
    PoolAlloc_bytes: memory_bytes,
    PoolUsed_bytes: memory_bytes,
    Start_time_sec: fraction(Date.now() - (now_ms - facts.started_ms)),
    Tainted: '0',
  };
}

/** Seconds, to the microsecond. */
function fraction(time_ms: number): number {
  return Math.round(time_ms * 1000) / 1e6;
}

/** What there is none of here, or no limit to: 0, as HAProxy says it. */
const NOTHING: Values = Object.fromEntries(
  INFO_FIELDS.filter(({ type }) => type !== 'str').map(({ name }) => [name, 0]),
);

function sumOfThreads({ memory }: View, word: number): number {
  let sum = 0;
  for (let thread = THREAD_DATA; thread < memory.counts.threads; thread++) {
    sum += Atomics.load(memory.words, threadAt(memory, thread) + word);
  }
  return sum;
}

/** `0d 0h00m25s` */
export function uptimeText(uptime_s: number): string {
  const two = (number: number) => String(number).padStart(2, '0');
  const [minutes, hours] = [Math.floor(uptime_s / 60), Math.floor(uptime_s / 3600)];
  return `${Math.floor(hours / 24)}d ${hours % 24}h${two(minutes % 60)}m${two(uptime_s % 60)}s`;
}

export type InfoForm = {
  readonly form: 'text' | 'typed' | 'json';
  /** Each line says what its field means. */
  readonly describes: boolean;
  /** Times and rates keep their fractions. */
  readonly floats: boolean;
};

/** Of these HAProxy gives fractions, and calls some of them rates then. */
const FLOATS: Readonly<Record<string, string>> = {
  Uptime_sec: 'MDP',
  ConnRate: 'MRP',
  SessRate: 'MRP',
  SslRate: 'MRP',
  SslFrontendKeyRate: 'MRP',
  SslFrontendSessionReuse_pct: 'MRP',
  SslBackendKeyRate: 'MRP',
  CompressBpsIn: 'MRP',
  CompressBpsOut: 'MRP',
  Start_time_sec: 'MDP',
};

export function renderInfo(values: Values, { form, describes, floats }: InfoForm): string {
  const fields = floats ? INFO_FIELDS.map(asFloat) : INFO_FIELDS;
  const known = set(fields, floats ? values : rounded(values));
  const meaning = (name: string) => (describes ? describeInfo(name) : undefined);
  if (form === 'typed') return known.map(([field, value]) => typed(field, value, meaning(field.name))).join('');
  if (form === 'json') return `${JSON.stringify(known.map(([field, value]) => jsonField(field, value)))}\n`;
  return known.map(([{ name }, value]) => `${name}: ${value}${describes ? `:"${describeInfo(name)}"` : ''}\n`).join('');
}

function asFloat(field: Field): Field {
  const tags = FLOATS[field.name];
  return tags === undefined ? field : { ...field, tags, type: 'flt' };
}

function rounded(values: Values): Values {
  const whole = Object.keys(FLOATS).map((name) => [name, Math.floor(Number(values[name] ?? 0))]);
  return { ...values, ...Object.fromEntries(whole) };
}
