/** `stats …` in proxies, and `http-request use-service prometheus-exporter` (manual 4.2). */
import type { StatsPage, StatsRule } from '../model-pages.ts';
import { didYouMean } from '../suggest.ts';
import { parseDuration } from '../values.ts';
import type { Word } from '../word.ts';
import { type Acls, parseRuleCondition } from './conditions/acl.ts';
import type { ProxyDraft } from './drafts.ts';
import type { Context, Statement } from './keyword.ts';

const PLAIN_PAGE: StatsPage = {
  uri: '/haproxy?stats',
  realm: 'HAProxy Statistics',
  users: [],
  rules: [],
  refresh_s: undefined,
  admin: [],
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
  if (draft.kind !== 'defaults') draft.spans['stats'] ??= keyword.span;
  const condition = value ? [value, ...rest] : [];
  if (what.text === 'admin') draft.stats = { ...before, ...parseAdmin(before, what, condition, draft.acls, context) };
  else if (what.text === 'http-request')
    draft.stats = { ...before, ...parseRule(before, what, condition, draft.acls, context) };
  else draft.stats = { ...before, ...setting(before, what, value, rest, context) };
  reportTwoWays(draft.stats, what, context);
}

/** As in HAProxy. */
function reportTwoWays({ users, rules }: StatsPage, what: Word, { report }: Context): void {
  if (users.length === 0 || rules.length === 0 || !['auth', 'http-request'].includes(what.text)) return;
  const message = '`stats auth` and `stats http-request` cannot both say who may look.';
  report.error(what.span, 'contradiction', message, 'Keep one of the two.');
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

/** `if LOCALHOST`: any such line is enough. */
function parseAdmin(
  page: StatsPage,
  what: Word,
  words: readonly Word[],
  acls: Acls,
  context: Context,
): Partial<StatsPage> {
  const when = parseRuleCondition(words, what, acls, context);
  if (when) return { admin: [...page.admin, when] };
  const mend = 'Write `stats admin if LOCALHOST` or `stats admin if TRUE`.';
  if (when === null) context.report.error(what.span, 'missing-value', '`stats admin` needs a condition.', mend);
  return {};
}

/** `allow`, `deny`, `auth [realm WORD]`, each with or without a condition. */
function parseRule(
  page: StatsPage,
  what: Word,
  [action, ...words]: readonly Word[],
  acls: Acls,
  context: Context,
): Partial<StatsPage> {
  const known = (['allow', 'deny', 'auth'] as const).find((name) => name === action?.text);
  if (action === undefined || known === undefined) {
    const mend = didYouMean(action?.text ?? '', ['allow', 'deny', 'auth']) ?? 'Write `allow`, `deny` or `auth`.';
    context.report.error((action ?? what).span, 'unknown-value', '`stats http-request` needs an action.', mend);
    return {};
  }
  const has_realm = known === 'auth' && words[0]?.text === 'realm';
  const when = parseRuleCondition(has_realm ? words.slice(2) : words, words[1] ?? action, acls, context);
  if (when === undefined) return {};
  const rule: StatsRule = { action: known, realm: has_realm ? words[1]?.text : undefined, when: when ?? undefined };
  return { rules: [...page.rules, rule] };
}

/** `http-request use-service prometheus-exporter`; any other action is refused. */
export function parseUseService(draft: ProxyDraft, { keyword, args }: Statement, context: Context): void {
  const { report } = context;
  const [action, service, ...condition] = args;
  if (action?.text !== 'use-service' || service?.text !== 'prometheus-exporter') {
    const shown = [keyword, action, ...(action?.text === 'use-service' ? [service] : [])].map(
      (word) => word?.text ?? '',
    );
    const message = `\`${shown.join(' ').trim()}\` is not supported yet: only \`use-service prometheus-exporter\`, \`set-priority-class\` and \`set-priority-offset\` are.`;
    report.error((action ?? keyword).span, 'unsupported-keyword', message, 'Remove it if the set-up can do without.');
    return;
  }
  const when = parseRuleCondition(condition, service, draft.acls, context);
  if (when !== undefined) draft.exporters.push({ when: when ?? undefined });
}
