/** The fields of a server's row. */
import type { Backend, Endpoint } from '../../config/model.ts';
import { CODES, type Code, DESCRIPTIONS } from '../../health/verdict.ts';
import { startingShare, WHOLE_SHARE } from '../../proxy/balance/limit.ts';
import * as c from '../../threads/counters.ts';
import * as shared from '../../threads/shared-memory.ts';
import type { Values } from './fields.ts';
import type { NumberedServer } from './objects.ts';
import { aborts, ageOf, failures, NO_TLS, responses, seconds, times, traffic } from './rows.ts';
import { isServing, type ServerStand, serverStand, statusOf } from './server-stand.ts';
import type { View } from './view.ts';

export function serverValues(view: View, backend: Backend, server: NumberedServer): Values {
  const { memory, tally, now_ms, checks } = view;
  const { config, number } = server;
  const read = (word: number) => Atomics.load(memory.words, shared.serverAt(memory, number) + word);
  const sums = tally.sums('servers', number);
  const stand = serverStand(view, server);
  const sessions = tally.ratesOf('servers', number, c.SESSIONS, now_ms);
  const outage = tally.outageOf('servers', number, isServing(stand), now_ms);
  const limit = read(shared.SERVER_AGENT_MAXCONN) || read(shared.SERVER_SET_MAXCONN) || config.maxconn;
  const changed_ms = read(shared.SERVER_CHANGED_MS);
  const said = checks(backend.name, config.name);
  const is_http = backend.mode === 'http';
  return {
    qcur: read(shared.SERVER_QUEUED),
    qmax: read(shared.SERVER_QUEUED_MAX),
    scur: read(shared.SERVER_CONNECTIONS),
    smax: read(shared.SERVER_CONNECTIONS_MAX),
    ...(limit === undefined ? {} : { slim: limit }),
    stot: sums.count(c.SESSIONS),
    ...traffic(sums),
    ...failures(sums),
    status: statusOf(stand, server),
    weight: stand.present_weight,
    act: config.backup ? 0 : 1,
    bck: config.backup ? 1 : 0,
    lastchg: changed_ms === 0 ? seconds(now_ms - view.started_ms) : seconds((now_ms - changed_ms) & 0x7fffffff),
    ...(config.maxqueue === undefined ? {} : { qlimit: config.maxqueue }),
    ...throttle(view, server, stand),
    lbtot: sums.count(c.BALANCED),
    ...(config.track ? { tracked: `${config.track.backend}/${config.track.server}` } : {}),
    rate: sessions.rate,
    rate_max: sessions.max,
    ...(is_http ? { ...responses(sums), req_tot: sums.count(c.REQUESTS) } : {}),
    ...aborts(sums),
    lastsess: ageOf(sums.last_session_ms, now_ms),
    ...times(sums),
    addr: formatAddress(view.endpointOf(config), config.host),
    ...(config.cookie === undefined ? {} : { cookie: config.cookie }),
    mode: backend.mode,
    wrew: 0,
    connect: sums.count(c.SESSIONS) - sums.count(c.REUSES),
    reuse: sums.count(c.REUSES),
    srv_icur: sums.count(c.IDLE_CONNECTIONS),
    eint: sums.count(c.INTERNAL_ERRORS),
    idle_conn_cur: 0,
    safe_conn_cur: sums.count(c.IDLE_CONNECTIONS),
    used_conn_cur: read(shared.SERVER_CONNECTIONS),
    need_conn_est: read(shared.SERVER_CONNECTIONS_MAX),
    uweight: stand.weight,
    ...NO_TLS,
    ...(config.check ? outageValues(read, outage.down_ms) : {}),
    ...(config.check && !stand.in_maintenance ? checkValues(read, config.check, said.check) : {}),
    ...(config.agent ? agentValues(read, said.agent) : {}),
    ...(config.observe ? { hanafail: read(shared.SERVER_ALARMS) } : {}),
  };
}

type Read = (word: number) => number;

function outageValues(read: Read, down_ms: number): Values {
  return {
    chkfail: read(shared.SERVER_CHECKS_FAILED),
    chkdown: read(shared.SERVER_WENT_DOWN),
    downtime: seconds(down_ms),
  };
}

/** Nobody checks a server in maintenance, so that it has none of these. */
function checkValues(read: Read, { rise, fall }: { rise: number; fall: number }, info: string): Values {
  const code = CODES[read(shared.SERVER_CHECK_CODE)] ?? 'INI';
  const status = read(shared.SERVER_CHECK_STATUS);
  return {
    check_status: code,
    ...(tellsCode(code) ? { check_code: status } : {}),
    ...(code === 'INI' ? {} : { check_duration: read(shared.SERVER_CHECK_DURATION_MS) }),
    ...(code === 'INI' ? {} : { last_chk: info }),
    check_desc: DESCRIPTIONS[code],
    check_rise: rise,
    check_fall: fall,
    check_health: read(shared.SERVER_HEALTH),
  };
}

/** An agent needs one word to go down, and one to come back. */
function agentValues(read: Read, info: string): Values {
  const code = CODES[read(shared.SERVER_AGENT_CODE)] ?? 'INI';
  return {
    agent_status: code,
    ...(tellsCode(code) ? { agent_code: 0 } : {}),
    ...(code === 'INI' ? {} : { agent_duration: read(shared.SERVER_AGENT_DURATION_MS), last_agt: info }),
    agent_desc: DESCRIPTIONS[code],
    agent_rise: 1,
    agent_fall: 1,
    agent_health: read(shared.SERVER_AGENT_HEALTH),
  };
}

/** Codes of protocols. */
function tellsCode(code: Code): boolean {
  return /^(L7OK|L7STS|PROC)/.test(code);
}

/** Percent, while it starts slowly: in the steps in which its share grows. */
function throttle({ memory, now_ms }: View, { config, number }: NumberedServer, { operational }: ServerStand): Values {
  const since_ms = Atomics.load(memory.words, shared.serverAt(memory, number) + shared.SERVER_UP_SINCE_MS);
  if (config.slowstart_ms === undefined || since_ms === 0 || operational === shared.SERVER_DOWN) return {};
  const share = startingShare((now_ms - since_ms) & 0x7fffffff, config.slowstart_ms);
  return share === WHOLE_SHARE ? {} : { throttle: Math.floor((100 * share) / WHOLE_SHARE) };
}

/** `10.0.0.1:80`, `[::1]:80`. */
export function formatAddress(endpoint: Endpoint, host: string): string {
  const address = endpoint.address || host;
  return `${address.includes(':') ? `[${address}]` : address}:${endpoint.port}`;
}
