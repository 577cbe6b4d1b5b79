/** Rules name backends and servers that exist. */
import type { AclTest, Backend, Config, NamedChoice, RuleCondition } from '../model.ts';
import type { Reporter } from '../reporter.ts';
import { didYouMean } from '../suggest.ts';

export function checkRules(config: Config, report: Reporter): void {
  for (const { mode, name, use_backends, monitor } of config.frontends) {
    for (const choice of use_backends) checkBackendChoice(choice, name, mode, config, report);
    for (const when of monitor?.fails ?? []) checkNames(when, monitor!.span, config, report);
  }
  for (const backend of config.backends) {
    for (const choice of backend.use_servers) checkServerChoice(choice, backend, config, report);
  }
}

function checkBackendChoice(
  { name, when, span }: NamedChoice,
  frontend: string,
  mode: Backend['mode'],
  config: Config,
  report: Reporter,
): void {
  const backend = config.backends.find((candidate) => candidate.name === name);
  if (backend === undefined) {
    const names = config.backends.map((candidate) => candidate.name);
    report.error(span, 'unknown-backend', `There is no backend \`${name}\`.`, didYouMean(name, names));
  } else if (backend.mode !== mode) {
    const message = `The frontend \`${frontend}\` is in mode ${mode}, the backend \`${name}\` in mode ${backend.mode}.`;
    report.error(span, 'mode-mismatch', message, `Write \`mode ${mode}\` in both, or in the defaults section.`);
  }
  if (when) checkNames(when, span, config, report);
}

function checkServerChoice(
  { name, when, span }: NamedChoice,
  backend: Backend,
  config: Config,
  report: Reporter,
): void {
  if (!backend.servers.some((server) => server.name === name)) {
    const names = backend.servers.map((server) => server.name);
    const message = `The backend \`${backend.name}\` has no server \`${name}\`.`;
    report.error(span, 'unknown-server', message, didYouMean(name, names));
  }
  if (when) checkNames(when, span, config, report, backend);
}

/** `own`: the backend that is meant where none is named. */
function checkNames(
  { condition }: RuleCondition,
  span: NamedChoice['span'],
  config: Config,
  report: Reporter,
  own?: Backend,
): void {
  for (const { test } of condition.flat()) {
    for (const [backend_name, server_name] of namesIn(test)) {
      const backend = backend_name === '' ? own : config.backends.find(({ name }) => name === backend_name);
      const names = config.backends.map(({ name }) => name);
      if (backend === undefined) {
        if (backend_name === '') continue;
        const message = `The condition asks for the backend \`${backend_name}\`, which does not exist.`;
        report.error(span, 'unknown-backend', message, didYouMean(backend_name, names));
      } else if (server_name !== undefined && !backend.servers.some(({ name }) => name === server_name)) {
        const message = `The backend \`${backend.name}\` has no server \`${server_name}\`.`;
        report.error(
          span,
          'unknown-server',
          message,
          didYouMean(
            server_name,
            backend.servers.map(({ name }) => name),
          ),
        );
      }
    }
  }
}

function namesIn(test: AclTest): [string, string | undefined][] {
  if (test.kind === 'any') return test.tests.flatMap(namesIn);
  if (test.kind === 'constant') return [];
  const { fetch, args } = test.sample;
  const [first = ''] = args;
  if (['nbsrv', 'queue', 'be_conn'].includes(fetch)) return [[first, undefined]];
  if (!['srv_is_up', 'srv_conn', 'srv_queue'].includes(fetch)) return [];
  const slash = first.indexOf('/');
  return [[first.slice(0, Math.max(0, slash)), first.slice(slash + 1)]];
}
