/** Frontends, backends and servers: names that fit together, modes that match, nothing that waits for ever. */
import type { Span } from '../diagnostic.ts';
import type { Backend, Config, Frontend, Server, Timeouts } from '../model.ts';
import type { Reporter } from '../reporter.ts';
import { didYouMean } from '../suggest.ts';
import { checkUnique, onePerLine, placeOf } from './names.ts';

export function checkProxies(config: Config, report: Reporter): void {
  checkUnique(config.frontends, 'frontend', report);
  checkUnique(config.backends, 'backend', report);
  checkListeners(config, report);
  for (const frontend of config.frontends) {
    checkBackendOf(frontend, config, report);
    checkLogging(frontend, report);
    checkForwardFor(frontend, report);
    checkStats(frontend, report);
    if (isMissing(frontend, 'client_ms')) reportTimeouts(frontend, ['client_ms'], report);
  }
  for (const backend of config.backends) checkBackend(backend, config, report);
}

/**
 * No listener is an error only without CARP: such a node may serve its address by other programs. After another
 * error it may be just a consequence.
 */
function checkListeners({ frontends, carps, global, files }: Config, report: Reporter): void {
  const vip = carps[0]?.addresses[0]?.address ?? '';
  for (const { name, kind, span, spans } of frontends) {
    // one that was written and is wrong was reported as such
    if (spans['binds'] !== undefined) continue;
    report.warning(
      span,
      'frontend-without-bind',
      `The ${kind} \`${name}\` has no \`bind\`, so no client can reach it.`,
      `Add a line such as \`bind ${vip}:80\`.`,
    );
  }
  checkDuplicateBinds(frontends, report);
  // servers may be checked for those who ask at a stats socket
  const listens = frontends.some(({ binds }) => binds.length > 0) || global.stats_sockets.length > 0;
  if (carps.length > 0 || listens || report.hasErrors) return;
  const span = frontends[0]?.span ?? { file: files[0] ?? '', line: 0, column: 0, end_column: 0 };
  const message = 'Nothing listens and no address is shared, so there is nothing to do.';
  report.error(span, 'no-listener', message, 'Add a `bind` line to a frontend, or a carp section.');
}

function checkDuplicateBinds(frontends: readonly Frontend[], report: Reporter): void {
  const seen = new Map<string, Span>();
  for (const { endpoint, inherited_fd, span } of frontends.flatMap(({ binds }) => binds)) {
    const key =
      inherited_fd !== undefined
        ? `fd@${inherited_fd}`
        : endpoint.port === 0
          ? endpoint.address
          : `${endpoint.address} port ${endpoint.port}`;
    const earlier = seen.get(key);
    if (earlier === undefined) seen.set(key, span);
    else
      report.error(span, 'duplicate-bind', `${key} is bound already (${placeOf(earlier)}).`, 'Remove one of the two.');
  }
}

/** With pages of its own, such as the statistics, it needs no backend. */
function answersItself({ mode, stats, exporters, monitor }: Frontend): boolean {
  return mode === 'http' && (stats !== undefined || exporters.length > 0 || monitor !== undefined);
}

function checkBackendOf(frontend: Frontend, { backends }: Config, report: Reporter): void {
  const { default_backend, kind, name, mode, span, spans } = frontend;
  if (default_backend === undefined) {
    if (frontend.use_backends.length > 0 || answersItself(frontend)) return;
    if (spans['default_backend'] !== undefined || spans['servers'] !== undefined) return;
    const mend = kind === 'listen' ? 'Add a `server` line.' : 'Add `default_backend` and the name of a backend.';
    report.warning(span, 'frontend-without-backend', `The ${kind} \`${name}\` sends its traffic nowhere.`, mend);
    return;
  }
  const place = kind === 'listen' ? span : (spans['default_backend'] ?? span);
  const backend = backends.find((candidate) => candidate.name === default_backend);
  if (backend === undefined) {
    const names = backends.map((candidate) => candidate.name);
    const mend =
      didYouMean(default_backend, names) ??
      (names.length > 0
        ? `There is ${names.slice(0, 8).join(', ')}.`
        : `Add a section \`backend ${default_backend}\`.`);
    report.error(place, 'unknown-backend', `There is no backend \`${default_backend}\`.`, mend);
  } else if (backend.mode !== mode) {
    report.error(
      place,
      'mode-mismatch',
      `The frontend \`${name}\` is in mode ${mode}, its backend \`${backend.name}\` in mode ${backend.mode}.`,
      `Write \`mode ${mode}\` in both, or in the defaults section.`,
    );
  } else if (backend.spans['servers'] === undefined) {
    report.warning(
      backend.span,
      'backend-without-servers',
      `The backend \`${backend.name}\` has no server, so every request fails.`,
      'Add a line such as `server web1 10.0.0.11:80 check`.',
    );
  }
}

