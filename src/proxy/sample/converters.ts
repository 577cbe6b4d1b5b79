/** What the converters of a sample make of its value (manual 7.3.1). */
import { substitution } from '../../config/regular-expression.ts';
import type { Value } from './subject.ts';

/** Undefined: there is no value any more. */
export function converterOf(name: string, args: readonly string[]): (value: Value) => Value | undefined {
  const [index, delimiters] = args;
  switch (name) {
    case 'lower':
      return (value) => String(value).toLowerCase();
    case 'upper':
      return (value) => String(value).toUpperCase();
    case 'length':
      return (value) => String(value).length;
    case 'field':
      return (value) => partOf(splitAt(String(value), delimiters), Number(index));
    case 'word':
      return (value) =>
        partOf(
          splitAt(String(value), delimiters).filter((part) => part !== ''),
          Number(index),
        );
    case 'regsub': {
      const [pattern, replacement, flags = ''] = args;
      const how = { ignore_case: flags.includes('i'), all: flags.includes('g') };
      const replace = substitution(pattern, replacement, how);
      return (value) => replace?.(String(value));
    }
    default:
      throw new Error(`no converter is called ${name}`);
  }
}

/** At each of the characters. */
function splitAt(text: string, delimiters: string): string[] {
  const parts = [''];
  for (const character of text) {
    if (delimiters.includes(character)) parts.push('');
    else parts[parts.length - 1] += character;
  }
  return parts;
}

/** From 1, or from the end where it is negative. */
function partOf(parts: readonly string[], index: number): string | undefined {
  return index > 0 ? parts[index - 1] : parts[parts.length + index];
}
