/** `show servers state` in the form of a state file (version 1), and `show servers conn`. */
import { isIP } from 'node:net';
import type { Server } from '../../config/model.ts';
import { CODES } from '../../health/verdict.ts';
import * as c from '../../threads/counters.ts';
import * as shared from '../../threads/shared-memory.ts';
import type { NumberedServer, StatProxy } from '../stats/objects.ts';
import { seconds } from '../stats/rows.ts';
import { type ServerStand, serverStand } from '../stats/server-stand.ts';
import type { View } from '../stats/view.ts';

const STATE_HEAD =
  '# be_id be_name srv_id srv_name srv_addr srv_op_state srv_admin_state srv_uweight srv_iweight ' +
  'srv_time_since_last_change srv_check_status srv_check_result srv_check_health srv_check_state srv_agent_state ' +
  'bk_f_forced_id srv_f_forced_id srv_fqdn srv_port srvrecord srv_use_ssl srv_check_port srv_check_addr ' +
  'srv_agent_addr srv_agent_port';

export function renderServerStates(view: View, proxies: readonly StatProxy[]): string {
  const lines = proxies.flatMap((proxy) =>
    (proxy.backend?.servers ?? []).map((server) => `${stateOf(view, proxy, server).join(' ')}\n`),
  );
  return `1\n${STATE_HEAD}\n${lines.join('')}`;
}

/** Bits of the manual, "show servers state". */
const CONFIGURED_MAINTENANCE = 4;
const CHECK_CONFIGURED = 2;
const CHECK_ENABLED = 4;
const CHECK_PAUSED = 8;
const IS_AGENT = 16;
/** Of a server without checks: what `rise` is when nobody says it. */
const UNCHECKED_HEALTH = 2;
/** HAProxy's numbers of check states, in the order of CODES. */
const CHECK_STATUSES: Readonly<Record<string, number>> = {
  INI: 2,
  HANA: 4,
  SOCKERR: 5,
  L4OK: 6,
  L4TOUT: 7,
  L4CON: 8,
  L6OK: 9,
  L6TOUT: 10,
  L6RSP: 11,
  L7TOUT: 12,
  L7RSP: 13,
  L7OK: 15,
  L7OKC: 16,
  L7STS: 17,
  PROCERR: 18,
  PROCTOUT: 19,
  PROCOK: 20, // biome-ignore format: a table
};
const UNKNOWN_STATUS = 1;

function stateOf(view: View, { iid, name }: StatProxy, server: NumberedServer): (string | number)[] {
  const { memory, now_ms } = view;
  const { config, number, sid } = server;
  const read = (word: number) => Atomics.load(memory.words, shared.serverAt(memory, number) + word);
  const stand = serverStand(view, server);
  const changed_ms = read(shared.SERVER_CHANGED_MS);
  const since_ms = changed_ms === 0 ? now_ms - view.started_ms : (now_ms - changed_ms) & 0x7fffffff;
  const { check, agent } = config;
  const endpoint = view.endpointOf(config);
  const code = CODES[read(shared.SERVER_CHECK_CODE)] ?? 'INI';
  const is_name = endpoint.address !== '' && isIP(config.host) === 0;
  const { in_maintenance } = stand;
  return [
    iid,
    name,
    sid,
    config.name,
    endpoint.address || '-',
    in_maintenance || stand.operational === shared.SERVER_DOWN
      ? 0
      : stand.operational === shared.SERVER_STOPPING
        ? 3
        : 2,
    administrativeBits(stand.administrative, config.disabled),
    stand.weight,
    config.weight,
    seconds(since_ms),
    check && !(in_maintenance && code === 'INI') ? (CHECK_STATUSES[code] ?? UNKNOWN_STATUS) : UNKNOWN_STATUS,
    check && code !== 'INI' ? resultOf(code) : 0,
    healthOf(config, stand),
    (check ? CHECK_CONFIGURED | CHECK_ENABLED : 0) | (in_maintenance && (check || config.disabled) ? CHECK_PAUSED : 0),
    agent ? CHECK_CONFIGURED | CHECK_ENABLED | IS_AGENT : 0,
    0,
    config.id === undefined ? 0 : 1,
    is_name ? config.host : '-',
    endpoint.port,
    '-',
    0,
    check?.endpoint?.port ?? 0,
    check?.endpoint?.address || '-',
    agent?.address || '-',
    agent?.port ?? 0,
  ];
}

/** The counter of the server's own checks; of one without any as if they had been passed. */
function healthOf({ check }: Server, { administrative, in_maintenance, health }: ServerStand): number {
  if (check !== undefined) return in_maintenance ? 0 : health;
  return (administrative & shared.ADMIN_MAINTENANCE) !== 0 ? 0 : UNCHECKED_HEALTH;
}

/** Ours on the left, those of the manual on the right. */
const BITS: readonly (readonly [number, number])[] = [
  [shared.ADMIN_MAINTENANCE, 1],
  [shared.ADMIN_INHERITED_MAINTENANCE, 2],
  [shared.ADMIN_DRAIN, 8],
  [shared.ADMIN_INHERITED_DRAIN, 16],
  [shared.ADMIN_UNRESOLVED, 32],
];

function administrativeBits(mask: number, disabled: boolean): number {
  const bits = BITS.reduce((sum, [ours, theirs]) => sum | ((mask & ours) === 0 ? 0 : theirs), 0);
  return bits | (disabled ? CONFIGURED_MAINTENANCE : 0);
}

/** 2 failed, 3 passed, 4 passed conditionally. */
function resultOf(code: string): number {
  if (code === 'L7OKC') return 4;
  return code.endsWith('OK') ? 3 : 2;
}

export function renderServerConnections(view: View, proxies: readonly StatProxy[]): string {
  const { memory, tally } = view;
  const threads = memory.counts.threads - shared.THREAD_DATA;
  const head = `# bkname/svname bkid/svid addr port - purge_delay used_cur used_max need_est unsafe_nb safe_nb idle_lim idle_cur idle_per_thr[${threads}]\n`;
  const lines = proxies.flatMap(({ iid, name, backend }) =>
    (backend?.servers ?? []).map(({ config, number, sid }) => {
      const read = (word: number) => Atomics.load(memory.words, shared.serverAt(memory, number) + word);
      const idle = tally.sums('servers', number).count(c.IDLE_CONNECTIONS);
      const per_thread = Array.from(
        { length: threads },
        (_, thread) => c.serverRow(memory, shared.THREAD_DATA + thread, number)[c.IDLE_CONNECTIONS],
      );
      const used = [read(shared.SERVER_CONNECTIONS), read(shared.SERVER_CONNECTIONS_MAX)];
      const { address, port } = view.endpointOf(config);
      const place = `${address || '-'} ${port}`;
      return `${name}/${config.name} ${iid}/${sid} ${place} - ${IDLE_MS} ${used.join(' ')} ${used[1]} 0 ${idle} -1 ${idle} ${per_thread.join(' ')}\n`;
    }),
  );
  return head + lines.join('');
}

/** After so long an idle connection is closed (proxy/http/server-connection.ts). */
const IDLE_MS = 30_000;