function checkLogging({ name, log_format, log_targets, span, spans }: Frontend, report: Reporter): void {
  const place = spans['log_format'] ?? span;
  if (log_format.kind !== 'none' && log_targets.length === 0) {
    report.warning(
      place,
      'log-goes-nowhere',
      `The frontend \`${name}\` logs to nowhere: no \`log\` line names a target.`,
      'Add `log stdout format raw local0` to the global section and `log global` to this one.',
    );
  } else if (log_format.kind === 'none' && log_targets.length > 0) {
    report.warning(
      span,
      'log-without-format',
      `The frontend \`${name}\` has a log target but no format, so its traffic is not logged.`,
      'Add `option httplog` (or `option tcplog`).',
    );
  }
}

/** Of a page that the defaults switch on nothing is said: it is meant for those in mode http. */
function checkStats({ name, mode, stats, spans }: Frontend | Backend, report: Reporter): void {
  if (mode === 'http' || stats === undefined || spans['stats'] === undefined) return;
  const message = `\`stats\` has no effect on \`${name}\`, which is in mode tcp.`;
  report.warning(spans['stats'], 'no-effect', message, 'Write `mode http`, or remove the lines.');
}

function checkForwardFor({ name, mode, forwardfor, span, spans }: Frontend | Backend, report: Reporter): void {
  if (mode === 'http' || forwardfor === undefined) return;
  report.warning(
    spans['forwardfor'] ?? span,
    'no-effect',
    `\`option forwardfor\` has no effect on \`${name}\`, which is in mode tcp.`,
    'Write `mode http`, or remove the option.',
  );
}

function checkBackend(backend: Backend, config: Config, report: Reporter): void {
  checkUnique(backend.servers, 'server', report);
  for (const server of onePerLine(backend.servers)) checkServer(server, report);
  // a listen section was looked at as a frontend
  if (backend.kind === 'backend') {
    checkForwardFor(backend, report);
    checkStats(backend, report);
  }
  const isUsed = config.frontends.some(
    ({ default_backend, use_backends }) =>
      default_backend === backend.name || use_backends.some(({ name }) => name === backend.name),
  );
  if (!isUsed && backend.kind === 'backend' && !isInConditions(backend.name, config) && !report.hasErrors) {
    report.warning(
      backend.span,
      'unused-backend',
      `No frontend uses the backend \`${backend.name}\`.`,
      `Add \`default_backend ${backend.name}\` to a frontend.`,
    );
  }
  const fields = (['connect_ms', 'server_ms'] as const).filter((field) => isMissing(backend, field));
  if (backend.servers.length > 0 && fields.length > 0) reportTimeouts(backend, fields, report);
}

function isInConditions(backend: string, { carps }: Config): boolean {
  const tests = carps.flatMap(({ demotions }) => demotions).flatMap(({ condition }) => condition.flat());
  return tests.some(({ test }) => test.kind !== 'constant' && test.backend === backend);
}

function checkServer({ name, host, spans, span }: Server, report: Reporter): void {
  const place = spans['host'] ?? span;
  if (/(^|\.)example(\.(com|net|org))?\.?$/i.test(host)) {
    report.warning(
      place,
      'placeholder',
      `The host \`${host}\` of server \`${name}\` is a name for examples, which does not exist.`,
      'Write the name or the address of your own server.',
    );
  }
}

function isMissing({ timeouts, spans }: Frontend | Backend, field: keyof Timeouts): boolean {
  return timeouts[field] === undefined && spans[field] === undefined;
}

/** HAProxy too only warns: without them a dead client or server holds its connection for ever. */
function reportTimeouts(proxy: Frontend | Backend, fields: readonly (keyof Timeouts)[], report: Reporter): void {
  const names = fields.map((field) => `timeout ${field.replace(/_ms$/, '')}`);
  const list = names.map((name) => `\`${name}\``).join(' and no ');
  const message = `The ${proxy.kind} \`${proxy.name}\` has no ${list}, so a dead peer holds its connection for ever.`;
  const lines = names.map((name) => `\`${name} 5s\``).join(' and ');
  report.warning(proxy.span, 'missing-timeout', message, `Add ${lines} to the defaults section.`);
}
