// `npm run bench`: build, then run bench/main.ts with what follows `--`.
import { build } from './build.mjs';

build({ tests: true });
await import(new URL('../build/bench/main.js', import.meta.url).href);
