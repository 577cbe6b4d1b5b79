/** The options that choose how servers are checked (manual 4.2); the last one counts. */
import type { CheckMethod } from '../../model.ts';
import { PLAIN_CHECK } from '../../model-defaults.ts';
import type { Word } from '../../word.ts';
import type { ProxyDraft } from '../drafts.ts';
import { type Context, refuseMore } from '../keyword.ts';
import type { Option } from '../options.ts';
import { parseHttpchk } from './httpchk.ts';
import { Words } from './words.ts';

/** `words` are those after the option's name; undefined after a report. */
type Parse = (words: readonly Word[], name: Word, context: Context) => CheckMethod | undefined;

const BACK = ['defaults', 'listen', 'backend'] as const;

function checkOption(name: string, help: string, parse: Parse): Option {
  return {
    name,
    sections: BACK,
    help,
    has_effect: true,
    field: 'check',
    set: (draft: ProxyDraft, enable, words, context, nameWord) => {
      if (!enable) draft.checks.method = undefined;
      else draft.checks.method = parse(words, nameWord, context) ?? draft.checks.method;
    },
  };
}

function plain(method: CheckMethod): Parse {
  return (words, name, { report }) => {
    refuseMore(words, name, report);
    return method;
  };
}

export const CHECK_OPTIONS: readonly Option[] = [
  checkOption('tcp-check', 'Check servers with the `tcp-check` rules.', plain(PLAIN_CHECK)),
  checkOption('httpchk', 'Check servers with an HTTP request, or with the `http-check` rules.', parseHttpchk),
  checkOption('smtpchk', 'Check servers with an SMTP greeting.', parseSmtpchk),
  checkOption('ldap-check', 'Check servers with an anonymous LDAPv3 bind.', plain({ kind: 'ldap' })),
  checkOption('mysql-check', 'Check MySQL or MariaDB servers, with or without logging in.', parseMysql),
  checkOption('pgsql-check', 'Check PostgreSQL servers with the beginning of a session.', parsePgsql),
  checkOption('redis-check', 'Check Redis servers with PING.', plain({ kind: 'redis' })),
  checkOption('ssl-hello-chk', 'Check that servers answer an SSL hello.', plain({ kind: 'ssl-hello' })),
  checkOption('external-check', 'Check servers with a program.', plain({ kind: 'external', command: '', path: '' })),
  {
    name: 'log-health-checks',
    sections: BACK,
    help: 'Log each change of what checks say, not only changes of state.',
    has_effect: true,
    field: 'log_health_checks',
    set: (draft, enable, words, { report }, name) => {
      refuseMore(words, name, report);
      draft.checks.log = enable;
    },
  },
];

/** `option smtpchk [HELO|EHLO DOMAIN]`; another greeting is HELO, as in HAProxy. */
function parseSmtpchk(words: readonly Word[], name: Word, context: Context): CheckMethod | undefined {
  const [hello, domain, ...more] = words;
  refuseMore(more, domain ?? name, context.report);
  if (hello === undefined) return { kind: 'smtp', hello: 'HELO', domain: 'localhost' };
  const at = new Words(name, words, context);
  if (domain === undefined) {
    return at.fail(
      hello,
      'missing-value',
      '`option smtpchk` needs a domain after its greeting.',
      'Write for example `EHLO mail.test`.',
    );
  }
  if (!/^[\x21-\x7e]+$/.test(domain.text)) {
    return at.fail(domain, 'unsupported-value', 'The domain of `option smtpchk` is made of printable characters.');
  }
  return { kind: 'smtp', hello: hello.text === 'EHLO' ? 'EHLO' : 'HELO', domain: domain.text };
}

/** `option mysql-check [user NAME [post-41 | pre-41]]` */
function parseMysql(words: readonly Word[], name: Word, context: Context): CheckMethod | undefined {
  const at = new Words(name, words, context);
  const user = parseUser(at);
  if (user === false) return undefined;
  const word = at.next();
  const protocol = word?.text ?? 'post-41';
  if (protocol !== 'post-41' && protocol !== 'pre-41') return at.unexpected(word!, ['user NAME', 'post-41', 'pre-41']);
  return at.end() ? { kind: 'mysql', user, protocol } : undefined;
}

/** `option pgsql-check user NAME` */
function parsePgsql(words: readonly Word[], name: Word, context: Context): CheckMethod | undefined {
  const at = new Words(name, words, context);
  const user = parseUser(at);
  if (user === false || !at.end()) return undefined;
  if (user !== undefined) return { kind: 'pgsql', user };
  return at.fail(
    name,
    'missing-value',
    '`option pgsql-check` needs `user` and a name.',
    'Write `option pgsql-check user haproxy`.',
  );
}

/** As long as the longest that a server takes for a name, and some. */
const LONGEST_USER_BYTES = 128;

/** Undefined: none is named; false after a report. */
function parseUser(at: Words): string | undefined | false {
  const word = at.peek();
  if (word === undefined) return undefined;
  at.next();
  if (word.text !== 'user') {
    at.unexpected(word, ['user NAME']);
    return false;
  }
  const user = at.value(word);
  if (user === undefined) return false;
  if (!user.text.includes('\0') && new TextEncoder().encode(user.text).length <= LONGEST_USER_BYTES) return user.text;
  at.fail(user, 'unsupported-value', `A user's name has at most ${LONGEST_USER_BYTES} bytes.`);
  return false;
}
