/**
 * 100,000 requests during twenty reloads, none failed: `npm run bench:reloads`. Clients that keep their connections and
 * clients that close them ask without a pause; a request fails when its answer is not a whole 200.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { startCarpool, startSmallServers } from './programs.ts';

const REQUESTS = 100_000;
const RELOADS = 20;
const LIMIT_MS = 10 * 60_000;
const CLIENT = fileURLToPath(new URL('./steady-client.js', import.meta.url));

type Result = { answered: number; failed: number; reasons: string[]; connections: number };

async function main(): Promise<number> {
  const folder = mkdtempSync(join(tmpdir(), 'carpool-reloads-'));
  const servers = await startSmallServers(folder);
  const proxy = await startCarpool(folder, { template: 'balancer.cfg', servers, log_port: 9 }, 'ring');
  const client = startClient(proxy.port);
  const end_ms = performance.now() + LIMIT_MS;
  for (let reload = 1; reload <= RELOADS; reload++) {
    while (client.answered() < (REQUESTS * reload) / (RELOADS + 1) && performance.now() < end_ms) await delay(20);
    process.kill(proxy.pid, 'SIGHUP');
  }
  while (client.answered() < REQUESTS && performance.now() < end_ms) await delay(20);
  const { answered, failed, reasons, connections } = await client.stop();
  await proxy.stop();
  await servers.stop();
  rmSync(folder, { recursive: true });
  process.stdout.write(
    `${answered} requests on ${connections} connections during ${RELOADS} reloads: ${failed} failed\n`,
  );
  for (const reason of reasons) process.stdout.write(`  ${reason}\n`);
  return failed === 0 && answered >= REQUESTS ? 0 : 1;
}

function startClient(port: number) {
  const words = [CLIENT, '127.0.0.1', String(port), '16', '8'];
  const child = spawn(process.execPath, words, { stdio: ['ignore', 'pipe', 'inherit'] });
  const lines: string[] = [];
  child.stdout.setEncoding('utf8').on('data', (text: string) => lines.push(...text.trim().split('\n')));
  return {
    /** So far; the client says it every thousand. */
    answered: () => Number(lines.findLast((line) => /^\d+$/.test(line)) ?? 0),
    async stop(): Promise<Result> {
      child.kill('SIGTERM');
      await once(child, 'close');
      return JSON.parse(lines.at(-1) ?? '{}') as Result;
    },
  };
}

process.exitCode = await main();
