/** The keywords of the global section. */
import type { Global, Identity } from '../model.ts';
import { HIGHEST_RATE } from '../model-defaults.ts';
import { parseDuration, parseInteger } from '../values.ts';
import type { Word } from '../word.ts';
import { CHECK_KEYWORDS } from './checks/global-words.ts';
import type { GlobalDraft } from './drafts.ts';
import { ENVIRONMENT_KEYWORDS } from './environment.ts';
import { GLOBAL_WITHOUT_EFFECT } from './global-without-effect.ts';
import { type Context, type Keyword, noArguments, onlyArgument, refuseMore } from './keyword.ts';
import { parseLogTarget } from './log.ts';
import { parseGlobalStats } from './stats-socket.ts';
import { UNIX_BIND } from './unix-bind.ts';

const GLOBAL = ['global'] as const;

export const GLOBAL_KEYWORDS: readonly Keyword<GlobalDraft>[] = [
  {
    name: 'daemon',
    sections: GLOBAL,
    help: 'Go to the background; the command returns when the listeners are open.',
    has_effect: true,
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
    name: 'strict-limits',
    sections: GLOBAL,
    help: 'Refuse to start when `maxconn` needs more descriptors than the system allows; without it, and after `no`, warn.',
    has_effect: true,
    negatable: true,
    parse: (draft, statement, context) => {
      noArguments(statement, context);
      draft.strict_limits = !statement.negated;
    },
  },
  rateKeyword('maxconnrate', 'connections_per_s', 'New clients of all frontends in a second; more wait in the kernel.'),
  rateKeyword('maxsessrate', 'sessions_per_s', 'The same as `maxconnrate`: each client is a session.'),
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
  {
    name: 'stats',
    sections: GLOBAL,
    help: '`stats socket` opens a socket of the runtime API, `stats timeout` limits its silent clients.',
    has_effect: true,
    parse: parseGlobalStats,
  },
  textKeyword('chroot', 'a directory', 'The directory that is all the process sees once everything is open.'),
  textKeyword('pidfile', 'a file', 'Where the process number is written.'),
  textKeyword('log-tag', 'a tag', 'What syslog headers call the program (`carpool`).', 'log_tag'),
  textKeyword(
    'server-state-file',
    'a file',
    'The states that servers begin with, as `show servers state` wrote them.',
    'server_state_file',
  ),
  textKeyword(
    'server-state-base',
    'a directory',
    'Where the files of server states are whose path is relative.',
    'server_state_base',
  ),
  identityKeyword('user', 'Whom the process becomes once everything is open.'),
  identityKeyword('group', 'Which group the process belongs to then.'),
  identityKeyword('uid', 'The same as `user`, by number.'),
  identityKeyword('gid', 'The same as `group`, by number.'),
  timeKeyword('hard-stop-after', 'hard_stop_after_ms', 'How long clients may go on after a reload or a soft stop.'),
  timeKeyword('grace', 'grace_ms', 'How long a stopping node drains while it still holds its addresses (1s).'),
  {
    name: 'log-send-hostname',
    sections: GLOBAL,
    help: "Put the host's name, or the given one, into syslog headers.",
    has_effect: true,
    parse: (draft, { args, keyword }, { report }) => {
      refuseMore(args.slice(1), keyword, report);
      draft.log_send_hostname = args[0]?.text ?? '';
    },
  },
  UNIX_BIND,
  {
    name: 'default-path',
    sections: GLOBAL,
    help: '`current`, as always: relative paths begin where carpool is started, or at `-C DIR`; other words are refused.',
    has_effect: true,
    parse: (_draft, statement, context) => {
      const [word] = statement.args;
      if (word?.text === 'current') refuseMore(statement.args.slice(1), word, context.report);
      else {
        const message = 'Relative paths begin where carpool is started; `default-path` cannot say otherwise.';
        const mend = 'Write the paths in full, or start carpool with `-C DIR`.';
        context.report.error((word ?? statement.keyword).span, 'unsupported-value', message, mend);
      }
    },
  },
  {
    name: 'zero-warning',
    sections: GLOBAL,
    help: 'Refuse to start with a warning; those about what has no effect here do not count.',
    has_effect: true,
    parse: (draft, statement, context) => {
      noArguments(statement, context);
      draft.zero_warning = true;
      draft.spans['zero_warning'] = statement.keyword.span;
    },
  },
  ...CHECK_KEYWORDS,
  ...ENVIRONMENT_KEYWORDS,
  ...GLOBAL_WITHOUT_EFFECT,
];

function rateKeyword(name: string, field: 'connections_per_s' | 'sessions_per_s', help: string): Keyword<GlobalDraft> {
  return {
    name,
    sections: GLOBAL,
    help,
    has_effect: true,
    parse: (draft, statement, context) => {
      const word = onlyArgument(statement, 'a number', context);
      draft[field] = (word && parseInteger(word, { what: name, min: 0, max: HIGHEST_RATE }, context.report)) ?? 0;
    },
  };
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

/** A line with one value. */
function valueKeyword(
  name: string,
  what: string,
  help: string,
  set: (draft: GlobalDraft, word: Word, context: Context) => void,
): Keyword<GlobalDraft> {
  const parse: Keyword<GlobalDraft>['parse'] = (draft, statement, context) => {
    const word = onlyArgument(statement, what, context);
    if (word !== undefined) set(draft, word, context);
  };
  return { name, sections: GLOBAL, help, has_effect: true, parse };
}

function textKeyword(name: string, what: string, help: string, field = name): Keyword<GlobalDraft> {
  const key = field as 'chroot' | 'pidfile' | 'log_tag' | 'server_state_file' | 'server_state_base';
  return valueKeyword(name, what, help, (draft, word) => {
    draft[key] = word.text;
    draft.spans[key] = word.span;
  });
}

function identityKeyword(name: keyof Identity, help: string): Keyword<GlobalDraft> {
  const by_number = name === 'uid' || name === 'gid';
  return valueKeyword(name, by_number ? 'a number' : `the name of a ${name}`, help, (draft, word, { report }) => {
    const value = by_number ? parseInteger(word, { what: name, min: 0, max: 2 ** 32 - 2 }, report) : word.text;
    draft.identity = { ...draft.identity, [name]: value };
    draft.spans[name] = word.span;
  });
}

function timeKeyword(name: string, field: 'grace_ms' | 'hard_stop_after_ms', help: string): Keyword<GlobalDraft> {
  return valueKeyword(name, 'a time', help, (draft, word, { report }) => {
    draft[field] = parseDuration(word, name, report);
    draft.spans[field] = word.span;
  });
}

/** Without what other parts of the model are made of. */
export function finishGlobal({
  interface_names: _names,
  sysctls: _sysctls,
  unix_bind: _unix,
  ...global
}: GlobalDraft): Global {
  return global;
}
