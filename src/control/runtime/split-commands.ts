/** A line of the runtime API: commands with `;` between them, words with spaces; a backslash takes the next character as it is. */
export function splitCommands(line: string): string[][] {
  const commands: string[][] = [[]];
  let word: string | undefined;
  const endWord = () => {
    if (word !== undefined) commands[commands.length - 1]!.push(word);
    word = undefined;
  };
  for (let at = 0; at < line.length; at++) {
    const character = line[at]!;
    if (character === '\\' && at + 1 < line.length) word = (word ?? '') + line[++at];
    else if (character === ';') {
      endWord();
      commands.push([]);
    } else if (/\s/.test(character)) endWord();
    else word = (word ?? '') + character;
  }
  endWord();
  return commands.length > 1 ? commands.filter((words) => words.length > 0) : commands;
}
