/** `send-proxy` and its kin on `server` lines (manual 5.2): servers are told whose connection it is. */
import { didYouMean } from '../suggest.ts';
import type { Word } from '../word.ts';
import type { ServerSettings } from './drafts.ts';
import type { Context } from './keyword.ts';
import { flag, type ServerWord } from './server-word.ts';

const NEEDS_TLS = ['ssl', 'cert-cn', 'ssl-cipher', 'cert-sig', 'cert-key', 'authority'];
const OPTIONS = ['crc32c', 'unique-id', ...NEEDS_TLS];

export const SEND_PROXY_WORDS: readonly ServerWord[] = [
  sends('send-proxy', 'Begin connections with a PROXY protocol header, version 1; checks do so, too.', 1),
  sends('no-send-proxy', 'Undo a `send-proxy` of `default-server`.', undefined),
  sends('send-proxy-v2', 'The same, version 2.', 2),
  sends('no-send-proxy-v2', 'Undo a `send-proxy-v2` of `default-server`.', undefined),
  {
    name: 'proxy-v2-options',
    help: 'Fields of the header of `send-proxy-v2`: `crc32c`, and `unique-id` (as `%ID` of the log shows it).',
    field: 'proxy_options',
    takes_value: true,
    parse: parseOptions,
  },
  ...['send-proxy-v2-ssl', 'send-proxy-v2-ssl-cn'].map(needsTls),
  ...['no-send-proxy-v2-ssl', 'no-send-proxy-v2-ssl-cn'].map((name) =>
    flag(name, 'It is so anyway.', 'send_proxy', () => {}),
  ),
];

function sends(name: string, help: string, version: ServerSettings['send_proxy']): ServerWord {
  return flag(name, help, 'send_proxy', (settings) => {
    settings.send_proxy = version;
  });
}

function needsTls(name: string): ServerWord {
  return {
    name,
    help: 'Refused: it tells of TLS, which is not spoken.',
    field: 'send_proxy',
    takes_value: false,
    parse: (_settings, { span }, { report }) => {
      const message = `\`${name}\` tells the server of the client's TLS, which carpool does not speak yet.`;
      report.error(span, 'unsupported-keyword', message, 'Write `send-proxy-v2`.');
    },
  };
}

function parseOptions(settings: ServerSettings, { text, span }: Word, { report }: Context): void {
  const options = { unique_id: false, crc32c: false };
  for (const name of text.split(',')) {
    if (name === 'crc32c') options.crc32c = true;
    else if (name === 'unique-id') options.unique_id = true;
    else if (NEEDS_TLS.includes(name)) {
      const message = `\`${name}\` of \`proxy-v2-options\` tells of TLS, which carpool does not speak yet.`;
      report.error(span, 'unsupported-value', message, 'Remove it.');
    } else {
      const mend = didYouMean(name, OPTIONS) ?? 'Write `crc32c` or `unique-id`.';
      report.error(span, 'unknown-value', `\`${name}\` is not a value of \`proxy-v2-options\`.`, mend);
    }
  }
  settings.proxy_options = options;
}
