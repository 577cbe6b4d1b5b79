/** Every file of scripts/ says what it shows in its first line. UPDATE_SCRIPTS=1 writes what really happens into them. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { runScript } from './script.js';

const folder = new URL('../../../test/carp/scripts/', import.meta.url);

for (const name of readdirSync(folder).sort()) {
  const file = new URL(name, folder);
  const expected = readFileSync(file, 'utf8');
  test(expected.split('\n')[0].replace('# ', ''), () => {
    const really = runScript(expected);
    if (process.env.UPDATE_SCRIPTS) writeFileSync(file, really);
    else assert.equal(really, expected);
  });
}
