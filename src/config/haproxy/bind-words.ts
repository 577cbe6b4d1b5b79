/** The words behind the address of a `bind` line (manual 5.1). */
import type { Identity, TcpSettings } from '../model.ts';
import { parseDuration, parseInteger } from '../values.ts';
import type { Word } from '../word.ts';
import type { Context } from './keyword.ts';
import { LAST_ID, parseMode } from './socket-file.ts';

export type BindSettings = {
  name: string | undefined;
  backlog: number | undefined;
  maxconn: number | undefined;
  accept_proxy: boolean;
  tcp: { -readonly [Name in keyof TcpSettings]: TcpSettings[Name] };
  id: number | undefined;
  /** Wins over `v4v6`, whichever comes first. */
  v6only: boolean;
  mode: number | undefined;
  identity: Identity;
};

export type BindWord = {
  readonly name: string;
  readonly help: string;
  /** It stands alone; then `parse` gets the word itself. */
  readonly is_flag?: boolean;
  /** False: read and warned about, without effect. */
  readonly has_effect?: boolean;
  readonly parse: (settings: BindSettings, value: Word, context: Context) => void;
};

export const BIND_WORDS: readonly BindWord[] = [
  {
    name: 'name',
    help: 'A name for the listener, shown in statistics.',
    parse: (settings, value) => {
      settings.name = value.text;
    },
  },
  {
    name: 'maxconn',
    help: 'Clients at once over each of these addresses and ports (0: any number); more wait in the kernel.',
    parse: (settings, value, { report }) => {
      settings.maxconn = parseInteger(value, { what: 'maxconn', min: 0, max: 2 ** 31 - 1 }, report) || undefined;
    },
  },
  {
    name: 'backlog',
    help: "Length of the kernel's queue of connections that nobody accepted yet.",
    parse: (settings, value, { report }) => {
      settings.backlog = parseInteger(value, { what: 'backlog', min: 1, max: 2 ** 31 - 1 }, report);
    },
  },
  {
    name: 'tcp-ut',
    help: 'How long the kernel tries to get bytes through to a client before it gives the connection up.',
    parse: (settings, value, { report }) => {
      settings.tcp.user_timeout_ms = parseDuration(value, 'tcp-ut', report);
    },
  },
  {
    name: 'mss',
    help: 'The largest TCP segment that clients are offered, in bytes.',
    parse: (settings, value, { report }) => {
      settings.tcp.mss = parseInteger(value, { what: 'mss', min: 88, max: 32_767 }, report);
    },
  },
  {
    name: 'interface',
    help: 'Listen on this network interface only.',
    parse: (settings, value) => {
      settings.tcp.interface = value.text;
    },
  },
  {
    name: 'defer-accept',
    help: 'Take a client when it has said something.',
    is_flag: true,
    parse: (settings) => {
      settings.tcp.defer_accept = true;
    },
  },
  {
    name: 'mode',
    help: "Permissions of a socket's file, in octal.",
    parse: (settings, value, context) => {
      settings.mode = parseMode(value, context);
    },
  },
  {
    name: 'user',
    help: "Owner of a socket's file.",
    parse: (settings, value) => {
      settings.identity = { ...settings.identity, user: value.text };
    },
  },
  {
    name: 'group',
    help: "Group of a socket's file.",
    parse: (settings, value) => {
      settings.identity = { ...settings.identity, group: value.text };
    },
  },
  {
    name: 'uid',
    help: "Owner of a socket's file, as a number.",
    parse: (settings, value, { report }) => {
      settings.identity = {
        ...settings.identity,
        uid: parseInteger(value, { what: 'uid', min: 0, max: LAST_ID }, report),
      };
    },
  },
  {
    name: 'gid',
    help: "Group of a socket's file, as a number.",
    parse: (settings, value, { report }) => {
      settings.identity = {
        ...settings.identity,
        gid: parseInteger(value, { what: 'gid', min: 0, max: LAST_ID }, report),
      };
    },
  },
  {
    name: 'accept-proxy',
    help: 'Each client is announced by a PROXY protocol header, version 1 or 2; others are refused.',
    is_flag: true,
    parse: (settings) => {
      settings.accept_proxy = true;
    },
  },
  {
    name: 'id',
    help: 'The number of the listener in its frontend, for statistics.',
    parse: (settings, value, { report }) => {
      settings.id = parseInteger(value, { what: 'id', min: 1, max: 2 ** 31 - 1 }, report);
    },
  },
  {
    name: 'v4v6',
    help: 'An IPv6 address without a host, such as `:::80`, takes IPv4 clients too.',
    is_flag: true,
    parse: (settings) => {
      settings.tcp.takes_ipv4 = true;
    },
  },
  {
    name: 'v6only',
    help: 'An IPv6 address takes no IPv4 clients, as without `v4v6`; it wins over `v4v6`.',
    is_flag: true,
    parse: (settings) => {
      settings.v6only = true;
    },
  },
  {
    name: 'tfo',
    help: 'Clients may send their first bytes while they connect (TCP Fast Open).',
    is_flag: true,
    parse: (settings) => {
      settings.tcp.fast_open = true;
    },
  },
  {
    name: 'transparent',
    help: 'Listen on an address that is not here, also for packets that the kernel redirects (IP_TRANSPARENT; without the right to it IP_FREEBIND).',
    is_flag: true,
    parse: (settings) => {
      settings.tcp.transparent = true;
    },
  },
  {
    name: 'proto',
    help: 'The protocol to understand; `h1` is the only one.',
    parse: (_settings, value, { report }) => {
      if (value.text === 'h1') return;
      const message = `\`proto ${value.text}\` is not supported.`;
      report.error(value.span, 'unsupported-value', message, 'Write `proto h1`, or remove it.');
    },
  },
  withoutEffect('nice', 'all clients are served in turn'),
  withoutEffect('process', 'every data thread accepts'),
  withoutEffect('thread', 'every data thread accepts'),
  withoutEffect('shards', 'each data thread has a listener of its own'),
  withoutEffect('label', 'nothing shows it'),
  withoutEffect('guid-prefix', 'nothing shows it'),
];

function withoutEffect(name: string, lost: string): BindWord {
  return {
    name,
    help: `Accepted without effect: ${lost}.`,
    has_effect: false,
    parse: (_settings, value, { report }) => {
      report.warning(value.span, 'no-effect', `\`${name}\` on a \`bind\` line has no effect yet: ${lost}.`);
    },
  };
}
