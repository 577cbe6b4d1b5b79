/** What the documents tell people to write is accepted by the program. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { formatDiagnostic } from '#src/config/diagnostic.js';
import { loadConfig } from '#src/config/load.js';
import { parseScenario } from '#src/lab/scenario-parser.js';

const root = fileURLToPath(new URL('../..', import.meta.url));
/** What a fragment between fences may leave to the file that it goes into, beside the lines put before it here. */
const LEFT_OUT = ['no-listener', 'frontend-without-bind', 'frontend-without-backend', 'unknown-resolvers'];
const AROUND = 'defaults\n mode http\n timeout connect 5s\n timeout client 5s\n timeout server 5s\n';

const DOCUMENTS = ['README.md', ...['docs/guides', 'docs/reference'].flatMap(documentsBelow)];

for (const { path, line, text } of DOCUMENTS.flatMap(blocksOf)) {
  const place = `${path}:${line}`;
  if (/^(global|defaults|frontend|backend|listen|carp)\b/.test(text)) {
    test(`${place}: the configuration is valid`, () => {
      const { diagnostics } = loadConfig([{ file: 'carpool.cfg', text }]);
      assert.deepEqual(diagnostics.map(formatDiagnostic), []);
    });
  } else if (/^title\b/.test(text) && !text.includes('TEXT')) {
    test(`${place}: the scenario is valid`, () => {
      assert.deepEqual(parseScenario('doc.scenario', text).diagnostics.map(formatDiagnostic), []);
    });
  }
}

for (const { path, line, text } of DOCUMENTS.flatMap(fencedBlocksOf)) {
  if (/^(global|frontend|backend|listen|ring|resolvers|carp)\b/.test(text))
    test(`${path}:${line}: the fragment has its place in a configuration`, () => {
      const { diagnostics } = loadConfig([{ file: 'carpool.cfg', text: AROUND + text }]);
      assert.deepEqual(diagnostics.filter(({ code }) => !LEFT_OUT.includes(code)).map(formatDiagnostic), []);
    });
}

test('the documents hold configurations and scenarios to check', () => {
  const texts = DOCUMENTS.flatMap(blocksOf).map((block) => block.text);
  assert.ok(texts.filter((text) => text.includes('vhid')).length >= 3);
  assert.ok(texts.filter((text) => text.startsWith('title')).length >= 1);
});

type Block = { readonly path: string; readonly line: number; readonly text: string };

/** The blocks of code that Markdown makes of lines indented by four columns. */
function blocksOf(path: string): Block[] {
  const blocks: { path: string; line: number; text: string }[] = [];
  let open = false;
  for (const [index, line] of readFileSync(join(root, path), 'utf8').split('\n').entries()) {
    const isCode = line.startsWith('    ');
    if (isCode && !open) blocks.push({ path, line: index + 1, text: '' });
    if (isCode || (open && line === '')) blocks.at(-1)!.text += `${line.slice(4)}\n`;
    open = isCode || (open && line === '');
  }
  return blocks;
}

function fencedBlocksOf(path: string): Block[] {
  const blocks = readFileSync(join(root, path), 'utf8').matchAll(/^```.*\n((?:(?!```).*\n)*)```$/gm);
  return [...blocks].map(({ input, index, 1: text }) => ({
    path,
    line: input.slice(0, index).split('\n').length + 1,
    text: text!,
  }));
}

function documentsBelow(folder: string): string[] {
  return (
    readdirSync(join(root, folder))
      // tutorials.test.ts follows them
      .filter((name) => name.endsWith('.md') && !name.startsWith('tutorial-'))
      .map((name) => join(folder, name))
  );
}
