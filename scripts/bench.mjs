// `npm run bench`, `npm run bench:checks`: build, then run bench/main.ts, or the part named first, with what follows `--`.
import { build } from './build.mjs';
import { failAtOptions } from './options.mjs';

build({ tests: true });
const part = process.argv[2]?.startsWith('-') ? undefined : process.argv[2];
if (part !== undefined) process.argv.splice(2, 1);
await import(new URL(`../build/bench/${part ?? 'main'}.js`, import.meta.url).href).catch(failAtOptions);
