/** nftables, by its command: what the lab's switch and cables drop. */
import { spawnSync } from 'node:child_process';

const TIMEOUT_MS = 5000;

/** Takes the place of the table with that name, in the present network namespace. @throws Error with what nft says */
export function replaceTable(family: 'bridge' | 'netdev', name: string, chain: string): void {
  const table = `table ${family} ${name}`;
  run(`${table}\ndelete ${table}\n${table} {\n${chain}\n}\n`);
}

export function deleteTable(family: 'bridge' | 'netdev', name: string): void {
  const table = `table ${family} ${name}`;
  run(`${table}\ndelete ${table}\n`);
}

function run(input: string): void {
  // where ordinary users' PATH does not look
  const env = { ...process.env, PATH: `${process.env['PATH'] ?? ''}:/usr/sbin:/sbin` };
  const options = { input, env, encoding: 'utf8', timeout: TIMEOUT_MS } as const;
  const { status, stderr, error } = spawnSync('nft', ['-f', '-'], options);
  if (status !== 0) throw new Error(`nft: ${error?.message ?? stderr.trim()}`);
}
