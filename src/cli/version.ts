import { readFileSync } from 'node:fs';

/** From package.json, two levels above dist/cli. */
export function readVersion(): string {
  return JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')).version;
}
