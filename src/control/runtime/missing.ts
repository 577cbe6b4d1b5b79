/** What HAProxy's runtime API has and carpool cannot mean: each is answered by the reason. Levels are HAProxy's. */
import type { Level, RuntimeCommand } from './command.ts';

const NO_TLS = 'There is no TLS yet.';
const FIXED_PATTERNS = 'ACLs stand in the configuration: change it and reload, which no client notices.';
const NO_MAPS = 'There are no maps.';
const NO_TABLES = 'There are no stick tables.';
const NO_SUCH_TABLE = 'No such table\n';
const FIXED_SERVERS =
  'Servers come from the configuration (change it and reload, which no client notices) or from `server-template`.';
const INSIDE =
  'This tells of the inner parts of HAProxy; `show activity`, `status` and `workers` tell of those of carpool.';
const NO_VARIABLES = 'There are no variables of the process.';
const STARTUP = 'They went to standard error and the log when it started; `carpool -c -f FILE` says them again.';
const FIXED_KEY = 'The key stands in the configuration: change it and reload.';

type Group = {
  readonly why: string;
  readonly level: Level;
  /** What HAProxy says where there are none of such things; undefined: the reason is the answer. */
  readonly empty?: string;
  /** And where one of them is named. */
  readonly named?: string;
  readonly usages: readonly string[];
};

const GROUPS: readonly Group[] = [
  {
    why: NO_TLS,
    level: 'admin',
    usages: [
      'abort ssl ca-file <cafile>',
      'abort ssl cert <certfile>',
      'abort ssl crl-file <crlfile>',
      'add ssl crt-list <list> <cert> [opts]*',
      'commit ssl ca-file <cafile>',
      'commit ssl cert <certfile>',
      'commit ssl crl-file <crlfile>',
      'del ssl ca-file <cafile>',
      'del ssl cert <certfile>',
      'del ssl crl-file <crlfile>',
      'del ssl crt-list <list> <cert[:line]>',
      'new ssl ca-file <cafile>',
      'new ssl cert <certfile>',
      'new ssl crlfile <crlfile>',
      'set ssl ca-file <cafile> <payload>',
      'set ssl cert <certfile> <payload>',
      'set ssl crl-file <crlfile> <payload>',
      'set ssl ocsp-response <resp|payload>',
      'set ssl tls-key [id|file] <key>',
    ],
  },
  {
    why: NO_TLS,
    level: 'user',
    empty: '',
    usages: [
      'show ssl ca-file [<cafile>[:<index>]]',
      'show ssl cert [<certfile>]',
      'show ssl crl-file [<crlfile[:<index>>]]',
      'show ssl crt-list [-n] [<list>]',
      'show ssl ocsp-response [id]',
      'show ssl providers',
      'show tls-keys [id|*]',
    ],
  },
  {
    why: FIXED_PATTERNS,
    level: 'user',
    usages: [
      'add acl [@<ver>] <acl> <pattern>',
      'clear acl [@<ver>] <acl>',
      'commit acl @<ver> <acl>',
      'del acl <acl> [<key>|#<ref>]',
      'get acl <acl> <value>',
      'prepare acl <acl>',
      'show acl [@<ver>] <acl>]',
    ],
  },
  {
    why: NO_MAPS,
    level: 'user',
    usages: [
      'add map [@<ver>] <map> <key> <val>',
      'clear map [@<ver>] <map>',
      'commit map @<ver> <map>',
      'del map <map> [<key>|#<ref>]',
      'get map <acl> <value>',
      'prepare map <acl>',
      'set map <map> [<key>|#<ref>] <value>',
    ],
  },
  { why: NO_MAPS, level: 'user', empty: '# id (file) description\n', usages: ['show map [@ver] [map]'] },
  {
    why: NO_TABLES,
    level: 'user',
    empty: 'Required arguments: <table> "data.<store_data_type>" <operator> <value> or <table> key <key>\n',
    named: NO_SUCH_TABLE,
    usages: ['clear table <table> [<filter>]*'],
  },
  {
    why: NO_TABLES,
    level: 'user',
    empty: 'Required arguments: <table> key <key> [data.<store_data_type> <value>]*\n',
    named: NO_SUCH_TABLE,
    usages: ['set table <table> key <k> [data.* <v>]*'],
  },
  { why: NO_TABLES, level: 'user', empty: '', named: NO_SUCH_TABLE, usages: ['show table <table> [<filter>]*'] },
  { why: 'There are no peers.', level: 'user', empty: '', usages: ['show peers [dict|-] [section]'] },
  { why: 'There is no cache.', level: 'admin', empty: '', usages: ['show cache'] },
  { why: FIXED_SERVERS, level: 'admin', usages: ['add server <bk>/<srv>', 'del server <bk>/<srv>'] },
  {
    why: FIXED_KEY,
    level: 'admin',
    usages: [
      'set dynamic-cookie-key backend <bk> <k>',
      'enable dynamic-cookie backend <bk>',
      'disable dynamic-cookie backend <bk>',
    ],
  },
  { why: NO_VARIABLES, level: 'operator', usages: ['get var <name>'] },
  {
    why: INSIDE,
    level: 'operator',
    usages: ['show fd [num]', 'show libs', 'trace [<module>|0] [cmd [args...]]'],
  },
  {
    why: INSIDE,
    level: 'user',
    usages: ['show pools', 'show tasks', 'show threads', 'show trace [<module>]'],
  },
  { why: STARTUP, level: 'operator', usages: ['show startup-logs'] },
  {
    why: INSIDE,
    level: 'admin',
    usages: ['set profiling <what> {auto|on|off}', 'show profiling [<what>|<#lines>|byaddr]*'],
  },
];

export type MissingCommand = RuntimeCommand & { readonly why: string };

export const MISSING_COMMANDS: readonly MissingCommand[] = GROUPS.flatMap(({ why, level, empty, named, usages }) =>
  usages.map((usage): MissingCommand => {
    const words = usage.replace(/ [[<{@].*$/, '').split(' ');
    const run = (args: readonly string[]) => (args.length === 0 ? empty : named) ?? `${why}\n`;
    return { words, usage, help: `not here: ${why}`, level, run, why };
  }),
);
