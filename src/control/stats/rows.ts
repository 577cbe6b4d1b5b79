/** The rows of `show stat`, from the configuration, shared memory and the tally. */

import type { Bind } from '../../config/model.ts';
import * as c from '../../threads/counters.ts';
import * as shared from '../../threads/shared-memory.ts';
import type { StatRow } from './fields.ts';
import type { StatProxy } from './objects.ts';
import { serverStand } from './server-stand.ts';
import { formatAddress, serverValues } from './server-values.ts';
import type { Sums } from './tally.ts';
import type { View } from './view.ts';

/** A frontend's, its listeners', its servers', its backend's: as HAProxy lists them. */
export function rowsOf(view: View, proxy: StatProxy): StatRow[] {
  const rows: StatRow[] = [];
  const { iid, name, frontend, backend } = proxy;
  const base = { pxname: name, pid: 1, iid };
  if (frontend) {
    const values = { ...base, svname: 'FRONTEND', sid: 0, type: 0, ...frontendValues(view, proxy) };
    rows.push({ kind: 'F', iid, sid: 0, values });
    rows.push(...listenerRows(view, proxy));
  }
  if (!backend) return rows;
  for (const server of backend.servers) {
    const { config, sid } = server;
    const values = { ...base, svname: config.name, sid, type: 2, ...serverValues(view, backend.config, server) };
    rows.push({ kind: 'S', iid, sid, values });
  }
  const values = { ...base, svname: 'BACKEND', sid: 0, type: 1, ...backendValues(view, proxy) };
  rows.push({ kind: 'B', iid, sid: 0, values });
  return rows;
}

/** With `option socket-stats`. */
function listenerRows(view: View, { iid, name, frontend }: StatProxy): StatRow[] {
  const { config, first_bind } = frontend!;
  if (!config.socket_stats) return [];
  return config.binds.map((bind, index) => {
    const sid = bind.id ?? index + 1;
    const svname = bind.name ?? `sock-${sid}`;
    const values = { pxname: name, pid: 1, iid, svname, sid, type: 3, ...bindValues(view, bind, first_bind + index) };
    return { kind: 'L', iid, sid, values: { ...values, mode: config.mode } };
  });
}

function bindValues({ memory, tally }: View, { endpoint, maxconn }: Bind, number: number) {
  const sums = tally.sums('binds', number);
  const read = (word: number) => Atomics.load(memory.words, shared.bindAt(memory, number) + word);
  const clients = read(shared.LIMIT_CLIENTS);
  return {
    scur: clients,
    smax: read(shared.LIMIT_CLIENTS_MAX),
    slim: maxconn ?? 0,
    stot: sums.count(c.SESSIONS),
    ...traffic(sums),
    dreq: sums.count(c.DENIED_REQUESTS),
    ereq: sums.count(c.REQUEST_ERRORS),
    status: maxconn !== undefined && clients >= maxconn ? 'FULL' : 'OPEN',
    addr: formatAddress(endpoint, endpoint.address),
    dcon: 0,
    dses: 0,
    wrew: 0,
    eint: sums.count(c.INTERNAL_ERRORS),
    ...NO_TLS,
  };
}

function frontendValues(view: View, { frontend }: StatProxy) {
  const { memory, tally, now_ms } = view;
  const { config, number } = frontend!;
  const sums = tally.sums('frontends', number);
  const read = (word: number) => Atomics.load(memory.words, shared.frontendAt(memory, number) + word);
  const sessions = tally.ratesOf('frontends', number, c.SESSIONS, now_ms);
  const connections = tally.ratesOf('frontends', number, c.CONNECTIONS, now_ms);
  const requests = tally.ratesOf('frontends', number, c.REQUESTS, now_ms);
  return {
    scur: read(shared.FRONTEND_CONNECTIONS),
    smax: read(shared.FRONTEND_CONNECTIONS_MAX),
    slim: read(shared.FRONTEND_SET_MAXCONN) || (config.maxconn ?? view.maxconn),
    stot: sums.count(c.SESSIONS),
    ...traffic(sums),
    dreq: sums.count(c.DENIED_REQUESTS),
    ereq: sums.count(c.REQUEST_ERRORS),
    status: read(shared.FRONTEND_STOPPED) === 1 || config.binds.length === 0 ? 'STOP' : 'OPEN',
    rate: sessions.rate,
    rate_lim: config.sessions_per_s,
    rate_max: sessions.max,
    ...(config.mode === 'http' ? responses(sums) : {}),
    ...(config.mode === 'http' ? { intercepted: sums.count(c.INTERCEPTED), cache_lookups: 0, cache_hits: 0 } : {}),
    req_rate: requests.rate,
    req_rate_max: requests.max,
    req_tot: sums.count(c.REQUESTS),
    ...NO_COMPRESSION,
    mode: config.mode,
    conn_rate: connections.rate,
    conn_rate_max: connections.max,
    conn_tot: sums.count(c.CONNECTIONS),
    dcon: 0,
    dses: 0,
    wrew: 0,
    eint: sums.count(c.INTERNAL_ERRORS),
    ...protocols(sums, {
      open: read(shared.FRONTEND_CONNECTIONS),
      total: sums.count(c.CONNECTIONS),
      streams: sums.count(c.REQUESTS),
    }),
  };
}

