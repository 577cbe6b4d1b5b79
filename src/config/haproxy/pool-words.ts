/** Words of `server` lines about kept connections, and those that say what is so anyway (manual 5.2). */
import { parseDuration } from '../values.ts';
import type { Word } from '../word.ts';
import type { ServerSettings } from './drafts.ts';
import type { Context } from './keyword.ts';
import { flag, oneOf, type ServerWord } from './server-word.ts';

export const POOL_WORDS: readonly ServerWord[] = [
  limit(
    'pool-max-conn',
    'pool_max_conn',
    'Idle connections to it that are kept (-1: any number), over all data threads.',
  ),
  limit('max-reuse', 'max_reuse', 'How often a connection is used again before it is closed (-1: any number).'),
  {
    name: 'pool-purge-delay',
    help: 'With 0 no idle connections are kept; another time has no effect, as those that are too many are closed at once.',
    field: 'pool_max_conn',
    takes_value: true,
    parse: (settings, value, { report }) => {
      const time_ms = parseDuration(value, 'pool-purge-delay', report);
      if (time_ms === 0) settings.pool_max_conn = 0;
      else if (time_ms !== undefined) {
        const lost = 'idle connections that are too many are closed at once';
        report.warning(value.span, 'no-effect', `\`pool-purge-delay\` has no effect yet: ${lost}.`);
      }
    },
  },
  withoutEffect('pool-low-conn', true, 'each data thread keeps its own idle connections'),
  withoutEffect('guid', true, 'nothing shows it'),
  withoutEffect('tfo', false, 'requests are sent when the connection is made'),
  flag('non-stick', 'So in any case: there are no stick tables.', 'non_stick', () => {}),
  oneOf('proto', 'The protocol to speak; `h1` is the only one.', ['h1'], () => {}),
  oneOf('check-proto', 'The same for checks.', ['h1'], () => {}),
  oneOf('ws', 'The protocol for WebSockets; `auto` means `h1`.', ['auto', 'h1'], () => {}),
  ...[
    'no-tfo',
    'no-ssl',
    'no-check-ssl',
    'no-sslv3',
    'no-tlsv10',
    'no-tlsv11',
    'no-tlsv12',
    'no-tlsv13',
    'no-tls-tickets',
    'no-ssl-reuse',
    'no-renegotiate',
    'no-sni-auto',
    'no-check-sni-auto',
    'no-check-reuse-pool',
  ].map((name) => flag(name, 'So in any case.', name.replaceAll('-', '_'), () => {})),
];

/** A number, or -1 for none. */
function limit(name: string, field: 'pool_max_conn' | 'max_reuse', help: string): ServerWord {
  const parse = (settings: ServerSettings, { text, span }: Word, { report }: Context): undefined => {
    if (!/^(-1|\d{1,9})$/.test(text)) {
      const message = `\`${text}\` is not a number that \`${name}\` takes.`;
      return report.error(span, 'not-a-number', message, `Write for example \`${name} 100\`, or -1 for any number.`);
    }
    settings[field] = text === '-1' ? undefined : Number(text);
  };
  return { name, help, field, takes_value: true, parse };
}

function withoutEffect(name: string, takes_value: boolean, lost: string): ServerWord {
  return {
    name,
    help: `Accepted without effect: ${lost}.`,
    has_effect: false,
    field: name.replaceAll('-', '_'),
    takes_value,
    parse: (_settings, value, { report }) =>
      report.warning(value.span, 'no-effect', `\`${name}\` of a server has no effect yet: ${lost}.`),
  };
}
