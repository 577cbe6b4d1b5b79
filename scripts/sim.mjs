// `npm run sim [-- --seed N] [--minutes N] [--hosts N] [--peers KIND,…] [--demote-byte] [--scenario FILE]`: simulated segments until an invariant breaks.
// Without options it runs for 20 s from a seed of the clock; --seed alone plays that one run (and shrinks it if it
// breaks); --scenario replays a text that an earlier run printed. Exit status 1 when an invariant breaks.
import { readFileSync } from 'node:fs';
import { build } from './build.mjs';
import { anySeed, DEFAULT_MINUTES, endWithReader, fail, MAX, number, readOptions, WORD } from './options.mjs';

endWithReader();
const flag = { type: /** @type {const} */ ('boolean') };
const { values } = readOptions({
  options: { seed: WORD, minutes: WORD, hosts: WORD, peers: WORD, 'demote-byte': flag, scenario: WORD },
});
const seed = number(values, 'seed', 0, MAX.seed) ?? anySeed();
const minutes = number(values, 'minutes', 0, MAX.minutes) ?? DEFAULT_MINUTES;
const hosts_max = number(values, 'hosts', 2, 26) ?? 5;

build({ tests: true });
const { describe, explore } = await import(new URL('../build/test/simulator/explore.js', import.meta.url).href);
const { mixed } = await import(new URL('../build/test/simulator/arbitrary.js', import.meta.url).href);
const { KINDS, parseScenario } = await import(new URL('../dist/simulator/scenario.js', import.meta.url).href);

const { broken, text: told } = values.scenario ? replay(values.scenario) : search();
process.stdout.write(`${told}\n`);
if (broken && !values.scenario)
  process.stdout.write(
    `\nThe same run again: npm run sim -- --seed ${broken.seed}${again()}, or --scenario FILE with the text above.\n`,
  );
process.exitCode = broken ? 1 : 0;

function search() {
  const only_one = values.seed !== undefined && values.minutes === undefined;
  return explore({
    seed,
    runs: only_one ? 1 : MAX.count,
    time_ms: minutes * 60_000,
    hosts_max,
    ...peers(),
    ...manner(),
  });
}

/** The options that make a seed mean the same scenario. */
function again() {
  const { hosts, peers: others } = values;
  const byte = values['demote-byte'] ? ' --demote-byte' : '';
  return (hosts ? ` --hosts ${hosts}` : '') + (others ? ` --peers ${others}` : '') + byte;
}

function manner() {
  return values['demote-byte'] ? { manner: { demote_byte: 'yes' } } : {};
}

/** Beside carpool, who else is on the segments. */
function peers() {
  if (values.peers === undefined) return {};
  const kinds = values.peers.split(',');
  const unknown = kinds.find((kind) => !KINDS.includes(kind));
  if (unknown !== undefined) fail(`--peers takes ${KINDS.slice(1).join(', ')}, not "${unknown}"`);
  return mixed(['carpool', ...kinds]);
}

/** @param {string} path */
function replay(path) {
  const lines = readFileSync(path, 'utf8').split('\n');
  // what follows the scenario is the log of that run, what stands before it the verdict
  const first = lines.findIndex((line) => /^seed \d+$/.test(line));
  const last = lines.findIndex((line) => line.startsWith('calm '));
  const scenario = parseScenario(lines.slice(Math.max(first, 0), last + 1).join('\n'));
  return describe(scenario, scenario.seed);
}
