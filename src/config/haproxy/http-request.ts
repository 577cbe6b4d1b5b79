/** `http-request ACTION …` (manual 4.2): of its actions `use-service prometheus-exporter`, `set-priority-class`, `set-priority-offset`. */
import type { Word } from '../word.ts';
import { parseRuleCondition } from './conditions/acl.ts';
import { castBetween } from './conditions/converter-names.ts';
import { parseSample } from './conditions/sample.ts';
import type { ProxyDraft } from './drafts.ts';
import type { Context, Statement } from './keyword.ts';
import { parseUseService } from './stats-page.ts';

export function parseHttpRequest(draft: ProxyDraft, statement: Statement, context: Context): void {
  const [action, ...rest] = statement.args;
  if (action?.text === 'set-priority-class') parsePriority(draft, 'class', action, rest, context);
  else if (action?.text === 'set-priority-offset') parsePriority(draft, 'offset', action, rest, context);
  else parseUseService(draft, statement, context);
}

/** `set-priority-class SAMPLE [if CONDITION]`: a number, or what becomes one. */
function parsePriority(
  draft: ProxyDraft,
  sets: 'class' | 'offset',
  action: Word,
  [expression, ...condition]: readonly Word[],
  context: Context,
): void {
  const { report } = context;
  if (expression === undefined) {
    const mend = `Write for example \`http-request ${action.text} int(-10) if { path /urgent }\`.`;
    report.error(action.span, 'missing-value', `\`${action.text}\` is followed by a sample.`, mend);
    return;
  }
  const parsed = parseSample(expression, context);
  if (parsed === undefined) return;
  const cast = castBetween(parsed.type, 'int');
  if (cast === undefined || parsed.suffix !== undefined || parsed.moment === 'response' || parsed.moment === 'end') {
    const message = `\`${expression.text}\` is no number that a request tells.`;
    report.error(expression.span, 'bad-sample', message, 'Write for example `req.hdr(x-priority)` or `int(5)`.');
    return;
  }
  const { sample } = parsed;
  const converters = cast === '' ? sample.converters : [...sample.converters, { name: cast, args: [] }];
  const when = parseRuleCondition(condition, expression, draft.acls, context);
  if (when !== undefined)
    draft.priority_rules.push({ sets, sample: { ...sample, converters }, when: when ?? undefined });
}
