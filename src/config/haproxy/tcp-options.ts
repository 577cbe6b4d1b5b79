/** TCP's own settings: `option tcpka` and its kin with their numbers, `source` (manual 4.2). */
import type { KeepAlive, SourceAddress } from '../model.ts';
import { parseDuration, parseInteger } from '../values.ts';
import type { Word } from '../word.ts';
import { parseLiteralEndpoint } from './address.ts';
import type { ProxyDraft } from './drafts.ts';
import { BACK, type Context, FRONT, type Keyword, onlyArgument } from './keyword.ts';

type Side = 'client_keep_alive' | 'server_keep_alive';

export const TCP_KEYWORDS: readonly Keyword<ProxyDraft>[] = [
  ...sideKeywords('clitcpka', 'client_keep_alive', FRONT),
  ...sideKeywords('srvtcpka', 'server_keep_alive', BACK),
  {
    name: 'source',
    sections: BACK,
    help: 'The address that connections to servers come from, and with `interface` the interface that they leave by.',
    has_effect: true,
    parse: (draft, { keyword, args }, context) => {
      draft.source = parseSource(args, keyword, context) ?? draft.source;
    },
  },
];

function sideKeywords(name: string, side: Side, sections: Keyword<ProxyDraft>['sections']): Keyword<ProxyDraft>[] {
  const row = (suffix: string, help: string, set: (draft: ProxyDraft, word: Word, context: Context) => void) => ({
    name: `${name}-${suffix}`,
    sections,
    help,
    has_effect: true,
    parse: (draft: ProxyDraft, statement: Parameters<Keyword<ProxyDraft>['parse']>[1], context: Context) => {
      const word = onlyArgument(statement, 'a value', context);
      if (word) set(draft, word, context);
    },
  });
  const seconds = (word: Word, { report }: Context) => {
    const time_ms = parseDuration(word, name, report);
    return time_ms === undefined ? undefined : Math.max(1, Math.ceil(time_ms / 1000));
  };
  return [
    row(
      'cnt',
      `Probes without an answer after which \`option ${name}\` gives a connection up.`,
      (draft, word, context) => {
        draft[side].count = parseInteger(word, { what: name, min: 1, max: 127 }, context.report);
      },
    ),
    row('idle', `After how long without data \`option ${name}\` begins to probe.`, (draft, word, context) => {
      draft[side].idle_s = seconds(word, context);
    }),
    row('intvl', `Between two probes of \`option ${name}\`.`, (draft, word, context) => {
      draft[side].interval_s = seconds(word, context);
    }),
  ];
}

/** `ADDRESS[:PORT] [interface NAME]`. Undefined after a report. */
export function parseSource(words: readonly Word[], after: Word, context: Context): SourceAddress | undefined {
  const [address, keyword, name, ...more] = words;
  const { report } = context;
  if (address === undefined) {
    return report.error(
      after.span,
      'missing-value',
      '`source` needs an IP address.',
      'Write for example `source 10.0.0.9`.',
    );
  }
  if (keyword?.text === 'usesrc') {
    const message =
      '`usesrc` is not supported: it needs a kernel that routes the answers for foreign addresses back here.';
    return report.error(keyword.span, 'unsupported-keyword', message, 'Use `send-proxy` or `option forwardfor`.');
  }
  if (keyword !== undefined && (keyword.text !== 'interface' || name === undefined || more.length > 0)) {
    return report.error(
      keyword.span,
      'unexpected-word',
      `\`${keyword.text}\` is not understood here.`,
      'Write `interface` and its name.',
    );
  }
  const any = /^(\*|0\.0\.0\.0)(:0)?$/.test(address.text);
  const endpoint = any ? undefined : parseLiteralEndpoint(address, 0, 'The source', context);
  if (!any && endpoint === undefined) return undefined;
  return { endpoint, interface: name?.text };
}

/** The numbers count where the option is on. */
export function keepAliveOf(enabled: boolean, numbers: KeepAlive): KeepAlive | undefined {
  return enabled ? numbers : undefined;
}