function backendValues(view: View, { backend }: StatProxy) {
  const { memory, tally, now_ms } = view;
  const { config, number, servers } = backend!;
  const sums = tally.sums('backends', number);
  const read = (word: number) => Atomics.load(memory.words, shared.backendAt(memory, number) + word);
  const stands = servers.map((server) => serverStand(view, server));
  const usable = stands.filter((stand) => stand.usable);
  const [active, backup] = [usable.filter((stand) => !stand.backup), usable.filter((stand) => stand.backup)];
  const used = active.length > 0 ? active : config.all_backups ? backup : backup.slice(0, 1);
  const up = isBackendUp(view, backend!);
  const outage = tally.outageOf('backends', number, up, now_ms);
  const sessions = tally.ratesOf('backends', number, c.SESSIONS, now_ms);
  const attempts = sum(servers.map((server) => tally.sums('servers', server.number).count(c.SESSIONS)));
  const made = attempts - sums.count(c.REUSES);
  return {
    qcur: read(shared.BACKEND_QUEUED),
    qmax: read(shared.BACKEND_QUEUED_MAX),
    scur: read(shared.BACKEND_CONNECTIONS),
    smax: read(shared.BACKEND_CONNECTIONS_MAX),
    slim: view.fullconnOf(config),
    stot: sums.count(c.SESSIONS),
    ...traffic(sums),
    dreq: sums.count(c.DENIED_REQUESTS),
    ...failures(sums),
    status: up ? 'UP' : 'DOWN',
    weight: sum(used.map(({ present_weight }) => present_weight)),
    act: active.length,
    bck: backup.length,
    chkdown: outage.went_down,
    lastchg: seconds(now_ms - outage.changed_ms),
    downtime: seconds(outage.down_ms),
    lbtot: sums.count(c.BALANCED),
    rate: sessions.rate,
    rate_max: sessions.max,
    ...(config.mode === 'http'
      ? { ...responses(sums), req_tot: sums.count(c.SESSIONS), cache_lookups: 0, cache_hits: 0 }
      : {}),
    ...aborts(sums),
    ...NO_COMPRESSION,
    lastsess: ageOf(sums.last_session_ms, now_ms),
    ...times(sums),
    ...(config.cookie ? { cookie: config.cookie.name } : {}),
    mode: config.mode,
    algo: config.balance.kind,
    wrew: 0,
    connect: made,
    reuse: sums.count(c.REUSES),
    eint: sums.count(c.INTERNAL_ERRORS),
    uweight: sum(used.map(({ weight }) => weight)),
    agg_server_status: 0,
    agg_server_check_status: 0,
    agg_check_status: 0,
    ...protocols(sums, { open: 0, total: made, streams: attempts }),
  };
}

/** Somebody can take traffic, or there is nobody who could fail to. */
export function isBackendUp(view: View, { servers }: NonNullable<StatProxy['backend']>): boolean {
  return servers.length === 0 || servers.some((server) => serverStand(view, server).usable);
}

// ── groups of fields ────────────────────────────────────────────────────────────────────────────

export function traffic(sums: Sums) {
  return { bin: sums.count(c.BYTES_IN), bout: sums.count(c.BYTES_OUT), dresp: sums.count(c.DENIED_RESPONSES) };
}

export function failures(sums: Sums) {
  return {
    econ: sums.count(c.CONNECT_ERRORS),
    eresp: sums.count(c.RESPONSE_ERRORS),
    wretr: sums.count(c.RETRIES),
    wredis: sums.count(c.REDISPATCHES),
  };
}

export function aborts(sums: Sums) {
  return { cli_abrt: sums.count(c.CLIENT_ABORTS), srv_abrt: sums.count(c.SERVER_ABORTS) };
}

const CLASSES = ['1xx', '2xx', '3xx', '4xx', '5xx', 'other'];

export function responses(sums: Sums): Record<string, number> {
  return Object.fromEntries(CLASSES.map((name, index) => [`hrsp_${name}`, sums.count(c.RESPONSES + index)]));
}

const TIMES = { qtime: c.QUEUE_TIME, ctime: c.CONNECT_TIME, rtime: c.RESPONSE_TIME, ttime: c.TOTAL_TIME };

export function times(sums: Sums): Record<string, number> {
  return Object.fromEntries(
    Object.entries(TIMES).flatMap(([name, time]) => [
      [name, sums.mean_ms(time)],
      [`${name}_max`, sums.longest_ms(time)],
    ]),
  );
}

const NO_COMPRESSION = { comp_in: 0, comp_out: 0, comp_byp: 0, comp_rsp: 0 };

export const NO_TLS = { ssl_sess: 0, ssl_reused_sess: 0, ssl_failed_handshake: 0 };

/** There is no HTTP/2 yet, and all HTTP is HTTP/1. */
function protocols(sums: Sums, { open, total, streams }: { open: number; total: number; streams: number }) {
  const names =
    'headers_rcvd data_rcvd settings_rcvd rst_stream_rcvd goaway_rcvd detected_conn_protocol_errors ' +
    'detected_strm_protocol_errors rst_stream_resp goaway_resp open_connections backend_open_streams total_connections ' +
    'backend_total_streams';
  return {
    ...NO_TLS,
    ...Object.fromEntries(names.split(' ').map((name) => [`h2_${name}`, 0])),
    h1_open_connections: open,
    h1_open_streams: open,
    h1_total_connections: total,
    h1_total_streams: streams,
    h1_bytes_in: sums.count(c.BYTES_IN),
    h1_bytes_out: sums.count(c.BYTES_OUT),
    h1_spliced_bytes_in: 0,
    h1_spliced_bytes_out: 0,
  };
}

/** -1: never. */
export function ageOf(at_ms: number, now_ms: number): number {
  return at_ms === 0 ? -1 : seconds(now_ms - at_ms);
}

export function seconds(time_ms: number): number {
  return Math.max(0, Math.floor(time_ms / 1000));
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
