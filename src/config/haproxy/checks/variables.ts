/** `set-var(NAME[,CONDITION]) EXPRESSION`, `set-var-fmt(…) FORMAT` and `unset-var(NAME)` of checks. */
import type { CheckRule, SetVariableRule } from '../../model.ts';
import type { Word } from '../../word.ts';
import { parseExpression, parseFormat } from './format.ts';
import type { Words } from './words.ts';

const CONDITIONS = ['ifexists', 'ifnotexists', 'ifempty', 'ifnotempty', 'ifset', 'ifnotset'] as const;

/** Does the rule's first word begin one of these? */
export function isVariableRule(name: string): boolean {
  return /^(set-var|set-var-fmt|unset-var)(\(|$)/.test(name);
}

export function parseVariableRule(word: Word, words: Words): CheckRule | undefined {
  const [, rule, inside] = /^([\w-]+)\((.*)\)$/.exec(word.text) ?? [];
  if (rule === undefined) {
    return words.fail(word, 'missing-value', `\`${word.text}\` needs the name of a variable in parentheses.`);
  }
  const [variable, ...conditions] = inside.split(',').map((part) => part.trim());
  if (!/^(proc|sess|check)\.[A-Za-z0-9._-]+$/.test(variable)) {
    const mend = 'Write `proc.NAME`, `sess.NAME` or `check.NAME`.';
    return words.fail(word, 'bad-variable', `\`${variable}\` is not a variable of checks.`, mend);
  }
  if (rule === 'unset-var') return words.end() ? { kind: 'unset-var', variable } : undefined;
  const condition = CONDITIONS.find((each) => each === conditions[0]) ?? 'always';
  if (conditions.length > 1 || (conditions.length === 1 && condition === 'always')) {
    const mend = `Write one of ${CONDITIONS.join(', ')}.`;
    return words.fail(word, 'unsupported-value', `The condition \`${conditions.join(',')}\` is not supported.`, mend);
  }
  return parseSetVariable(rule, variable, condition, word, words);
}

function parseSetVariable(
  rule: string,
  variable: string,
  condition: SetVariableRule['condition'],
  word: Word,
  words: Words,
): SetVariableRule | undefined {
  const written = words.value(word);
  if (written === undefined || !words.end()) return undefined;
  if (rule === 'set-var-fmt') {
    const value = parseFormat(written, words.context);
    return value && { kind: 'set-var', variable, condition, value };
  }
  const expression = parseExpression(written, words.context);
  return expression && { kind: 'set-var', variable, condition, value: [expression] };
}
