/** dnsmasq on a free port of 127.0.0.1, over UDP and TCP: it knows what its hosts file has, and nobody else to ask. */
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { canConnect, until } from './balancers.js';
import { peerPath } from './peers.js';
import { freePort } from './ports.js';

export type Dnsmasq = {
  readonly port: number;
  /** `127.0.0.2 app.lan`, from now on. */
  setHosts(lines: readonly string[]): void;
  /** It is silent until SIGCONT. */
  signal(name: 'SIGSTOP' | 'SIGCONT'): void;
};

/** What dnsmasq is told besides where it listens and which hosts file it has. */
export const DNSMASQ_WORDS: readonly string[] = [
  '--keep-in-foreground',
  '--conf-file=/dev/null',
  '--no-resolv',
  '--no-hosts',
  '--user=root',
  '--pid-file=',
];

export async function startDnsmasq(t: TestContext, ...words: string[]): Promise<Dnsmasq> {
  const folder = mkdtempSync('/tmp/carpool-dnsmasq-');
  const hosts = join(folder, 'hosts');
  writeFileSync(hosts, '');
  const port = await freePort();
  const place = [`--port=${port}`, '--listen-address=127.0.0.1', '--bind-interfaces', `--addn-hosts=${hosts}`];
  const child = spawn(peerPath('dnsmasq'), [...DNSMASQ_WORDS, ...place, ...words], { stdio: 'ignore' });
  t.after(() => {
    child.kill('SIGKILL');
    rmSync(folder, { recursive: true });
  });
  // before that SIGHUP would end it
  await until('dnsmasq listens', () => canConnect(port));
  return {
    port,
    setHosts(lines) {
      writeFileSync(hosts, lines.map((line) => `${line}\n`).join(''));
      child.kill('SIGHUP');
    },
    signal: (name) => void child.kill(name),
  };
}
