/** `carpool lab --seed N|FILE`: what the simulator found, played on real namespaces. */

import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runLab, whyUnreadable } from '../lab/lab.ts';
import { labText } from '../simulator/lab-text.ts';
import { parseScenario, type Scenario } from '../simulator/scenario.ts';
import { complain } from './complain.ts';

/** Drawing a scenario from a number is the tests' business, which only a checkout has. */
const GENERATOR = new URL('../../build/test/simulator/explore.js', import.meta.url);
const GENERATOR_MISSING =
  'Only a checkout in which `npm run sim` has run draws scenarios from seeds; give the file with the text that it printed.';

/** `seed` is a number, or the path of a text that `npm run sim` printed. Returns the exit status. */
export async function labSeed(seed: string, json: boolean): Promise<number> {
  const scenario = /^\d+$/.test(seed) ? await draw(Number(seed)) : read(seed);
  if (typeof scenario === 'string') return complain(scenario);
  const { text, left_out } = labText(scenario);
  if (left_out.length > 0) process.stderr.write(`The lab leaves out: ${left_out.join(', ')}.\n`);
  const directory = mkdtempSync(join(tmpdir(), 'carpool-seed-'));
  try {
    const file = join(directory, `seed-${scenario.seed}.scenario`);
    writeFileSync(file, text);
    return await runLab({ scenario: file, json });
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

async function draw(seed: number): Promise<Scenario | string> {
  if (!existsSync(GENERATOR)) return GENERATOR_MISSING;
  const { scenarioOf } = (await import(GENERATOR.href)) as { scenarioOf(seed: number): Scenario };
  return scenarioOf(seed);
}

/** The lines of the scenario, without the verdict before it and the log behind it. */
function read(path: string): Scenario | string {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    return `The seed's text ${path} cannot be read: ${whyUnreadable((error as NodeJS.ErrnoException).code)}.`;
  }
  const lines = text.split('\n');
  const first = lines.findIndex((line) => /^seed \d+$/.test(line));
  const last = lines.findIndex((line) => line.startsWith('calm '));
  if (first < 0 || last < first)
    return `${path} holds no scenario of the simulator: it begins with "seed N" and ends with "calm N"`;
  try {
    return parseScenario(lines.slice(first, last + 1).join('\n'));
  } catch (error) {
    return `${path}: ${(error as Error).message}`;
  }
}
