/**
 * The Prometheus exporter: HAProxy's names and labels over the fields of `show stat` and `show info`, and `carpool_carp_…` for the
 * vhids. Parameters: `scope=global|frontend|listener|backend|server|carp` (several), `no-maint`.
 */
import type { CODES } from '../../health/verdict.ts';
import { describeInfo, describeStat } from './descriptions.ts';
import type { StatRow, Values } from './fields.ts';
import { infoValues, type ProcessFacts } from './info.ts';
import type { NamedVhid } from './page-body.ts';
import { rowsOf } from './rows.ts';
import type { View } from './view.ts';

/** `metric:field`, with `c` for a counter and `g` for a gauge, and `s` where milliseconds become seconds. */
const FRONTEND = `current_sessions:scur:g max_sessions:smax:g limit_sessions:slim:g sessions_total:stot:c bytes_in_total:bin:c
  bytes_out_total:bout:c requests_denied_total:dreq:c responses_denied_total:dresp:c request_errors_total:ereq:c status:status:g
  limit_session_rate:rate_lim:g max_session_rate:rate_max:g http_responses_total:hrsp:c http_requests_rate_max:req_rate_max:g
  http_requests_total:req_tot:c http_comp_bytes_in_total:comp_in:c http_comp_bytes_out_total:comp_out:c
  http_comp_bytes_bypassed_total:comp_byp:c http_comp_responses_total:comp_rsp:c connections_rate_max:conn_rate_max:g
  connections_total:conn_tot:c intercepted_requests_total:intercepted:c denied_connections_total:dcon:c
  denied_sessions_total:dses:c failed_header_rewriting_total:wrew:c http_cache_lookups_total:cache_lookups:c
  http_cache_hits_total:cache_hits:c internal_errors_total:eint:c`;

const LISTENER = `current_sessions:scur:g max_sessions:smax:g limit_sessions:slim:g sessions_total:stot:c bytes_in_total:bin:c
  bytes_out_total:bout:c requests_denied_total:dreq:c responses_denied_total:dresp:c request_errors_total:ereq:c status:status:g
  denied_connections_total:dcon:c denied_sessions_total:dses:c failed_header_rewriting_total:wrew:c internal_errors_total:eint:c`;

const BACKEND = `current_queue:qcur:g max_queue:qmax:g current_sessions:scur:g max_sessions:smax:g limit_sessions:slim:g
  sessions_total:stot:c bytes_in_total:bin:c bytes_out_total:bout:c requests_denied_total:dreq:c
  responses_denied_total:dresp:c connection_errors_total:econ:c response_errors_total:eresp:c retry_warnings_total:wretr:c
  redispatch_warnings_total:wredis:c status:status:g weight:weight:g active_servers:act:g backup_servers:bck:g
  check_up_down_total:chkdown:c check_last_change_seconds:lastchg:g downtime_seconds_total:downtime:c
  loadbalanced_total:lbtot:c max_session_rate:rate_max:g http_responses_total:hrsp:c http_requests_total:req_tot:c
  client_aborts_total:cli_abrt:c server_aborts_total:srv_abrt:c http_comp_bytes_in_total:comp_in:c
  http_comp_bytes_out_total:comp_out:c http_comp_bytes_bypassed_total:comp_byp:c http_comp_responses_total:comp_rsp:c
  last_session_seconds:lastsess:g queue_time_average_seconds:qtime:gs connect_time_average_seconds:ctime:gs
  response_time_average_seconds:rtime:gs total_time_average_seconds:ttime:gs failed_header_rewriting_total:wrew:c
  connection_attempts_total:connect:c connection_reuses_total:reuse:c http_cache_lookups_total:cache_lookups:c
  http_cache_hits_total:cache_hits:c max_queue_time_seconds:qtime_max:gs max_connect_time_seconds:ctime_max:gs
  max_response_time_seconds:rtime_max:gs max_total_time_seconds:ttime_max:gs internal_errors_total:eint:c uweight:uweight:g
  agg_server_status:agg_server:g agg_server_check_status:agg_server:g agg_check_status:agg_check:g`;

