/** `send-proxy` and its kin on `server` lines (manual 5.2): servers are told whose connection it is. */
import type { SendProxy } from '../model.ts';
import { didYouMean } from '../suggest.ts';
import type { Word } from '../word.ts';
import type { ServerSettings } from './drafts.ts';
import type { Context } from './keyword.ts';
import { flag, type ServerWord } from './server-word.ts';

/** Nothing is sent of them, as from HAProxy for clients without TLS: no client has a name, a cipher or a certificate. */
const OF_TLS = ['cert-cn', 'ssl-cipher', 'cert-sig', 'cert-key'];
const OPTIONS = ['crc32c', 'unique-id', 'authority', 'ssl', ...OF_TLS];

export const SEND_PROXY_WORDS: readonly ServerWord[] = [
  sends('send-proxy', 'Begin connections with a PROXY protocol header, version 1; checks do so, too.', 1),
  sends('no-send-proxy', 'Undo a `send-proxy` of `default-server`.', undefined),
  sends('send-proxy-v2', 'The same, version 2.', 2),
  sends('no-send-proxy-v2', 'Undo a `send-proxy-v2` of `default-server`.', undefined),
  {
    name: 'proxy-v2-options',
    help: 'Fields of the header of `send-proxy-v2`: `crc32c`; `unique-id` (as `%ID` of the log shows it); `authority` (as `accept-proxy` heard it); `ssl` (that there is none). `cert-cn`, `ssl-cipher`, `cert-sig`, `cert-key` would tell of TLS: nothing.',
    field: 'proxy_options',
    takes_value: true,
    parse: parseOptions,
  },
  ...['send-proxy-v2-ssl', 'send-proxy-v2-ssl-cn'].flatMap((name) => [
    sends(name, 'Version 2 with the field `ssl`: it says that the client does not use TLS.', 2, true),
    sends(`no-${name}`, `Undo a \`${name}\` of \`default-server\`.`, undefined),
  ]),
];

function sends(name: string, help: string, version: ServerSettings['send_proxy'], ssl = false): ServerWord {
  return flag(name, help, 'send_proxy', (settings) => {
    settings.send_proxy = version;
    settings.tells_ssl = ssl;
  });
}

export function finishSendProxy({ send_proxy, proxy_options, tells_ssl }: ServerSettings): SendProxy | undefined {
  return send_proxy && { version: send_proxy, ...proxy_options, ssl: proxy_options.ssl || tells_ssl };
}

function parseOptions(settings: ServerSettings, { text, span }: Word, { report }: Context): void {
  const options = { unique_id: false, crc32c: false, authority: false, ssl: false };
  for (const name of text.split(',')) {
    if (name === 'crc32c') options.crc32c = true;
    else if (name === 'unique-id') options.unique_id = true;
    else if (name === 'authority' || name === 'ssl') options[name] = true;
    else if (!OF_TLS.includes(name)) {
      const mend = didYouMean(name, OPTIONS) ?? 'Write `crc32c` or `unique-id`.';
      report.error(span, 'unknown-value', `\`${name}\` is not a value of \`proxy-v2-options\`.`, mend);
    }
  }
  settings.proxy_options = options;
}
