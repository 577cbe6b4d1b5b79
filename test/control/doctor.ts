/** `carpool doctor` as the tests run it: on a host of namespaces, with its findings as data. */
import { spawn } from 'node:child_process';
import type { Finding } from '#src/control/doctor/finding.js';
import { BOUND_MS, type Host, MAIN } from './host.js';

export const VIP = '10.10.0.1';
export const CARP = `carp web
    interface ctl0
    vhid 1
    pass "secret"
    address ${VIP}/16
    advskew 10
`;

/** `carpool doctor --json WORDS`, while the rest of the test goes on. */
export async function doctor(host: Host, ...words: string[]): Promise<{ status: number; findings: Finding[] }> {
  const argv = [MAIN, 'doctor', '--json', '--seconds', '0.6', '--socket', host.socket, ...words];
  const child = host.inside(() =>
    spawn(process.execPath, argv, { stdio: ['ignore', 'pipe', 'inherit'], timeout: BOUND_MS }),
  );
  let text = '';
  child.stdout.setEncoding('utf8').on('data', (piece) => {
    text += piece;
  });
  const status = await new Promise<number>((resolve) => child.once('close', (code) => resolve(code ?? -1)));
  return { status, findings: JSON.parse(text).findings };
}

export async function codesOf(host: Host, ...words: string[]): Promise<string[]> {
  return (await doctor(host, ...words)).findings.map(({ code }) => code);
}
