/** `carpool convert [--to DIALECT] FILE …` and `carpool convert [--to DIALECT] ucarp OPTION …`: any dialect into any other. */

import { convert, TARGETS, type Target } from '../config/convert/convert.ts';
import type { Diagnostic } from '../config/diagnostic.ts';
import { loadFiles, loadUcarpCommand } from '../config/files.ts';
import type { Config } from '../config/model.ts';
import { suggest } from '../config/suggest.ts';
import { complain } from './complain.ts';
import { reportDiagnostics } from './run.ts';

/** Something has no words in the other dialect; what has is printed all the same. */
const INCOMPLETE = 2;

/** Resolves to the exit status: 0, 1 when the files are wrong, 2 when not everything can be said. */
export async function runConvert(words: readonly string[]): Promise<number> {
  const parsed = parseConvert(words);
  if (typeof parsed === 'string') return complain(parsed);
  const { config, diagnostics } = read(parsed.files);
  reportDiagnostics(diagnostics, false);
  if (config === undefined) return 1;
  const { files, losses } = convert(config, parsed.target);
  const isSeveral = files.length > 1;
  const texts = files.map(({ name, text }) => (isSeveral && name !== undefined ? `# ${name}\n${text}` : text));
  process.stdout.write(texts.join('\n'));
  reportDiagnostics(losses, false);
  return losses.length === 0 ? 0 : INCOMPLETE;
}

type ConvertWords = { readonly target: Target; readonly files: readonly string[] };

function parseConvert(words: readonly string[]): ConvertWords | string {
  let target: Target = 'native';
  const files: string[] = [];
  for (let i = 0; i < words.length; i++) {
    const word = words[i]!;
    if (word === 'ucarp' && files.length === 0) return { target, files: words.slice(i) }; // what follows is ucarp's
    const [option, joined] = word.split(/=(.*)/s);
    if (option !== '--to') {
      if (word.startsWith('-')) return `"convert" takes --to, not "${word}".`;
      files.push(word);
      continue;
    }
    const name = joined ?? words[++i] ?? '';
    const known = TARGETS.find((each) => each === name);
    if (known === undefined) return `--to wants one of ${TARGETS.join(', ')}${near(name)}.`;
    target = known;
  }
  return files.length === 0 ? 'No file was named: carpool convert [--to native] FILE …' : { target, files };
}

function near(name: string): string {
  const nearest = suggest(name, TARGETS);
  return nearest === undefined ? '' : ` (did you mean "${nearest}"?)`;
}

type Read = { readonly config: Config | undefined; readonly diagnostics: readonly Diagnostic[] };

/** `ucarp` and its options stand for a file. */
function read(files: readonly string[]): Read {
  return files[0] === 'ucarp' ? loadUcarpCommand(files.slice(1)) : loadFiles(files, { env: process.env });
}
