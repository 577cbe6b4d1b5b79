// Parts of the tables in docs/reference.

/** What may stand in a cell of a table. @param {string} text */
export function cell(text) {
  return text.replaceAll('|', '\\|');
}

/** @param {string} word */
export function code(word) {
  return `\`${word}\``;
}
