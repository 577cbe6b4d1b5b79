// `npm run docs`: writes what docs/reference can take from the code itself; with --check only compares.
//
//   haproxy.md     from the parser's keyword tables, up to the marker behind which people write
//   runtime-api.md the tables of commands, between their markers, from the command table
//   scenarios.md   the table of scenarios, between its two markers, from their titles
import { readFileSync, writeFileSync } from 'node:fs';
import { build } from './build.mjs';
import { haproxyReference } from './haproxy-reference.mjs';
import { cell, code } from './markdown.mjs';

build();
const folder = new URL('../docs/reference/', import.meta.url);
await keep(new URL('haproxy.md', folder), haproxyReference);
await keep(new URL('runtime-api.md', folder), runtimeReference);
await keep(new URL('scenarios.md', folder), scenariosReference);

/** @param {URL} file @param {(text: string) => Promise<string>} renew the file's text to what it should be */
async function keep(file, renew) {
  const text = readFileSync(file, 'utf8');
  const wanted = await renew(text);
  if (text === wanted) return;
  if (!process.argv.includes('--check')) return writeFileSync(file, wanted);
  const name = file.pathname.split('/').at(-1);
  process.stderr.write(`docs/reference/${name} is not what the code says: run npm run docs\n`);
  process.exitCode = 1;
}

/** @param {string} text */
async function runtimeReference(text) {
  const load = (/** @type {string} */ name) => import(new URL(`../dist/control/runtime/${name}`, import.meta.url).href);
  const { RUNTIME_COMMANDS } = await load('table.js');
  const { MISSING_COMMANDS } = await load('missing.js');
  /** @param {{ usage: string }} a @param {{ usage: string }} b */
  const byUsage = (a, b) => (a.usage < b.usage ? -1 : 1);
  /** @param {{ usage: string, level: string, help: string }[]} commands */
  const there = (commands) =>
    [...commands].sort(byUsage).map(({ usage, level, help }) => `| ${code(cell(usage))} | ${level} | ${cell(help)} |`);
  /** @param {{ usage: string, why: string }[]} commands */
  const missing = (commands) =>
    [...commands].sort(byUsage).map(({ usage, why }) => `| ${code(cell(usage))} | ${cell(why)} |`);
  return text
    .replace(/(<!-- commands.*?-->\n).*?(\n<!-- end -->)/s, (_, before, after) => {
      return `${before}| command | level | what it does |\n|---|---|---|\n${there(RUNTIME_COMMANDS).join('\n')}${after}`;
    })
    .replace(/(<!-- missing.*?-->\n).*?(\n<!-- end -->)/s, (_, before, after) => {
      return `${before}| command | why not |\n|---|---|\n${missing(MISSING_COMMANDS).join('\n')}${after}`;
    });
}

/** @param {string} text */
async function scenariosReference(text) {
  const { listScenarios } = await import(new URL('../dist/lab/lab.js', import.meta.url).href);
  /** @type {{ name: string, title: string }[]} */
  const scenarios = listScenarios();
  const rows = scenarios.map(({ name, title }) => `| ${code(name)} | ${title} |`).join('\n');
  return text.replace(/(<!-- scenarios.*?-->\n).*?(\n<!-- end -->)/s, (_, before, after) => {
    return `${before}| scenario | what it shows |\n|---|---|\n${rows}${after}`;
  });
}
