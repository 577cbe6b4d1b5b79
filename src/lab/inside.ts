/**
 * The process inside the lab's namespaces, where it is root and process 1. Arguments: SCENARIO-FILE DIRECTORY --json | --text.
 * It ends when its standard input does; then, or after the run, whatever it started is killed with it.
 */
import { rmSync } from 'node:fs';
import { SystemError } from '../system/errors.ts';
import { readScenario } from './lab.ts';
import { formatJson } from './report.ts';
import { type Played, playScenario } from './runner.ts';
import { explainRefusal } from './sandbox.ts';
import type { Scenario } from './scenario.ts';
import { coloured, createTimeline, formatReport, type Paint, plain } from './timeline.ts';

/** Lines of a node's output that a failure shows. */
const SHOWN_LINES = 30;

async function main(): Promise<number> {
  const [file = '', directory = '', format] = process.argv.slice(2);
  const scenario = readScenario(file);
  if (typeof scenario === 'string') throw new Error(scenario);
  const people = format === '--json' ? process.stderr : process.stdout;
  const paint = people.isTTY && process.env['NO_COLOR'] === undefined ? coloured : plain;
  const write = (line: string) => people.write(`${line}\n`);
  try {
    const played = await play(scenario, directory, paint, write);
    for (const line of formatReport(played.report, paint)) write(line);
    if (!played.report.passed) showOutput(played, write);
    if (format === '--json') process.stdout.write(`${formatJson(played.report)}\n`);
    return played.report.passed ? 0 : 1;
  } catch (error) {
    rmSync(directory, { recursive: true, force: true }); // whoever made it may have been killed
    if (error instanceof SystemError && error.code === 'EPERM') process.stderr.write(`${explainRefusal()}\n`);
    else if (!stopper.signal.aborted) process.stderr.write(`carpool: ${(error as Error).message}\n`);
    return 1;
  }
}

function play(scenario: Scenario, directory: string, paint: Paint, write: (line: string) => void): Promise<Played> {
  const names = scenario.hosts.map((host) => host.name);
  write(paint('bold', scenario.title || scenario.name));
  return playScenario(scenario, createTimeline(names, paint, write), directory, stopper.signal);
}

/** What the nodes said, when something did not go as expected. */
function showOutput(played: Played, write: (line: string) => void): void {
  for (const [name, lines] of played.output) {
    write('');
    write(`The last lines of ${name}:`);
    for (const line of lines.slice(-SHOWN_LINES)) write(`    ${line}`);
  }
}

const stopper = new AbortController();
process.stdin.on('end', () => stopper.abort()).resume();
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => stopper.abort());
const status = await main();
// what is written to a pipe must be out before the process ends
process.stderr.write('', () => process.stdout.write('', () => process.exit(status)));
