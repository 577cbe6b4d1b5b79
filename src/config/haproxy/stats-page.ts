/** `stats …` in proxies, and `http-request use-service prometheus-exporter` (manual 4.2). */
import type { StatsPage } from '../model.ts';
import { didYouMean } from '../suggest.ts';
import { parseDuration } from '../values.ts';
import type { Word } from '../word.ts';
import type { ProxyDraft } from './drafts.ts';
import type { Context, Statement } from './keyword.ts';

const PLAIN_PAGE: StatsPage = {
  uri: '/haproxy?stats',
  realm: 'HAProxy Statistics',
  users: [],
  refresh_s: undefined,
  admin: 'nobody',
  shows_version: true,
  shows_legends: false,
  node: undefined,
  description: undefined,
  scopes: [],
};

const WORDS = [
  'admin', 'auth', 'enable', 'hide-version', 'http-request', 'realm', 'refresh', 'scope', 'show-desc', 'show-legends',
  'show-modules', 'show-node', 'uri',
]; // biome-ignore format: a list

/** Any of them switches the page on. */
export function parseStatsPage(draft: ProxyDraft, { keyword, args }: Statement, context: Context): void {
  const { report } = context;
  const [what, value, ...rest] = args;
  if (what === undefined || !WORDS.includes(what.text)) {
    const mend = didYouMean(what?.text ?? '', WORDS) ?? 'Write for example `stats enable` and `stats uri /stats`.';
    report.error((what ?? keyword).span, 'unknown-keyword', '`stats` is followed by what it sets.', mend);
    return;
  }
  const before = draft.stats_own ? (draft.stats ?? PLAIN_PAGE) : PLAIN_PAGE;
  draft.stats_own = true;
  draft.stats = { ...before, ...setting(before, what, value, rest, context) };
}

function setting(
  page: StatsPage,
  what: Word,
  value: Word | undefined,
  rest: readonly Word[],
  context: Context,
): Partial<StatsPage> {
  const { report } = context;
  const text = value?.text;
  switch (what.text) {
    case 'hide-version':
      return { shows_version: false };
    case 'show-legends':
      return { shows_legends: true };
    case 'show-node':
      return { node: text ?? '' };
    case 'show-desc':
      return { description: [value, ...rest].map((word) => word?.text ?? '').join(' ') };
    case 'admin':
      return {
        admin: parseWho(
          what,
          [value, ...rest].filter((word) => word !== undefined),
          context,
        ),
      };
    case 'http-request':
      if (text === 'auth' || text === 'allow') return {};
      report.warning(
        what.span,
        'no-effect',
        `\`stats http-request ${text ?? ''}\` has no effect yet; \`stats auth\` protects the page.`,
      );
      return {};
  }
  if (what.text === 'enable' || what.text === 'show-modules') return {};
  if (value === undefined) {
    report.error(what.span, 'missing-value', `\`stats ${what.text}\` needs a value.`);
    return {};
  }
  switch (what.text) {
    case 'uri':
      return { uri: value.text };
    case 'realm':
      return { realm: value.text };
    case 'scope':
      return { scopes: [...page.scopes, value.text] };
    case 'auth':
      if (/^[^:]+:./.test(value.text)) return { users: [...page.users, value.text] };
      report.error(
        value.span,
        'unknown-value',
        '`stats auth` needs a user and a password.',
        'Write `stats auth user:password`.',
      );
      return {};
    default:
      return { refresh_s: seconds(value, context) };
  }
}

/** Without a unit these are seconds. */
function seconds(word: Word, { report }: Context): number | undefined {
  const given = /^\d+$/.test(word.text) ? { ...word, text: `${word.text}s` } : word;
  const time_ms = parseDuration(given, 'stats refresh', report);
  return time_ms === undefined ? undefined : Math.max(1, Math.round(time_ms / 1000));
}

/** `if TRUE`, `if LOCALHOST`, `unless FALSE`. */
function parseWho(what: Word, [word, condition, ...more]: readonly Word[], { report }: Context): StatsPage['admin'] {
  const holds = condition?.text.toUpperCase();
  if (more.length === 0 && word?.text === 'if' && holds === 'LOCALHOST') return 'local';
  const always = word?.text === 'if' ? holds === 'TRUE' : word?.text === 'unless' && holds === 'FALSE';
  const never = word?.text === 'if' ? holds === 'FALSE' : word?.text === 'unless' && holds === 'TRUE';
  if (more.length === 0 && always) return 'everybody';
  if (more.length === 0 && never) return 'nobody';
  const mend = 'Write `stats admin if LOCALHOST` or `stats admin if TRUE`.';
  report.error(
    (condition ?? what).span,
    'unsupported-condition',
    'This condition is not known to `stats admin`.',
    mend,
  );
  return 'nobody';
}

/** Of `http-request` only this is here. */
export function parseUseService(draft: ProxyDraft, { keyword, args }: Statement, { report }: Context): void {
  const [action, service, ...condition] = args;
  const mend = 'Write `http-request use-service prometheus-exporter if { path /metrics }`.';
  if (action?.text !== 'use-service' || service?.text !== 'prometheus-exporter') {
    const message = `Of \`http-request\` only \`use-service prometheus-exporter\` is supported yet.`;
    report.error((action ?? keyword).span, 'unsupported-keyword', message, mend);
    return;
  }
  const text = condition.map((word) => word.text).join(' ');
  const [, fetch, path] = /^if \{ (path|path_beg|path -m beg|path -m str) (\/\S*) \}$/.exec(text) ?? [];
  if (fetch !== undefined) draft.exporters.push({ path: path!, prefix: fetch.includes('beg') });
  else if (text === '' || text === 'if TRUE') draft.exporters.push({ path: '', prefix: false });
  else report.error(condition[0]!.span, 'unsupported-condition', 'This condition is not known here.', mend);
}
