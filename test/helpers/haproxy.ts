/** A real HAProxy with one `listen` section for each list of lines, on loopback ports. One thread: it logs in the order of what it did. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { setTimeout as rest } from 'node:timers/promises';
import { PATIENCE_MS } from './patience.js';
import { peerPath } from './peers.js';
import { freePort } from './ports.js';

/** Resolves to the sections' ports as soon as all accept. It ends with the test. `onOutput` gets what it writes to stdout. */
export async function startHaproxy(
  t: TestContext,
  sections: readonly (readonly string[])[],
  onOutput: (text: string) => void = () => {},
): Promise<number[]> {
  const directory = mkdtempSync(join(tmpdir(), 'carpool-proxy-interop-'));
  const file = join(directory, 'haproxy.cfg');
  const ports: number[] = [];
  for (const _ of sections) ports.push(await freePort());
  const lines = [
    'global\n maxconn 100\n nbthread 1',
    'defaults\n mode http\n timeout connect 5s\n timeout client 5s\n timeout server 5s',
    ...sections.map((section, index) =>
      [`listen all${index}`, `bind 127.0.0.1:${ports[index]}`, ...section].join('\n '),
    ),
  ];
  writeFileSync(file, `${lines.join('\n')}\n`);
  const child = spawn(peerPath('haproxy'), ['-db', '-f', file], { stdio: ['ignore', 'pipe', 'pipe'] });
  let said = '';
  child.stdout?.on('data', (bytes) => onOutput(String(bytes)));
  child.stderr?.on('data', (bytes) => {
    said += bytes;
  });
  t.after(async () => {
    child.kill('SIGKILL');
    if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
    rmSync(directory, { recursive: true });
  });
  const limit_ms = performance.now() + PATIENCE_MS;
  for (const port of ports) {
    for (; !(await accepts(port)); await rest(20)) {
      assert.ok(performance.now() < limit_ms && child.exitCode === null, `haproxy does not listen: ${said}`);
    }
  }
  return ports;
}

async function accepts(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1');
  const connected = await Promise.race([
    once(socket, 'connect').then(() => true),
    once(socket, 'close').then(() => false),
  ]).catch(() => false);
  socket.destroy();
  return connected;
}
