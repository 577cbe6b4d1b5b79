/** The keywords of the global section. */
import type { Global } from '../model.ts';
import { parseInteger } from '../values.ts';
import type { GlobalDraft } from './drafts.ts';
import { type Keyword, noArguments, onlyArgument, withoutEffect } from './keyword.ts';
import { parseLogTarget } from './log.ts';

const GLOBAL = ['global'] as const;

export const GLOBAL_KEYWORDS: readonly Keyword<GlobalDraft>[] = [
  {
    name: 'daemon',
    sections: GLOBAL,
    help: 'Accepted without effect: carpool stays in the foreground.',
    has_effect: false,
    negatable: true,
    parse: (draft, statement, context) => {
      noArguments(statement, context);
      draft.daemon = !statement.negated;
      draft.spans['daemon'] = statement.keyword.span;
    },
  },
  {
    name: 'maxconn',
    sections: GLOBAL,
    help: 'Connections of the whole process at once.',
    has_effect: true,
    parse: parseCount('maxconn', 1, 2 ** 31 - 1),
  },
  {
    name: 'nbthread',
    sections: GLOBAL,
    help: 'Data threads (one per core).',
    has_effect: true,
    parse: parseCount('nbthread', 1, 64),
  },
  {
    name: 'log',
    sections: GLOBAL,
    help: 'Where `log global` of the proxies logs: stdout, stderr, a UDP address or a socket.',
    has_effect: true,
    negatable: true,
    parse: (draft, statement, context) => {
      if (statement.negated) draft.log_targets = [];
      const target = statement.negated ? undefined : parseLogTarget(statement, context);
      if (target !== undefined) draft.log_targets.push(target);
    },
  },
  withoutEffect('chroot', GLOBAL, 'the process keeps its view of the file system'),
  withoutEffect('user', GLOBAL, 'the process keeps the user it was started as'),
  withoutEffect('group', GLOBAL, 'the process keeps the group it was started with'),
  withoutEffect('uid', GLOBAL, 'the process keeps the user it was started as'),
  withoutEffect('gid', GLOBAL, 'the process keeps the group it was started with'),
  withoutEffect('pidfile', GLOBAL, 'no file is written'),
  withoutEffect('stats', GLOBAL, "HAProxy's runtime socket is not served; `carpool status` has its own"),
  withoutEffect('ca-base', GLOBAL, 'TLS is not supported'),
  withoutEffect('crt-base', GLOBAL, 'TLS is not supported'),
  withoutEffect('key-base', GLOBAL, 'TLS is not supported'),
  ...tlsDefaults().map((name) => withoutEffect(name, GLOBAL, 'TLS is not supported')),
  withoutEffect('master-worker', GLOBAL, 'there is one process'),
  withoutEffect('log-tag', GLOBAL, 'lines are tagged `carpool`'),
  withoutEffect('log-send-hostname', GLOBAL, 'the host name is the one of the system'),
  withoutEffect('hard-stop-after', GLOBAL, 'the time to stop is fixed'),
  withoutEffect('grace', GLOBAL, 'the time to stop is fixed'),
  withoutEffect('ulimit-n', GLOBAL, 'the descriptor limit stays as it is'),
  withoutEffect('spread-checks', GLOBAL, 'checks are not spread'),
  withoutEffect('node', GLOBAL, 'nothing shows it'),
  withoutEffect('description', GLOBAL, 'nothing shows it'),
  withoutEffect('cpu-map', GLOBAL, 'the kernel places the threads'),
  withoutEffect('noepoll', GLOBAL, 'CARPOOL_REACTOR chooses the reactor'),
  withoutEffect('quiet', GLOBAL, 'messages are written as always'),
];

function tlsDefaults(): string[] {
  const suffixes = ['ciphers', 'ciphersuites', 'options', 'curves', 'sigalgs'];
  return ['bind', 'server']
    .flatMap((side) => suffixes.map((suffix) => `ssl-default-${side}-${suffix}`))
    .concat('ssl-dh-param-file');
}

function parseCount(field: 'maxconn' | 'nbthread', min: number, max: number): Keyword<GlobalDraft>['parse'] {
  return (draft, statement, context) => {
    const word = onlyArgument(statement, 'a number', context);
    const value = word && parseInteger(word, { what: field, min, max }, context.report);
    if (word === undefined || value === undefined) return;
    draft[field] = value;
    draft.spans[field] = word.span;
  };
}

export function finishGlobal({ nbthread, maxconn, daemon, log_targets, spans }: GlobalDraft): Global {
  return { nbthread, maxconn, daemon, log_targets, spans };
}