const SERVER = `current_queue:qcur:g max_queue:qmax:g current_sessions:scur:g max_sessions:smax:g limit_sessions:slim:g
  sessions_total:stot:c bytes_in_total:bin:c bytes_out_total:bout:c responses_denied_total:dresp:c
  connection_errors_total:econ:c response_errors_total:eresp:c retry_warnings_total:wretr:c
  redispatch_warnings_total:wredis:c status:status:g weight:weight:g check_failures_total:chkfail:c
  check_up_down_total:chkdown:c check_last_change_seconds:lastchg:g downtime_seconds_total:downtime:c queue_limit:qlimit:g
  current_throttle:throttle:g loadbalanced_total:lbtot:c max_session_rate:rate_max:g check_status:check_status:g
  check_code:check_code:g check_duration_seconds:check_duration:gs http_responses_total:hrsp:c client_aborts_total:cli_abrt:c
  server_aborts_total:srv_abrt:c last_session_seconds:lastsess:g queue_time_average_seconds:qtime:gs
  connect_time_average_seconds:ctime:gs response_time_average_seconds:rtime:gs total_time_average_seconds:ttime:gs
  failed_header_rewriting_total:wrew:c connection_attempts_total:connect:c connection_reuses_total:reuse:c
  idle_connections_current:srv_icur:g idle_connections_limit:src_ilim:g max_queue_time_seconds:qtime_max:gs
  max_connect_time_seconds:ctime_max:gs max_response_time_seconds:rtime_max:gs max_total_time_seconds:ttime_max:gs
  internal_errors_total:eint:c unsafe_idle_connections_current:idle_conn_cur:g safe_idle_connections_current:safe_conn_cur:g
  used_connections_current:used_conn_cur:g need_connections_current:need_conn_est:g uweight:uweight:g`;

/** The fields of `show info`, in their order. */
const PROCESS = `nbthread:Nbthread:g nbproc:Nbproc:g relative_process_id:Process_num:g uptime_seconds:Uptime_sec:g
  pool_failures_total:PoolFailed:c max_fds:Ulimit-n:g max_sockets:Maxsock:g max_connections:Maxconn:g
  hard_max_connections:Hard_maxconn:g current_connections:CurrConns:g connections_total:CumConns:c requests_total:CumReq:c
  max_ssl_connections:MaxSslConns:g current_ssl_connections:CurrSslConns:g ssl_connections_total:CumSslConns:c
  max_pipes:Maxpipes:g pipes_used_total:PipesUsed:c pipes_free_total:PipesFree:c current_connection_rate:ConnRate:g
  limit_connection_rate:ConnRateLimit:g max_connection_rate:MaxConnRate:g current_session_rate:SessRate:g
  limit_session_rate:SessRateLimit:g max_session_rate:MaxSessRate:g current_ssl_rate:SslRate:g limit_ssl_rate:SslRateLimit:g
  max_ssl_rate:MaxSslRate:g current_frontend_ssl_key_rate:SslFrontendKeyRate:g
  max_frontend_ssl_key_rate:SslFrontendMaxKeyRate:g frontend_ssl_reuse:SslFrontendSessionReuse_pct:g
  current_backend_ssl_key_rate:SslBackendKeyRate:g max_backend_ssl_key_rate:SslBackendMaxKeyRate:g
  ssl_cache_lookups_total:SslCacheLookups:c ssl_cache_misses_total:SslCacheMisses:c http_comp_bytes_in_total:CompressBpsIn:c
  http_comp_bytes_out_total:CompressBpsOut:c limit_http_comp:CompressBpsRateLim:g current_zlib_memory:ZlibMemUsage:g
  max_zlib_memory:MaxZlibMemUsage:g current_tasks:Tasks:g current_run_queue:Run_queue:g idle_time_percent:Idle_pct:g
  stopping:Stopping:g jobs:Jobs:g unstoppable_jobs:Unstoppable_Jobs:g listeners:Listeners:g active_peers:ActivePeers:g
  connected_peers:ConnectedPeers:g dropped_logs_total:DroppedLogs:c busy_polling_enabled:BusyPolling:g
  failed_resolutions:FailedResolutions:c bytes_out_total:TotalBytesOut:c spliced_bytes_out_total:TotalSplicdedBytesOut:c
  bytes_out_rate:BytesOutRate:g recv_logs_total:CumRecvLogs:c build_info:build:g max_memory_bytes:Memmax_bytes:g
  pool_allocated_bytes:PoolAlloc_bytes:g pool_used_bytes:PoolUsed_bytes:g start_time_seconds:Start_time_sec:g`;

type Metric = { readonly name: string; readonly field: string; readonly counter: boolean; readonly in_ms: boolean };

