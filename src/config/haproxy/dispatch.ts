/**
 * `dispatch ADDRESS:PORT` and `option transparent`: where requests go that no cookie binds to a server. Both become a server that
 * takes them all, called as HAProxy's logs call it.
 */
import type { Span } from '../diagnostic.ts';
import type { Reporter } from '../reporter.ts';
import { newServerSettings, type ProxyDraft, type ServerDraft } from './drafts.ts';
import { BACK, type Keyword, noArguments, onlyArgument } from './keyword.ts';
import { parseServerAddress, type ServerAddress } from './server-address.ts';

const NAME = '<NOSRV>';
/** The address and the port that the client connected to. */
const THE_CLIENTS: ServerAddress = { host: '0.0.0.0', address: '0.0.0.0', port: 0, port_offset: 0 };

export const DISPATCH_KEYWORDS: readonly Keyword<ProxyDraft>[] = [
  {
    name: 'dispatch',
    sections: ['listen', 'backend'],
    help: 'The address and port for all requests that no cookie binds to a server.',
    has_effect: true,
    parse: (draft, statement, context) => {
      const word = onlyArgument(statement, 'an address and a port', context);
      const found = word && parseServerAddress(word, context);
      if (word === undefined || found === undefined) return;
      draft.spans['servers'] ??= word.span;
      if (found.port !== 0) draft.dispatch = { ...found, span: word.span };
      else {
        const message = `\`dispatch ${word.text}\` says no port.`;
        context.report.error(word.span, 'port-missing', message, 'Write for example `dispatch 10.0.0.11:80`.');
      }
    },
  },
  {
    name: 'transparent',
    sections: BACK,
    help: 'The older name of `option transparent`.',
    has_effect: true,
    negatable: true,
    parse: (draft, statement, context) => {
      noArguments(statement, context);
      setTransparent(draft, !statement.negated, statement.keyword.span);
    },
  },
];

export function setTransparent(draft: ProxyDraft, enable: boolean, span: Span): void {
  draft.transparent = enable ? span : undefined;
}

/** The server that takes what no cookie binds; `dispatch` goes before `option transparent`. */
export function serverForTheRest(
  { dispatch, transparent, spans }: ProxyDraft,
  report: Reporter,
): ServerDraft | undefined {
  const place = dispatch?.span ?? transparent;
  if (place === undefined) return undefined;
  if (spans['balance'] !== undefined) {
    const written = dispatch ? 'dispatch' : 'option transparent';
    const message = `\`${written}\` and \`balance\` contradict each other: one of them says where requests go.`;
    return report.error(place, 'contradiction', message, 'Remove one of the two.');
  }
  const settings = { ...newServerSettings(), takes_rest: true };
  return { name: NAME, ...(dispatch ?? THE_CLIENTS), settings, span: place };
}
