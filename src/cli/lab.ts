/** `carpool lab [SCENARIO | FILE] [--json] [--list]` */
import { listScenarios, runLab } from '../lab/lab.ts';

const DEFAULT_SCENARIO = 'two-addresses';
const USAGE = 'carpool lab [SCENARIO | FILE] [--json] [--list]';

/** `words` are those behind `lab`. Returns the exit status. */
export async function lab(words: readonly string[]): Promise<number> {
  const unknown = words.find((word) => word.startsWith('-') && word !== '--json' && word !== '--list');
  const names = words.filter((word) => !word.startsWith('-'));
  if (unknown !== undefined || names.length > 1) {
    process.stderr.write(`carpool: '${unknown ?? names[1]}' is one word too many: ${USAGE}\n`);
    return 1;
  }
  if (words.includes('--list')) {
    for (const { name, title } of listScenarios()) process.stdout.write(`${name.padEnd(18)} ${title}\n`);
    return 0;
  }
  return runLab({ scenario: names[0] ?? DEFAULT_SCENARIO, json: words.includes('--json') });
}
