/** `bind [ADDRESS]:PORT[-PORT][, …]`, `bind /PATH`, `bind abns@NAME`, `bind fd@N`, and the words behind it (manual 4.2 and 5.1 "bind"). */
import type { Bind } from '../model.ts';
import { NO_IDENTITY, NO_TCP_SETTINGS } from '../model-defaults.ts';
import { didYouMean } from '../suggest.ts';
import { reportPlaceholder } from '../values.ts';
import { spanOf, type Word } from '../word.ts';
import { checkUnixAddress, inheritedDescriptor, listenAddress, parseHostAndPorts, unixAddress } from './address.ts';
import { BIND_WORDS, type BindSettings } from './bind-words.ts';
import type { ProxyDraft } from './drafts.ts';
import type { Context, Statement } from './keyword.ts';
import { firstTlsWord, HAPROXY_BIND_WORDS, TLS_WORDS } from './known-keywords.ts';
import { expandVariables } from './tokenizer.ts';

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
  const before = draft.binds.length;
  for (const part of splitAtCommas(args[0])) addBinds(draft, part, settings, spanOf([keyword, ...args]), context);
  checkId(draft, before, context);
}

/** A number is one listener's. */
function checkId({ binds }: ProxyDraft, before: number, { report }: Context): void {
  const first = binds[before];
  if (first?.id === undefined) return;
  if (binds.length > before + 1)
    report.error(first.span, 'bad-value', '`id` is one number, and this line has several addresses or ports.');
  if (binds.slice(0, before).some(({ id }) => id === first.id))
    report.error(first.span, 'duplicate-name', `An earlier \`bind\` of this section has the id ${first.id}.`);
}

function addBinds(
  draft: ProxyDraft,
  written: Word,
  written_settings: BindSettings,
  span: Bind['span'],
  context: Context,
): void {
  const part = expandVariables(written, context.env, context.report);
  const { v6only, tcp, ...rest } = written_settings;
  const settings = { ...rest, tcp: { ...tcp, takes_ipv4: tcp.takes_ipv4 && !v6only } };
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
        : `Write for example \`${part.text.replace(/:$/, '')}:80\`.`,
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
    id: undefined,
    v6only: false,
    backlog,
    maxconn: undefined,
    accept_proxy: false,
    mode: undefined,
    identity: NO_IDENTITY,
    tcp: { ...NO_TCP_SETTINGS },
  };
  const tls = firstTlsWord(words);
  for (let at = 0; at < words.length; at++) {
    const word = words[at];
    const known = BIND_WORDS.find(({ name }) => name === word.text);
    if (TLS_WORDS.has(word.text) && word !== tls) {
      at += HAPROXY_BIND_WORDS.get(word.text) ?? 0;
    } else if (known === undefined) {
      reportUnknown(word, context);
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
      `\`${word.text}\` on a \`bind\` line is not supported yet${TLS_WORDS.has(word.text) ? ': carpool speaks no TLS' : ''}.`,
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
