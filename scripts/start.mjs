// `npm start`: build what is missing or stale, then run the lab's main scenario (or what is named after `--`).
import { fileURLToPath, pathToFileURL } from 'node:url';
import { build } from './build.mjs';

build();
const main = fileURLToPath(new URL('../dist/main.js', import.meta.url));
const args = process.argv.slice(2);
const namesScenario = args.some((arg) => !arg.startsWith('-') || arg === '--list');
process.argv = [process.argv[0], main, 'lab', ...(namesScenario ? [] : ['two-addresses']), ...args];
// In this very process: signals and the exit status need no passing on.
await import(pathToFileURL(main).href);
