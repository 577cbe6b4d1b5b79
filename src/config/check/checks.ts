/** What checks need and nobody wrote: a port, a program, a server to track, rules that are used. */
import type { Backend, CheckRule, Config, Server } from '../model.ts';
import type { Reporter } from '../reporter.ts';
import { didYouMean } from '../suggest.ts';
import { isUnixAddress } from '../values.ts';

export function checkChecks(config: Config, report: Reporter): void {
  for (const backend of config.backends) {
    checkExternal(backend, config, report);
    checkUnusedRules(backend, report);
    for (const server of backend.servers) {
      checkPorts(server, backend, report);
      checkTrack(server, backend, config, report);
    }
  }
}

function checkExternal({ name, check, span, spans }: Backend, { global }: Config, report: Reporter): void {
  if (check.kind !== 'external') return;
  const place = spans['check'] ?? span;
  if (check.command === '') {
    const message = `\`option external-check\` of \`${name}\` has no program to run.`;
    report.error(place, 'missing-value', message, 'Add `external-check command /path/to/program`.');
  } else if (!check.command.startsWith('/')) {
    const place_of_command = spans['external_check_command'] ?? place;
    const message = `The check's program \`${check.command}\` has no absolute path.`;
    report.error(place_of_command, 'bad-path', message, 'Write the whole path, such as `/usr/local/bin/check`.');
  }
  if (global.external_check) return;
  const message = `\`${name}\` runs a program for its checks, which the global section must allow.`;
  report.error(place, 'not-allowed', message, 'Add `external-check` to the global section.');
}

function checkUnusedRules({ check, spans }: Backend, report: Reporter): void {
  for (const [kind, keyword, option] of [
    ['tcp', 'tcp-check', 'tcp-check'],
    ['http', 'http-check', 'httpchk'],
  ] as const) {
    const place = spans[`${kind}_check_rules`];
    // without `option tcp-check` a plain connection is made, whatever the rules say
    const used = check.kind === kind && (kind === 'http' || spans['check'] !== undefined);
    if (place === undefined || used) continue;
    report.warning(place, 'no-effect', `\`${keyword}\` rules need \`option ${option}\`.`, `Add \`option ${option}\`.`);
  }
}

function checkPorts(
  { name, host, endpoint, check, agent, spans, span }: Server,
  backend: Backend,
  report: Reporter,
): void {
  if (agent?.port === 0) {
    const place = spans['agent_check'] ?? span;
    report.error(
      place,
      'port-missing',
      `The agent of server \`${name}\` has no port.`,
      'Add `agent-port` and a number.',
    );
  }
  if (
    check === undefined ||
    endpoint.port !== 0 ||
    isUnixAddress(endpoint.address) ||
    (check.endpoint?.port ?? 0) !== 0
  )
    return;
  if (backend.check.kind === 'external' || hasOwnPort(backend)) return;
  report.error(
    spans['host'] ?? span,
    'port-missing',
    `The server \`${name}\` is to be checked but has no port.`,
    `Write \`${host}:80\`, or \`port 80\` after \`check\`.`,
  );
}

/** Do the rules say to which port they connect, each time? */
function hasOwnPort({ check }: Backend): boolean {
  const rules: readonly CheckRule[] = check.kind === 'tcp' || check.kind === 'http' ? check.rules : [];
  const connects = rules.filter((rule) => rule.kind === 'connect');
  return connects.length > 0 && connects.every(({ port }) => port !== undefined);
}

function checkTrack(server: Server, backend: Backend, config: Config, report: Reporter): void {
  if (server.track === undefined) return;
  const place = server.spans['track'] ?? server.span;
  if (server.check !== undefined || server.agent !== undefined) {
    const message = `The server \`${server.name}\` is checked itself, so it cannot track another.`;
    return void report.error(place, 'track-and-check', message, 'Remove `check`, or `track`.');
  }
  const seen = new Set<Server>([server]);
  let { track } = server;
  for (;;) {
    const target_backend = config.backends.find(({ name }) => name === track!.backend);
    const target = target_backend?.servers.find(({ name }) => name === track!.server);
    if (target === undefined) {
      const names = (target_backend ?? backend).servers.map(({ name }) => name);
      const message = `There is no server \`${track.backend}/${track.server}\` to track.`;
      return void report.error(place, 'unknown-server', message, didYouMean(track.server, names));
    }
    if (seen.has(target)) return void report.error(place, 'track-loop', 'These servers track each other in a circle.');
    if (target.track === undefined) {
      if (target.check !== undefined || target.agent !== undefined) return;
      const message = `The server \`${track.backend}/${track.server}\` is not checked, so there is nothing to track.`;
      return void report.error(place, 'track-unchecked', message, 'Add `check` to it.');
    }
    seen.add(target);
    track = target.track;
  }
}
