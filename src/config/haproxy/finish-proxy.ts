/** From what the lines of a section left behind to the frontend and the backend of the model. */
import type { Backend, ErrorFile, Frontend, LogTarget } from '../model.ts';
import type { Reporter } from '../reporter.ts';
import { usableBalance } from './balance.ts';
import { finishMethod } from './checks/draft.ts';
import { reportHttpConditions } from './choices.ts';
import { serverForTheRest } from './dispatch.ts';
import type { ProxyDraft } from './drafts.ts';
import { finishLogging } from './log-format.ts';
import { finishServer } from './server.ts';
import { usableCookie } from './session-cookie.ts';
import { keepAliveOf } from './tcp-options.ts';
import { type UnixBind, withUnixBind } from './unix-bind.ts';

/** What a proxy takes from other sections. */
export type Around = {
  readonly global_targets: readonly LogTarget[];
  readonly error_files: readonly ErrorFile[];
  readonly unix_bind: UnixBind;
};

export function finishFrontend(draft: ProxyDraft, around: Around, report: Reporter): Frontend {
  const { name, mode, binds, default_backend, maxconn, sessions_per_s, timeouts, forwardfor, http, span, spans } =
    draft;
  reportHttpConditions(draft, draft.use_backends, report);
  return {
    name,
    kind: draft.kind === 'listen' ? 'listen' : 'frontend',
    mode,
    binds: binds.map((bind) => ({
      ...withUnixBind(bind, around.unix_bind, report),
      tcp: { ...bind.tcp, keep_alive: keepAliveOf(draft.tcpka.client, draft.client_keep_alive) },
    })),
    // a listen section with servers is its own backend
    default_backend: draft.kind === 'listen' && hasServers(draft) ? name : default_backend,
    use_backends: draft.use_backends,
    monitor: draft.monitor_uri === undefined ? undefined : { uri: draft.monitor_uri, fails: draft.monitor_fails, span },
    maxconn,
    sessions_per_s,
    timeouts,
    log_targets: allTargets(draft, around),
    ...finishLogging(draft, report),
    error_files: around.error_files,
    forwardfor,
    originalto: draft.originalto,
    stats: draft.stats,
    exporters: draft.exporters,
    priority_rules: draft.priority_rules,
    socket_stats: draft.socket_stats,
    http,
    span,
    spans,
  };
}

export function finishBackend(draft: ProxyDraft, around: Around, report: Reporter): Backend {
  const { name, mode, hash, hash_balance_factor, timeouts, retries, redispatch, persist, all_backups } = draft;
  const { retry_on, fullconn, dynamic_cookie_key, forwardfor, http, checks, span, spans } = draft;
  reportHttpConditions(draft, draft.use_servers, report);
  const balance = usableBalance(draft, report);
  const for_the_rest = serverForTheRest(draft, report);
  const servers = for_the_rest ? [...draft.servers, for_the_rest] : draft.servers;
  const waits_for_body = balance.kind === 'url_param' && balance.check_post;
  return {
    name,
    kind: draft.kind === 'listen' ? 'listen' : 'backend',
    use_servers: draft.use_servers,
    source: draft.source,
    keep_alive: keepAliveOf(draft.tcpka.server, draft.server_keep_alive),
    persist_rules: draft.persist_rules,
    states_from: draft.states_from,
    states_file: draft.states_file,
    mode,
    balance,
    hash,
    hash_balance_factor,
    servers: servers.map((server) => finishServer(server, name, report)),
    timeouts,
    retries,
    retry_on,
    redispatch,
    persist,
    all_backups,
    fullconn,
    cookie: usableCookie(draft, report),
    dynamic_cookie_key,
    forwardfor,
    originalto: draft.originalto,
    http: waits_for_body ? { ...http, buffer_request: true } : http,
    error_files: around.error_files,
    stats: draft.stats,
    exporters: draft.exporters,
    priority_rules: draft.priority_rules,
    check: finishMethod(checks),
    log_health_checks: checks.log,
    log_targets: allTargets(draft, around),
    log_tag: draft.log_tag,
    span,
    spans,
  };
}

function allTargets(draft: ProxyDraft, { global_targets }: Around): LogTarget[] {
  return draft.log_global === undefined ? draft.log_targets : [...global_targets, ...draft.log_targets];
}

function hasServers({ servers, dispatch, transparent }: ProxyDraft): boolean {
  return servers.length > 0 || dispatch !== undefined || transparent !== undefined;
}
