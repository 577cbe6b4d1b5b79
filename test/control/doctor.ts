/** `carpool doctor` as the tests run it: on a host of namespaces, with its findings as data. */
import { spawn } from 'node:child_process';
import type { Finding } from '#src/control/doctor/finding.js';
import { PATIENCE_MS } from '../helpers/patience.js';
import { type Host, MAIN } from './host.js';

/** Of the doctor, 0.6 s each. */
const LOOKS = 5;
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
    spawn(process.execPath, argv, { stdio: ['ignore', 'pipe', 'inherit'], timeout: PATIENCE_MS }),
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

/** The finding with that code, with what else was found if it is missing; on a busy machine a question may be answered too late. */
export async function find(host: Host, code: string, ...words: string[]): Promise<Finding> {
  for (let look = 1; ; look++) {
    const { findings } = await doctor(host, ...words);
    const found = findings.find((one) => one.code === code);
    if (found !== undefined) return found;
    if (look === LOOKS) throw new Error(`no ${code} among ${JSON.stringify(findings)}`);
  }
}

/** Does what the mend says, with the commands that stand in it. */
export function apply(host: Host, { mend }: Finding): void {
  const command = /(?:^|: )((?:sysctl|ip) [^(]*)/.exec(mend)?.[1];
  if (command === undefined) throw new Error(`no command in: ${mend}`);
  const { status, stderr } = host.runProgram('sh', '-ec', command);
  if (status !== 0) throw new Error(`${command}: ${stderr}`);
}
