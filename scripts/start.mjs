// `npm start`: build what is missing or stale, then run the lab's main scenario (or the one named after `--`).
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { build } from './build.mjs';

build();
const main = fileURLToPath(new URL('../dist/main.js', import.meta.url));
const args = process.argv.length > 2 ? process.argv.slice(2) : ['two-addresses'];
const result = spawnSync(process.execPath, [main, 'lab', ...args], { stdio: 'inherit' });
process.exit(result.status ?? 1);