function parse(table: string): Metric[] {
  return table
    .trim()
    .split(/\s+/)
    .map((text) => {
      const [name, field, kind] = text.split(':');
      return { name, field, counter: kind === 'c', in_ms: kind === 'gs' };
    });
}

const SCOPES = [
  { scope: 'frontend', kind: 'F', metrics: parse(FRONTEND) },
  { scope: 'listener', kind: 'L', metrics: parse(LISTENER) },
  { scope: 'backend', kind: 'B', metrics: parse(BACKEND) },
  { scope: 'server', kind: 'S', metrics: parse(SERVER) },
] as const;
const PROCESS_METRICS = parse(PROCESS);
/** HAProxy's, of which stick tables have nothing here, and our own. */
const SCOPE_NAMES = ['*', 'global', 'sticktable', 'carp', ...SCOPES.map(({ scope }) => scope as string)];

/** Undefined: the parameters name a scope that is none. */
export function renderMetrics(
  view: View,
  facts: ProcessFacts,
  vhids: readonly NamedVhid[],
  target: string,
): string | undefined {
  const query = new URLSearchParams(target.split('?')[1] ?? '');
  const asked = query.getAll('scope');
  if (asked.some((scope) => scope !== '' && !SCOPE_NAMES.includes(scope))) return undefined;
  const has = (scope: string) => asked.length === 0 || asked.includes('*') || asked.includes(scope);
  const rows = view.proxies.flatMap((proxy) => rowsOf(view, proxy));
  const lines: string[] = has('global') ? processLines(infoValues(view, facts), facts) : [];
  for (const { scope, kind, metrics } of SCOPES) {
    if (!has(scope)) continue;
    const of_kind = rows.filter(
      (row) => row.kind === kind && !(query.has('no-maint') && /^MAINT/.test(String(row.values['status']))),
    );
    for (const metric of metrics) lines.push(...metricLines(scope, metric, of_kind, rows));
  }
  if (has('carp')) lines.push(...carpLines(vhids));
  return `${lines.join('\n')}\n`;
}

function head(name: string, counter: boolean, help: string): string[] {
  return [`# HELP ${name} ${help}`, `# TYPE ${name} ${counter ? 'counter' : 'gauge'}`];
}

function processLines(values: Values, { version }: ProcessFacts): string[] {
  const all: Values = { ...values, Unstoppable_Jobs: 0 };
  return PROCESS_METRICS.flatMap(({ name, field, counter }) => {
    const full = `haproxy_process_${name}`;
    const sample = field === 'build' ? `${full}{version="${version}"} 1` : `${full} ${all[field] ?? 'NaN'}`;
    return [
      ...head(
        full,
        counter,
        describeInfo(field === 'build' ? 'Build info' : field.replace('_', ' ')) || describeInfo(field),
      ),
      sample,
    ];
  });
}

function metricLines(scope: string, metric: Metric, rows: readonly StatRow[], all: readonly StatRow[]): string[] {
  const name = `haproxy_${scope}_${metric.name}`;
  const samples = rows.flatMap((row) => {
    const labels = labelsOf(row);
    return samplesOf(metric, row, all).map(({ label, value }) => `${name}{${labels}${label}} ${value}`);
  });
  return samples.length === 0 ? [] : [...head(name, metric.counter, describeMetric(metric)), ...samples];
}

function describeMetric({ field, in_ms }: Metric): string {
  if (field === 'hrsp') return 'responses by the first digit of their status';
  if (field === 'status') return '1 for the state that it is in';
  if (field === 'check_status') return '1 for how the last check ended';
  const of_field = field === 'agg_server' ? 'agg_server_status' : field === 'agg_check' ? 'agg_check_status' : field;
  const said = describeStat(of_field);
  return in_ms ? said.replace('milliseconds', 'seconds') : said;
}

function labelsOf({ kind, values }: StatRow): string {
  const proxy = `proxy="${values['pxname']}"`;
  if (kind === 'L') return `${proxy},listener="${values['svname']}"`;
  return kind === 'S' ? `${proxy},server="${values['svname']}"` : proxy;
}

type Sample = { readonly label: string; readonly value: string | number };

