/**
 * Every folder of test/config/golden/ is a configuration: its files, read together in the order of their names, and in
 * expected.txt what is said about them and the model that comes out. REWRITE_GOLDEN=1 writes expected.txt anew; read
 * the difference before you commit it.
 */
import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { formatDiagnostic } from '#src/config/diagnostic.js';
import { type Loaded, loadConfig } from '#src/config/load.js';
import { CARP_DEFAULTS, CARP_HOST_DEFAULTS } from '#src/config/model-defaults.js';

const folder = fileURLToPath(new URL('../../../test/config/golden', import.meta.url));
const env = { MODE: 'http', HOST: '127.0.0.1', PORT: '80' };

for (const name of readdirSync(folder)) {
  test(`the configuration "${name}" gets exactly its diagnostics and its model`, () => {
    const actual = describe(loadConfig(sourcesOf(name), { env }));
    const path = join(folder, name, 'expected.txt');
    if (process.env['REWRITE_GOLDEN'] === '1') writeFileSync(path, actual);
    assert.equal(actual, existsSync(path) ? readFileSync(path, 'utf8') : '');
  });
}

function sourcesOf(name: string): { file: string; text: string }[] {
  const files = readdirSync(join(folder, name)).filter((file) => file !== 'expected.txt');
  return files.sort().map((file) => ({ file, text: readFileSync(join(folder, name, file), 'utf8') }));
}

function describe({ config, diagnostics }: Loaded): string {
  const said = diagnostics.map((diagnostic) => `${formatDiagnostic(diagnostic)}\n`).join('');
  return `${said}---\n${config === undefined ? 'refused' : outline(config)}\n`;
}

/** The model without its spans, without what is not set, and without CARP's defaults; one line for each thing in a list. */
function outline(value: object): string {
  const lines: string[] = [];
  for (const [key, field] of Object.entries(value)) {
    if (key === 'carp_host') lines.push(`${key} ${compact(withoutDefaults(field, CARP_HOST_DEFAULTS))}`);
    else if (!Array.isArray(field)) lines.push(`${key} ${compact(field)}`);
    else if (key === 'carps')
      for (const each of field) lines.push(`${key} ${compact(withoutDefaults(each, CARP_DEFAULTS))}`);
    else for (const each of field) lines.push(`${key} ${compact(each)}`);
  }
  return lines.join('\n');
}

function withoutDefaults(value: object, defaults: object): object {
  const usual = new Map(Object.entries(defaults).map(([key, field]) => [key, compact(field)]));
  return Object.fromEntries(Object.entries(value).filter(([key, field]) => usual.get(key) !== compact(field)));
}

function compact(value: unknown): string {
  return JSON.stringify(value, (key, field) => (key === 'span' || key === 'spans' ? undefined : field));
}
