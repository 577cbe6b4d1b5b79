/** The lines `tcp-check …` and `http-check …`: one rule each, in the order in which a check goes through them. */
import type { CheckRule } from '../../model.ts';
import type { Word } from '../../word.ts';
import type { ProxyDraft } from '../drafts.ts';
import type { Context, Statement } from '../keyword.ts';
import { parseConnect } from './connect.ts';
import { addRule, type RuleList } from './draft.ts';
import { parseExpect } from './expect.ts';
import { parseHttpSend, parseSend } from './send.ts';
import { isVariableRule, parseVariableRule } from './variables.ts';
import { Words } from './words.ts';

/** A check goes through them each time. */
const MOST_RULES = 256;

const TCP_RULES = ['comment', 'connect', 'send', 'send-lf', 'send-binary', 'send-binary-lf', 'expect'];
const HTTP_RULES = ['comment', 'connect', 'send', 'expect', 'disable-on-404', 'send-state'];
const VARIABLES = ['set-var', 'set-var-fmt', 'unset-var'];

export function parseTcpCheck(draft: ProxyDraft, statement: Statement, context: Context): void {
  const { name, words } = open(statement, TCP_RULES, context) ?? {};
  if (name === undefined || words === undefined) return;
  const rule = isVariableRule(name.text) ? parseVariableRule(name, words) : parseTcpRule(name, words);
  if (rule === undefined) return;
  draft.checks.tcp = add(draft.checks.tcp, rule, orderOfTcp, name, words);
  if (draft.kind !== 'defaults') draft.spans['tcp_check_rules'] ??= statement.keyword.span;
}

export function parseHttpCheck(draft: ProxyDraft, statement: Statement, context: Context): void {
  const { name, words } = open(statement, HTTP_RULES, context) ?? {};
  if (name === undefined || words === undefined) return;
  if (draft.kind !== 'defaults') draft.spans['http_check_rules'] ??= statement.keyword.span;
  if (name.text === 'disable-on-404' || name.text === 'send-state') {
    if (words.end()) draft.checks[name.text === 'send-state' ? 'send_state' : 'disable_on_404'] = true;
    return;
  }
  const rule = isVariableRule(name.text) ? parseVariableRule(name, words) : parseHttpRule(name, words);
  if (rule !== undefined) draft.checks.http = add(draft.checks.http, rule, orderOfHttp, name, words);
}

function open(
  { keyword, args }: Statement,
  known: readonly string[],
  context: Context,
): { name: Word; words: Words } | undefined {
  const [name, ...rest] = args;
  const words = new Words(name ?? keyword, rest, context);
  const takes = [...known, ...VARIABLES];
  if (name === undefined) {
    const message = `\`${keyword.text}\` needs a rule.`;
    return words.fail(keyword, 'missing-value', message, `Write one of ${takes.join(', ')}.`);
  }
  if (known.includes(name.text) || isVariableRule(name.text)) return { name, words };
  return new Words(keyword, rest, context).unexpected(name, takes);
}

function parseTcpRule(name: Word, words: Words): CheckRule | undefined {
  if (name.text === 'comment') return parseComment(name, words);
  if (name.text === 'connect') return parseConnect(words);
  return name.text === 'expect' ? parseExpect('tcp', words) : parseSend(name, words);
}

function parseHttpRule(name: Word, words: Words): CheckRule | undefined {
  if (name.text === 'comment') return parseComment(name, words);
  if (name.text === 'connect') return parseConnect(words);
  return name.text === 'expect' ? parseExpect('http', words) : parseHttpSend(words);
}

function parseComment(name: Word, words: Words): CheckRule | undefined {
  const value = words.value(name);
  return value && words.end() ? { kind: 'comment', text: value.text } : undefined;
}

/** What is wrong with a rule behind those that are there; undefined: nothing. */
type Order = (rule: CheckRule, before: readonly CheckRule[]) => string | undefined;

function add(list: RuleList, rule: CheckRule, order: Order, name: Word, words: Words): RuleList {
  const before = list.inherited ? [] : list.rules;
  const problem = before.length >= MOST_RULES ? `A check has at most ${MOST_RULES} rules.` : order(rule, before);
  if (problem !== undefined) {
    words.fail(name, 'bad-order', problem);
    return list;
  }
  return addRule(list, rule);
}

type Action = Extract<CheckRule, { kind: 'connect' | 'send' | 'http-send' | 'expect' }>;

function isAction(rule: CheckRule): rule is Action {
  return rule.kind !== 'comment' && rule.kind !== 'set-var' && rule.kind !== 'unset-var';
}

function orderOfTcp(rule: CheckRule, before: readonly CheckRule[]): string | undefined {
  if (rule.kind !== 'connect') return undefined;
  const actions = before.filter(isAction);
  if (actions.length === 0 || actions[0].kind === 'connect') return undefined;
  return 'A check that connects by a rule must begin with `connect`.';
}

/** A connection carries one request and what is expected of its answer. */
function orderOfHttp(rule: CheckRule, before: readonly CheckRule[]): string | undefined {
  const actions = before.filter(isAction);
  const last = actions.at(-1);
  if (rule.kind === 'connect' && last?.kind === 'http-send') return 'Before another `connect` an `expect` is missing.';
  if (rule.kind === 'http-send' && last?.kind === 'http-send') return 'Between two `send` an `expect` is missing.';
  const is_first_send = !actions.some(({ kind }) => kind === 'http-send');
  if (rule.kind === 'expect' && last?.kind === 'connect' && !is_first_send)
    return 'Before this `expect` a `send` is missing.';
  if (rule.kind === 'http-send' && last?.kind === 'expect' && is_first_send)
    return 'This `send` must stand before the `expect`.';
  return orderOfTcp(rule, before);
}
