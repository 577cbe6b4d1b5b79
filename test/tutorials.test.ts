/**
 * The tutorials, followed: their files are written as they tell, their `$` commands are run, and what these say must be
 * what stands below them. REWRITE_GOLDEN=1 writes it anew. Of the `#` commands, which root types, the configuration is
 * checked and the names must exist.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { PATIENCE_MS } from './helpers/patience.js';

const root = fileURLToPath(new URL('../..', import.meta.url));
const guides = join(root, 'docs/guides');
const commands = readFileSync(join(root, 'docs/reference/commands.md'), 'utf8');

for (const name of readdirSync(guides).filter((file) => file.startsWith('tutorial-')))
  test(`what docs/guides/${name} shows is what happens`, () => {
    const folder = mkdtempSync(join(tmpdir(), 'carpool-tutorial-'));
    try {
      const path = join(guides, name);
      const told = readFileSync(path, 'utf8');
      const happened = follow(told, folder);
      if (process.env['REWRITE_GOLDEN'] === '1') writeFileSync(path, happened);
      assert.equal(happened, told);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

test('the tutorials run commands and write files', () => {
  const texts = readdirSync(guides).map((file) => readFileSync(join(guides, file), 'utf8'));
  assert.ok(texts.flatMap((text) => text.match(/^ {4}\$ /gm) ?? []).length >= 8);
  assert.ok(texts.flatMap((text) => text.match(FILE) ?? []).length >= 8);
});

/** The tutorial again, with what its commands say now. */
function follow(tutorial: string, folder: string): string {
  let before = '';
  return blocksOf(tutorial)
    .map((block) => {
      if (!block.startsWith('    ')) {
        before = block;
        return block;
      }
      const file = [...before.matchAll(FILE)].at(-1)?.[1];
      before = '';
      const text = block.replaceAll(/^ {4}/gm, '');
      if (/^[$#] carpool/.test(text)) return run(text, folder);
      assert.ok(file, `nobody says what this block is:\n${block}`);
      writeFileSync(join(folder, file), `${text.trimEnd()}\n`);
      return block;
    })
    .join('');
}

/** "The file `rc.conf`:" */
const FILE = /\bfile\s+`([\w.-]+)`:\n/g;

/** Prose and code by turns. A console among the code begins with a prompt, after an empty line. */
function blocksOf(text: string): string[] {
  const blocks: string[] = [];
  for (const line of text.split(/(?<=\n)/)) {
    const last = blocks.at(-1);
    const isCode = line.startsWith('    ');
    const goesOn =
      last?.startsWith('    ') && (isCode || line === '\n') && !(/\n\n$/.test(last) && /^ {4}[$#] carpool/.test(line));
    const isProse = last !== undefined && !last.startsWith('    ') && !isCode;
    if (goesOn || isProse) blocks[blocks.length - 1] += line;
    else blocks.push(line);
  }
  return blocks;
}

function run(console: string, folder: string): string {
  const lines = console.split('\n').filter((line) => /^[$#] carpool/.test(line));
  const said = lines.map((line) => {
    const words = line.slice(2).split(' ').slice(1);
    if (line.startsWith('$')) return `${line}\n${carpool(words, folder).output}`;
    if (words[0] === '-f') assert.equal(carpool(['-c', ...words], folder).status, 0, line);
    else if (words[0] === 'lab') assert.ok(existsSync(join(root, `scenarios/${words[1]}.scenario`)), line);
    else assert.ok(commands.includes(`carpool ${words[0]}`), `${line}: no such command`);
    return `${line}\n`;
  });
  return `${said.join('').replaceAll(/^(?=.)/gm, '    ')}\n`;
}

function carpool(words: readonly string[], folder: string): { status: number | null; output: string } {
  const command = ['-c', 'exec "$0" "$@" 2>&1', process.execPath, join(root, 'dist/main.js'), ...words];
  const { status, stdout } = spawnSync('sh', command, { cwd: folder, encoding: 'utf8', timeout: PATIENCE_MS });
  return { status, output: stdout };
}
