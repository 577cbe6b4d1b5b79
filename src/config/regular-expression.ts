/**
 * The regular expressions of conditions and checks, in a time that grows with the text and not with its tricks: whatever a client or
 * a server sends, no expression can hold a thread up. So there is none of what needs backtracking (looking around, back-references),
 * and who writes it is told.
 */
import { RE2JS } from 're2js';

export type RegularExpression = { test(text: string): boolean };

/** Undefined: it is none, or needs backtracking. Each character of a text is a byte. */
export function regularExpression(pattern: string, ignore_case: boolean): RegularExpression | undefined {
  return compile(pattern, ignore_case);
}

/** As `regularExpression`, of a pattern that was found to be one when the configuration was read. */
export function knownExpression(pattern: string, ignore_case = false): RegularExpression {
  const expression = compile(pattern, ignore_case);
  if (expression === undefined) throw new Error(`${pattern} is no regular expression, but passed for one`);
  return expression;
}

/** Replaces the first match, or all; `\1` to `\9` in `replacement` are groups, `\0` the whole match. Undefined: as above. */
export function substitution(
  pattern: string,
  replacement: string,
  { ignore_case, all }: { readonly ignore_case: boolean; readonly all: boolean },
): ((text: string) => string) | undefined {
  const expression = compile(pattern, ignore_case);
  if (expression === undefined) return undefined;
  const parts = replacement.split(/(\\[0-9])/).map((part) => (/^\\\d$/.test(part) ? Number(part[1]) : part));
  return (text) => {
    const matcher = expression.matcher(text);
    const textOf = (part: string | number) =>
      typeof part === 'string' ? part : part <= expression.groupCount() ? (matcher.group(part) ?? '') : '';
    let result = '';
    let end = 0;
    while (matcher.find()) {
      result += text.slice(end, matcher.start()) + parts.map(textOf).join('');
      end = matcher.end();
      if (!all) break;
    }
    return result + text.slice(end);
  };
}

function compile(pattern: string, ignore_case: boolean): RE2JS | undefined {
  try {
    return RE2JS.compile(pattern, ignore_case ? RE2JS.CASE_INSENSITIVE : 0);
  } catch {
    return undefined;
  }
}
