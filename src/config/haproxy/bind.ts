/** `bind [ADDRESS]:PORT[-PORT][, …]`, `bind /PATH`, `bind abns@NAME`, `bind fd@N`, and the words behind it (manual 4.2 and 5.1 "bind"). */
import type { Bind, Identity, TcpSettings } from '../model.ts';
import { NO_IDENTITY } from '../model-defaults.ts';
import { didYouMean } from '../suggest.ts';
import { parseDuration, parseInteger, reportPlaceholder } from '../values.ts';
import { spanOf, type Word } from '../word.ts';
import { checkUnixAddress, inheritedDescriptor, listenAddress, parseHostAndPorts, unixAddress } from './address.ts';
import type { ProxyDraft } from './drafts.ts';
import type { Context, Statement } from './keyword.ts';
import { HAPROXY_BIND_WORDS } from './known-keywords.ts';
import { LAST_ID, parseMode } from './socket-file.ts';
import { expandVariables } from './tokenizer.ts';

type BindSettings = {
  name: string | undefined;
  backlog: number | undefined;
  maxconn: number | undefined;
  accept_proxy: boolean;
  tcp: { -readonly [Name in keyof TcpSettings]: TcpSettings[Name] };
  mode: number | undefined;
  identity: Identity;
};

export type BindWord = {
  readonly name: string;
  readonly help: string;
  /** It stands alone; then `parse` gets the word itself. */
  readonly is_flag?: boolean;
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
  withoutEffect('id', 'nothing shows it'),
  withoutEffect('label', 'nothing shows it'),
  withoutEffect('guid-prefix', 'nothing shows it'),
  withoutEffect('nice', 'all listeners are served alike'),
  withoutEffect('process', 'there is one process'),
  withoutEffect('thread', 'every data thread listens everywhere'),
  withoutEffect('shards', 'every data thread listens everywhere'),
];

function withoutEffect(name: string, lost: string): BindWord {
  const parse: BindWord['parse'] = (_settings, { span }, { report }) =>
    report.warning(span, 'no-effect', `\`${name}\` of \`bind\` has no effect yet: ${lost}.`);
  return { name, help: `Accepted without effect: ${lost}.`, parse };
}

/** Words that only say what carpool does anyway: a VIP can be bound before this node holds it. */
const ALREADY_SO: ReadonlySet<string> = new Set(['transparent', 'v6only']);

export function parseBind(draft: ProxyDraft, { keyword, args }: Statement, context: Context): void {
  draft.spans['binds'] ??= keyword.span;
  if (args.length === 0) {
    context.report.error(
      keyword.span,
      'missing-value',
      '`bind` needs an address and a port.',
      'Write for example `bind :80` or `bind 10.10.0.1:80`.',
    );
    return;
  }
  const settings = parseBindWords(args.slice(1), draft.backlog, context);
  for (const part of splitAtCommas(args[0])) addBinds(draft, part, settings, spanOf([keyword, ...args]), context);
}

function addBinds(
  draft: ProxyDraft,
  written: Word,
  settings: BindSettings,
  span: Bind['span'],
  context: Context,
): void {
  const part = expandVariables(written, context.env, context.report);
  const inherited_fd = inheritedDescriptor(part.text);
  const unix = inherited_fd === undefined ? unixAddress(part.text) : '';
  if (unix !== undefined) {
    if (!checkUnixAddress(unix, part, context)) return;
    draft.binds.push({ endpoint: { address: unix, port: 0 }, inherited_fd, ...settings, span });
    return;
  }
  const parts = parseHostAndPorts(part, context);
  if (parts === undefined) return;
  if (reportPlaceholder({ text: parts.host, span: part.span }, 'address', context.report)) return;
  const isPort = parts.first_port === undefined && /^\d+$/.test(parts.host);
  const address = isPort ? '' : listenAddress(parts.host);
  if (address === undefined) {
    context.report.error(
      part.span,
      'bad-address',
      `\`${parts.host}\` is not an IP address to listen on.`,
      'Write an IP address, or nothing before the colon to listen on every address.',
    );
  } else if (parts.first_port === undefined || parts.last_port === undefined) {
    context.report.error(
      part.span,
      'port-missing',
      `The port is missing after \`${part.text}\`.`,
      /^\d+$/.test(part.text)
        ? `Write \`:${part.text}\` to listen on every address.`
        : `Write for example \`${part.text}:80\`.`,
    );
  } else {
    for (let port = parts.first_port; port <= parts.last_port; port++)
      draft.binds.push({ endpoint: { address, port }, inherited_fd, ...settings, span });
  }
}

/** `:80,:443` is one word with two addresses; each gets its own span. */
function splitAtCommas(word: Word): Word[] {
  let column = word.span.column;
  return word.text.split(',').map((text) => {
    const part = { text, span: { ...word.span, column, end_column: column + text.length } };
    column += text.length + 1;
    return part;
  });
}

function parseBindWords(words: readonly Word[], backlog: number | undefined, context: Context): BindSettings {
  const settings: BindSettings = {
    name: undefined,
    backlog,
    maxconn: undefined,
    accept_proxy: false,
    mode: undefined,
    identity: NO_IDENTITY,
    tcp: {
      user_timeout_ms: undefined,
      keep_alive: undefined,
      interface: undefined,
      mss: undefined,
      defer_accept: false,
    },
  };
  for (let at = 0; at < words.length; at++) {
    const word = words[at];
    const known = BIND_WORDS.find(({ name }) => name === word.text);
    if (known === undefined) {
      if (!ALREADY_SO.has(word.text)) reportUnknown(word, context);
      at += HAPROXY_BIND_WORDS.get(word.text) ?? 0;
    } else if (known.is_flag) {
      known.parse(settings, word, context);
    } else if (at + 1 === words.length) {
      context.report.error(word.span, 'missing-value', `\`${word.text}\` needs a value.`);
    } else {
      known.parse(settings, words[++at], context);
    }
  }
  return settings;
}

function reportUnknown(word: Word, { report }: Context): void {
  if (HAPROXY_BIND_WORDS.has(word.text)) {
    report.error(
      word.span,
      'unsupported-keyword',
      `\`${word.text}\` on a \`bind\` line is not supported yet.`,
      'Remove it, or leave this listener to HAProxy for now.',
    );
  } else {
    report.error(
      word.span,
      'unknown-keyword',
      `\`${word.text}\` is not a word that \`bind\` knows.`,
      didYouMean(word.text, HAPROXY_BIND_WORDS.keys()),
    );
  }
}
