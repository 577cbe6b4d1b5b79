// `npm start`: build what is missing or stale, then play the lab's main scenario (or what is named after `--`).
import { fileURLToPath, pathToFileURL } from 'node:url';
import { build } from './build.mjs';

build();
const main = fileURLToPath(new URL('../dist/main.js', import.meta.url));
process.argv = [process.argv[0], main, 'lab', ...process.argv.slice(2)];
// In this very process: signals and the exit status need no passing on.
await import(pathToFileURL(main).href);
