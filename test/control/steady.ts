/** A client that never stops asking (bench/steady-client.ts), on a host of a test. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { Host } from './host.js';

const CLIENT = fileURLToPath(new URL('../../bench/steady-client.js', import.meta.url));

type Result = { answered: number; failed: number; reasons: string[]; connections: number };

/** Resolves when it is well under way. */
export async function steadyClient(host: Host, keeping: number, closing: number): Promise<{ stop(): Promise<Result> }> {
  const words = [CLIENT, '10.10.0.5', '8080', String(keeping), String(closing)];
  const child: ChildProcess = host.inside(() =>
    spawn(process.execPath, words, { stdio: ['ignore', 'pipe', 'inherit'] }),
  );
  let text = '';
  child.stdout!.setEncoding('utf8').on('data', (more: string) => {
    text += more;
  });
  await once(child.stdout!, 'data');
  return {
    async stop() {
      child.kill('SIGTERM');
      await once(child, 'close');
      return JSON.parse(text.trim().split('\n').at(-1)!) as Result;
    },
  };
}
