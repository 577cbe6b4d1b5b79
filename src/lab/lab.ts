/**
 * `carpool lab`: plays a scenario in namespaces of its own, so that nothing of this host is touched.
 *
 *   carpool lab ── unshare ── inside.js (root and process 1 of its namespaces) ── nodes, web servers, client
 *
 * When inside.js ends, however it ends, the kernel kills what still runs in there; the directory is removed here.
 */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { formatDiagnostic } from '../config/diagnostic.ts';
import { suggest } from '../config/suggest.ts';
import { findProgram } from './programs.ts';
import { enterNamespaces } from './sandbox.ts';
import type { Scenario, SwitchChange } from './scenario.ts';
import { parseScenario } from './scenario-parser.ts';

export type LabOptions = {
  /** A scenario's name, or the path of a file. */
  readonly scenario: string;
  /** One JSON object on standard output; the timeline goes to standard error. */
  readonly json: boolean;
};

/** Returns the exit status: 0 exactly when all expectations held. */
export async function runLab(options: LabOptions): Promise<number> {
  const file = findScenario(options.scenario);
  if (file === undefined) return complain(unknownScenario(options.scenario));
  const read = readScenario(file);
  if (typeof read === 'string') return complain(read);
  const missing = missingPrograms(read);
  if (missing !== undefined) return complain(missing);
  const directory = mkdtempSync(join(tmpdir(), 'carpool-lab-'));
  try {
    const result = await enterNamespaces(insideEntry(), [file, directory, options.json ? '--json' : '--text']);
    return typeof result === 'string' ? complain(result) : result;
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

/** The names and titles of the scenarios that come with the program. */
export function listScenarios(): { name: string; title: string }[] {
  return scenarioNames().map((name) => {
    const file = join(scenarioDirectory(), `${name}.scenario`);
    return { name, title: parseScenario(file, readFileSync(file, 'utf8')).scenario?.title ?? '' };
  });
}

/** The parsed scenario, or what is wrong with it, for people. */
export function readScenario(file: string): Scenario | string {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    return `carpool: The scenario ${file} cannot be read: ${whyUnreadable((error as NodeJS.ErrnoException).code)}.`;
  }
  const { scenario, diagnostics } = parseScenario(file, text);
  return scenario ?? diagnostics.map(formatDiagnostic).join('\n');
}

/** In words for people. */
export function whyUnreadable(errno = ''): string {
  const words: Record<string, string> = {
    ENOENT: 'there is no such file',
    EISDIR: 'it is a directory',
    EACCES: 'this user may not read it',
  };
  return words[errno] ?? errno;
}

/** A word is a scenario of the program's own, anything with a slash or the ending is a file. */
function findScenario(name: string): string | undefined {
  if (name.includes('/') || name.endsWith('.scenario')) return name;
  return scenarioNames().includes(name) ? join(scenarioDirectory(), `${name}.scenario`) : undefined;
}

function unknownScenario(name: string): string {
  const near = suggest(name, scenarioNames());
  const mend = near ? `Did you mean "${near}"?` : `There are: ${scenarioNames().join(', ')}.`;
  return `carpool: There is no scenario "${name}". ${mend}`;
}

function scenarioNames(): string[] {
  return readdirSync(scenarioDirectory())
    .filter((file) => file.endsWith('.scenario'))
    .map((file) => basename(file, '.scenario'))
    .sort();
}

function scenarioDirectory(): string {
  return fileURLToPath(new URL('../../scenarios', import.meta.url));
}

function insideEntry(): string {
  return fileURLToPath(new URL('inside.js', import.meta.url));
}

const DROPS: readonly SwitchChange['kind'][] = ['cut', 'heal', 'lose'];

/** The real ucarp needs itself, and `ip` for its scripts; nft drops frames. */
function missingPrograms({ name, hosts, steps }: Scenario): string | undefined {
  const plays_ucarp = hosts.some((host) => host.kind === 'node' && host.runs === 'ucarp');
  const drops = steps.some(
    ({ does }) =>
      (does.kind === 'switch' && DROPS.includes(does.change.kind)) || (does.kind === 'act' && does.verb === 'jam'),
  );
  const wanted = { ...(plays_ucarp ? { ucarp: 'ucarp', ip: 'iproute2' } : {}), ...(drops ? { nft: 'nftables' } : {}) };
  const packages = Object.entries(wanted)
    .filter(([program]) => findProgram(program) === undefined)
    .map(([, debian_package]) => debian_package);
  if (packages.length === 0) return undefined;
  return `carpool: the scenario ${name} needs what is not installed: apt-get install ${packages.join(' ')}`;
}

function complain(text: string): number {
  process.stderr.write(`${text}\n`);
  return 1;
}