const CLASSES = ['1xx', '2xx', '3xx', '4xx', '5xx', 'other'];
const SERVER_STATES = ['DOWN', 'UP', 'MAINT', 'DRAIN', 'NOLB'];
const LISTENER_STATES = ['FULL', 'OPEN', 'WAITING'];
const PROXY_STATES = ['DOWN', 'UP'];
const CHECK_STATES = [
  'HANA',
  'SOCKERR',
  'L4OK',
  'L4TOUT',
  'L4CON',
  'L6OK',
  'L6TOUT',
  'L6RSP',
  'L7TOUT',
  'L7RSP',
  'L7OK',
  'L7OKC',
  'L7STS',
  'PROCERR',
  'PROCTOUT',
  'PROCOK', // biome-ignore format: a list
] satisfies (typeof CODES)[number][];

function samplesOf({ field, in_ms }: Metric, { kind, iid, values }: StatRow, all: readonly StatRow[]): Sample[] {
  const servers = () => all.filter((row) => row.kind === 'S' && row.iid === iid);
  switch (field) {
    case 'hrsp':
      if (values['mode'] !== 'http') return [];
      return CLASSES.map((code) => ({ label: `,code="${code}"`, value: values[`hrsp_${code}`] ?? 0 }));
    case 'status':
      if (kind === 'L') return states(LISTENER_STATES, [String(values['status'])]);
      return states(kind === 'S' ? SERVER_STATES : PROXY_STATES, [stateOf(values)]);
    case 'check_status':
      return values['check_status'] === undefined ? [] : states(CHECK_STATES, [String(values['check_status'])]);
    case 'agg_server':
      return states(
        SERVER_STATES,
        servers().map((row) => stateOf(row.values)),
      );
    case 'agg_check':
      return states(
        CHECK_STATES,
        servers().map((row) => String(row.values['check_status'])),
      );
  }
  const value = values[field];
  if (OF_CHECKS.includes(field) && values['check_status'] === undefined) return [];
  if (field === 'check_code' && value === undefined) return [{ label: '', value: 0 }];
  if (values['mode'] === 'tcp' && HTTP_ONLY.includes(field)) return [];
  if (value === undefined) return [{ label: '', value: 'NaN' }];
  return [{ label: '', value: in_ms ? (Number(value) / 1000).toFixed(6) : value }];
}

/** Servers without a check have none of these. */
const OF_CHECKS = ['check_code', 'check_duration'];
const HTTP_ONLY = 'req_tot req_rate_max intercepted cache_lookups cache_hits comp_in comp_out comp_byp comp_rsp'.split(
  ' ',
);

function states(names: readonly string[], present: readonly string[]): Sample[] {
  return names.map((name) => ({ label: `,state="${name}"`, value: present.filter((each) => each === name).length }));
}

function stateOf(values: Values): string {
  const status = String(values['status']);
  if (/^(UP|OPEN|no check)/.test(status)) return 'UP';
  return /^(MAINT|DRAIN|NOLB)/.exec(status)?.[1] ?? 'DOWN';
}

// ── carp ────────────────────────────────────────────────────────────────────────────────────────

const STATES = ['INIT', 'BACKUP', 'MASTER'] as const;

function carpLines(vhids: readonly NamedVhid[]): string[] {
  const labels = ({ name, vhid, interface: link }: NamedVhid) => `name="${name}",vhid="${vhid}",interface="${link}"`;
  const metric = (name: string, counter: boolean, help: string, of: (vhid: NamedVhid) => number): string[] => [
    ...head(`carpool_carp_${name}`, counter, help),
    ...vhids.map((vhid) => `carpool_carp_${name}{${labels(vhid)}} ${of(vhid)}`),
  ];
  if (vhids.length === 0) return [];
  return [
    ...head('carpool_carp_state', false, '1 for the state that the vhid is in'),
    ...vhids.flatMap((vhid) =>
      STATES.map((state) => `carpool_carp_state{${labels(vhid)},state="${state}"} ${vhid.state === state ? 1 : 0}`),
    ),
    ...metric('demotion', false, 'what is added to advskew', (vhid) => vhid.demotion),
    ...metric('advertised_advskew', false, 'with the demotion in it', (vhid) => vhid.advertised_advskew),
    ...metric('adverts_sent_total', true, 'since the start', (vhid) => vhid.sent),
    ...metric('adverts_received_total', true, 'since the start', (vhid) => vhid.received),
    ...metric('troubles', false, 'what is wrong on the segment', (vhid) => vhid.troubles.length),
  ];
}
