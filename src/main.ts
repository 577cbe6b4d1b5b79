#!/usr/bin/env node
/** argv -> a command. What a command needs is loaded when it is called, so that `carpool status` stays quick. */
import { type Command, parseArguments } from './cli/arguments.ts';
import { helpOf } from './cli/command-help.ts';
import { HELP } from './cli/help.ts';
import { describeVersion } from './cli/version.ts';

const [, program = '', ...words] = process.argv;
process.exit(await runCommand(parseArguments(calledAsUcarp(program) ? ['ucarp', ...words] : words)));

/** A link of that name to this file takes ucarp's place in scripts and unit files. */
function calledAsUcarp(path: string): boolean {
  return path.slice(path.lastIndexOf('/') + 1) === 'ucarp';
}

async function runCommand(command: Command): Promise<number> {
  // whoever reads these and has seen enough (`carpool --help | head -1`) made no mistake
  if (['doctor', 'init', 'diff', 'help', 'version'].includes(command.kind))
    process.stdout.on('error', () => process.exit(0));
  switch (command.kind) {
    case 'run':
      return (await import('./cli/run.ts')).runRun(command);
    case 'ask':
      return (await import('./cli/ask.ts')).runAsk(command.line, command.socket);
    case 'lab':
      return (await import('./cli/lab.ts')).lab(command.words);
    case 'ucarp':
      return (await import('./cli/ucarp.ts')).runUcarp(command.words);
    case 'debian':
      return (await import('./cli/debian.ts')).runDebian(command.words);
    case 'doctor':
      return (await import('./cli/doctor.ts')).doctor(command.words);
    case 'init':
      return (await import('./cli/init.ts')).init(command.words);
    case 'diff':
      return (await import('./cli/diff.ts')).diff(command.words);
    case 'convert':
      return (await import('./cli/convert.ts')).runConvert(command.words);
    case 'help':
      process.stdout.write(helpOf(command.of) ?? HELP);
      return 0;
    case 'version':
      process.stdout.write(describeVersion(command.features));
      return 0;
    case 'condition':
      return (await import('./cli/condition.ts')).runCondition(command.text);
    case 'mistake':
      process.stderr.write(`carpool: ${command.message}\n`);
      return 1;
  }
}
