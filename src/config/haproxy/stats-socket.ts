/**
 * `stats socket ADDRESS [mode M] [user U] [group G] [level L] [expose-fd listeners]` and `stats timeout` (manual 3.1); the socket of
 * `-S`, which has the same words with commas between them (management manual 3).
 */
import type { Identity, StatsSocket } from '../model.ts';
import { NO_IDENTITY } from '../model-defaults.ts';
import type { Reporter } from '../reporter.ts';
import { didYouMean } from '../suggest.ts';
import { parseDuration, parseInteger } from '../values.ts';
import { spanOf, type Word } from '../word.ts';
import { inheritedDescriptor, listenAddress, parseHostAndPorts } from './address.ts';
import type { GlobalDraft } from './drafts.ts';
import { copyEnvironment } from './environment.ts';
import { type Context, refuseMore, type Statement } from './keyword.ts';
import { LAST_ID, parseMode } from './socket-file.ts';
import { type Environment, expandVariables } from './tokenizer.ts';

const WORDS = ['mode', 'user', 'group', 'uid', 'gid', 'level', 'expose-fd', 'process', 'thread', 'interface'];
const LEVELS = ['user', 'operator', 'admin'] as const;

export function parseGlobalStats(draft: GlobalDraft, statement: Statement, context: Context): undefined {
  const { keyword, args } = statement;
  const { report } = context;
  const [what, ...words] = args;
  if (what?.text === 'socket') return parseSocket(draft, { ...statement, args: words }, what, context);
  if (what?.text === 'timeout') {
    const time_ms = words[0] && parseDuration(words[0], 'stats timeout', report);
    if (words[0] === undefined) report.error(what.span, 'missing-value', '`stats timeout` needs a time.');
    draft.stats_timeout_ms = time_ms;
    return refuseMore(words.slice(1), what, report);
  }
  if (what?.text === 'maxconn' || what?.text === 'bind-process') {
    const message = `\`stats ${what.text}\` has no effect yet: a socket takes 32 clients at once.`;
    return report.warning(what.span, 'no-effect', message);
  }
  const mend = 'Write `stats socket PATH` or `stats timeout TIME`.';
  report.error(what?.span ?? keyword.span, 'unknown-keyword', '`stats` is followed by `socket` or `timeout`.', mend);
}

function parseSocket(draft: GlobalDraft, { keyword, args }: Statement, what: Word, context: Context): undefined {
  const { report } = context;
  const [address] = args;
  if (address === undefined) {
    const mend = 'Write for example `stats socket /run/haproxy/admin.sock mode 660 level admin`.';
    return report.error(what.span, 'missing-value', '`stats socket` needs a path or an address.', mend);
  }
  const to = parseAddress(address, context);
  const settings = parseWords(args.slice(1), context);
  if (to !== undefined) draft.stats_sockets.push({ to, ...settings, span: spanOf([keyword, ...args]) });
}

/** Of `-S`: an administrator's, unless it says otherwise. Undefined after a report. */
export function parseMasterSocket(text: string, env: Environment, report: Reporter): StatsSocket | undefined {
  const span = { file: 'command line', line: 0, column: 0, end_column: 0 };
  const [address, ...words] = text.split(',').map((word) => ({ text: word, span }));
  const context = { report, env: copyEnvironment(env), readPatterns: () => undefined, asked_userlists: [] };
  const to = parseAddress(address, context);
  return to && { to, ...parseWords(words, context, 'admin'), is_master: true, span };
}

function parseAddress(written: Word, context: Context): StatsSocket['to'] | undefined {
  const word = expandVariables(written, context.env, context.report);
  const path = word.text.replace(/^unix@/, '');
  if (path.startsWith('/')) return { kind: 'unix', path };
  const fd = inheritedDescriptor(path);
  if (fd !== undefined) return { kind: 'inherited', fd };
  const text = word.text.replace(/^(ipv4|ipv6|tcp4|tcp6|tcp)@/, '');
  const parts = parseHostAndPorts({ text, span: word.span }, context);
  if (parts === undefined) return undefined;
  const address = listenAddress(parts.host);
  if (address !== undefined && parts.first_port !== undefined)
    return { kind: 'tcp', endpoint: { address, port: parts.first_port } };
  const message = `The stats socket \`${word.text}\` is no path and no address with a port.`;
  return context.report.error(word.span, 'bad-address', message, 'Write for example `127.0.0.1:9999`.');
}

function parseWords(
  words: readonly Word[],
  context: Context,
  usual: StatsSocket['level'] = 'operator',
): Omit<StatsSocket, 'to' | 'span'> {
  const { report } = context;
  let mode: number | undefined;
  let identity: Identity = NO_IDENTITY;
  let level = usual;
  let exposes_listeners = false;
  for (let index = 0; index < words.length; index += 2) {
    const [name, value] = words.slice(index, index + 2);
    if (!WORDS.includes(name.text)) {
      const mend = didYouMean(name.text, WORDS);
      report.error(name.span, 'unknown-keyword', `\`${name.text}\` is not a word of \`stats socket\`.`, mend);
      break;
    }
    if (value === undefined) {
      report.error(name.span, 'missing-value', `\`${name.text}\` needs a value.`);
      break;
    }
    if (name.text === 'mode') mode = parseMode(value, context);
    else if (name.text === 'user' || name.text === 'group') identity = { ...identity, [name.text]: value.text };
    else if (name.text === 'uid' || name.text === 'gid') {
      const number = parseInteger(value, { what: name.text, min: 0, max: LAST_ID }, report);
      identity = { ...identity, [name.text]: number };
    } else if (name.text === 'level') level = parseLevel(value, context);
    else if (name.text === 'expose-fd' && value.text === 'listeners') exposes_listeners = true;
    else report.warning(name.span, 'no-effect', `\`${name.text} ${value.text}\` has no effect on a stats socket yet.`);
  }
  return { mode, identity, level, exposes_listeners };
}

function parseLevel(word: Word, { report }: Context): StatsSocket['level'] {
  const level = LEVELS.find((each) => each === word.text);
  if (level === undefined) {
    const mend = didYouMean(word.text, LEVELS) ?? `Write ${LEVELS.join(', ')}.`;
    report.error(word.span, 'unknown-value', `\`${word.text}\` is not a level.`, mend);
  }
  return level ?? 'operator';
}
