/** What the converters of a sample make of its value (manual 7.3.1). */
import type { Value } from './subject.ts';

/** Undefined: there is no value any more. */
export function converterOf(name: string, [index, delimiters]: readonly string[]): (value: Value) => Value | undefined {
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
