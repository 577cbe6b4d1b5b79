/**
 * A command as one line and as words. White space parts the words; a word with white space in it stands in double quotes,
 * where a backslash takes the next character as it is:
 *
 *   demote 100 --reason "moving \"rack 7\""
 */

/** The words of a line, or a sentence about a quote that does not end. */
export function splitWords(line: string): readonly string[] | { readonly mistake: string } {
  const words: string[] = [];
  const piece = /\s*(?:"((?:[^"\\]|\\.)*)"(?=\s|$)|([^\s"]\S*))\s*/y;
  while (piece.lastIndex < line.length) {
    const found = piece.exec(line);
    if (found === null) return line.trim() === '' ? words : { mistake: 'A quote (") is not closed, or not by itself.' };
    words.push(found[2] ?? found[1]!.replace(/\\(.)/g, '$1'));
  }
  return words;
}

export function joinWords(words: readonly string[]): string {
  return words.map(quote).join(' ');
}

/** Nothing that a person types may end the line, so control characters become spaces. */
function quote(word: string): string {
  const printable = word.replace(/\p{Cc}/gu, ' ');
  return /^[^\s"]+$/.test(printable) ? printable : `"${printable.replace(/["\\]/g, '\\$&')}"`;
}
