/** Comparisons with whole numbers in conditions. */
import type { IntegerRange } from '../../model.ts';
import type { Word } from '../../word.ts';

/** `[eq|ge|gt|le|lt] N | N:M | N: | :M …`, several values being alternatives (manual 7.1.1). */
export function parseRanges(pattern: readonly Word[]): IntegerRange[] | undefined {
  const operator = /^(eq|ge|gt|le|lt)$/.test(pattern[0]?.text ?? '') ? pattern[0].text : undefined;
  const values = operator === undefined ? pattern : pattern.slice(1);
  if (values.length === 0) return undefined;
  const ranges = values.map((value) => parseRange(operator ?? 'eq', value.text));
  return ranges.includes(undefined) ? undefined : (ranges as IntegerRange[]);
}

function parseRange(operator: string, text: string): IntegerRange | undefined {
  const match = /^(\d{1,9})?(:)?(\d{1,9})?$/.exec(text);
  if (match === null || text === '' || text === ':') return undefined;
  const [, first, colon, second] = match;
  if (colon !== undefined) {
    if (operator !== 'eq') return undefined;
    return { min: first === undefined ? null : Number(first), max: second === undefined ? null : Number(second) };
  }
  const value = Number(text);
  if (operator === 'ge') return { min: value, max: null };
  if (operator === 'gt') return { min: value + 1, max: null };
  if (operator === 'le') return { min: null, max: value };
  if (operator === 'lt') return { min: null, max: value - 1 };
  return { min: value, max: value };
}
