/**
 * Reads a scenario from its text. The grammar (docs/reference/scenarios.md has it with examples):
 *
 *   title    TEXT
 *   seed     1                         of the dice of `delay` and `repeat`
 *   network  10.10.0.0/16
 *   node     NAME ADDRESS              a machine that runs carpool
 *       file NAME                      its configuration; the deeper lines that follow are the file's text
 *           …
 *   node     NAME ADDRESS ucarp        a machine that runs the real ucarp
 *       arguments -v 1 -p PASSWORD -a VIP …      or `file interfaces` with Debian's stanza
 *   node     NAME ADDRESS ucarp or carpool        ucarp where it is installed
 *   web      NAME ADDRESS [port N]     an HTTP server
 *   client   NAME ADDRESS
 *       probe VIP [every 10 ms]
 *       request URL [every 20 ms] [timeout 2 s]
 *   steps
 *       …                              one step a line, see scenario-steps.ts
 *
 * Indentation says what belongs to what; # begins a comment. Mistakes come back as diagnostics.
 */
import type { Diagnostic, Span } from '../config/diagnostic.ts';
import { loadConfig } from '../config/load.ts';
import { ucarpArguments } from '../config/ucarp/arguments.ts';
import { findMistakes, readFile } from './embedded-files.ts';
import type { Client, ConfigurationFile, Host, Network, Node, Probe, Request, Scenario, Step } from './scenario.ts';
import { parseStep, takesBlock } from './scenario-steps.ts';
import { isAddress, type Line, LineReader, lineText, scenarioDiagnostic, splitLines } from './scenario-words.ts';

/** `scenario` is undefined exactly when there is an error among the diagnostics. */
export type ParsedScenario = { readonly scenario: Scenario | undefined; readonly diagnostics: readonly Diagnostic[] };

export function parseScenario(file: string, text: string): ParsedScenario {
  const draft: Draft = {
    file,
    title: '',
    seed: DEFAULT_SEED,
    network: DEFAULT_NETWORK,
    hosts: [],
    step_lines: [],
    diagnostics: [],
  };
  for (const section of splitSections(text, draft)) parseSection(section, draft);
  const steps = parseSteps(draft);
  checkWhole(draft, steps);
  const { title, seed, network, hosts, diagnostics } = draft;
  const scenario = { name: scenarioName(file), title, seed, network, hosts, steps, file };
  return { scenario: diagnostics.length === 0 ? scenario : undefined, diagnostics };
}

const DEFAULT_NETWORK: Network = { address: '10.10.0.0', prefix_length: 16 };
const DEFAULT_SEED = 1;
const SECTIONS = ['title', 'seed', 'network', 'node', 'web', 'client', 'steps'] as const;
/** probe.ts gives each of them an identifier of its own. */
const MAX_PROBES = 16;
const DEFAULT_PROBE_MS = 10;
const DEFAULT_REQUEST_MS = 20;
const DEFAULT_TIMEOUT_MS = 2000;
const DEFAULT_PORT = 8080;

type Draft = {
  readonly file: string;
  title: string;
  seed: number;
  network: Network;
  readonly hosts: Host[];
  step_lines: readonly Line[];
  readonly diagnostics: Diagnostic[];
};

/** A line that stands at the margin, and the indented lines under it. */
type Section = { readonly head: Line; readonly body: readonly Line[] };

function splitSections(text: string, draft: Draft): Section[] {
  const sections: { head: Line; body: Line[] }[] = [];
  for (const line of splitLines(text)) {
    if (line.words.length > 0 && line.indent === 0) sections.push({ head: line, body: [] });
    else if (sections.length > 0) sections.at(-1)!.body.push(line);
    else if (line.words.length > 0)
      reader(draft, line).fail('indented', 'the first line of a scenario is not indented');
  }
  return sections;
}

function parseSection(section: Section, draft: Draft): void {
  const words = reader(draft, section.head);
  const kind = words.oneOf('a section of a scenario', SECTIONS, 'unknown-section');
  if (kind === 'title') draft.title = words.line.raw.slice('title'.length).trim();
  else if (kind === 'seed') draft.seed = parseSeed(words) ?? draft.seed;
  else if (kind === 'network') draft.network = parseNetwork(words) ?? draft.network;
  else if (kind === 'steps') draft.step_lines = words.end() ? section.body : [];
  else if (kind !== undefined) parseHost(kind, words, section.body, draft);
  if (kind === 'title' || kind === 'seed' || kind === 'network' || kind === 'web') refuseBody(section, draft);
}

function refuseBody(section: Section, draft: Draft): void {
  const line = section.body.find((each) => each.words.length > 0);
  if (line) reader(draft, line).fail('indented', `nothing can stand under \`${section.head.words[0]!.text}\``);
}

function parseSeed(words: LineReader): number | undefined {
  const seed = words.integer('a seed', 0, 2 ** 32 - 1);
  return words.end() ? seed : undefined;
}

function parseNetwork(words: LineReader): Network | undefined {
  const [address = '', length = ''] = (words.peek() ?? '').split('/');
  if (!isAddress(address) || !/^\d{1,2}$/.test(length) || Number(length) < 8 || Number(length) > 30) {
    return words.fail(
      'bad-network',
      'a network is an IPv4 address and a prefix length from 8 to 30',
      'network 10.10.0.0/16',
    );
  }
  words.any('the network');
  return words.end() ? { address, prefix_length: Number(length) } : undefined;
}

function parseHost(kind: Host['kind'], words: LineReader, body: readonly Line[], draft: Draft): void {
  const span = words.span();
  const name = words.any('the name of the host');
  if (name !== undefined && !/^[a-z][a-z0-9-]{0,31}$/.test(name)) {
    words.fail('bad-name', `a host's name is of a-z, 0-9 and -, begins with a letter, and is not \`${name}\``);
  }
  if (draft.hosts.some((host) => host.name === name)) words.fail('name-twice', `there is a host \`${name}\` already`);
  const address = words.address("the host's address");
  if (draft.hosts.some((host) => host.address === address)) words.fail('address-twice', `${address} is given twice`);
  if (name === undefined || address === undefined) return;
  const common = { name, address, span };
  if (kind === 'node') parseNode(common, words, body, draft);
  else if (kind === 'client') parseClient(common, words, body, draft);
  else parseWeb(common, words, draft);
}

type Common = { readonly name: string; readonly address: string; readonly span: Span };

function parseWeb(common: Common, words: LineReader, draft: Draft): void {
  const port = words.take('port') ? words.integer('a port', 1, 65535) : DEFAULT_PORT;
  if (words.end() && port !== undefined) draft.hosts.push({ kind: 'web', ...common, port });
}

function parseNode(common: Common, words: LineReader, body: readonly Line[], draft: Draft): void {
  const runs = parseProgram(words);
  words.end();
  const files: ConfigurationFile[] = [];
  const ucarp_arguments: string[] = [];
  for (let index = 0; index < body.length; index++) {
    const line = body[index]!;
    if (line.words.length === 0) continue;
    const each = reader(draft, line);
    if (each.oneOf('a word for a node', runs === 'ucarp' ? ['arguments', 'file'] : ['file']) === 'file') {
      const end = endOfBlock(body, index);
      parseFile(each, body.slice(index + 1, end), files);
      index = end - 1;
    } else if (each.peek() !== undefined) {
      ucarp_arguments.push(...lineText(line).split(/\s+/).slice(1));
    }
  }
  if (runs !== 'carpool' && files.length > 0) ucarp_arguments.push(...argumentsIn(files));
  const node: Node = { kind: 'node', ...common, runs, files, ucarp_arguments };
  draft.hosts.push(node);
  if (files.length + ucarp_arguments.length === 0) {
    const mend = runs === 'ucarp' ? 'arguments -v 1 -p PASSWORD -a 10.10.0.1' : 'file haproxy.cfg';
    words.fail('no-configuration', `${common.name} has no configuration`, `write under it, indented: ${mend}`);
  }
  if (files.length > 0) draft.diagnostics.push(...findMistakes(node, draft.file));
}

function parseProgram(words: LineReader): Node['runs'] {
  if (words.take('ucarp', 'or', 'carpool')) return 'either';
  if (words.take('ucarp')) return 'ucarp';
  words.take('carpool');
  return 'carpool';
}

/** What Debian's hook makes of the first stanza. */
function argumentsIn(files: readonly ConfigurationFile[]): string[] {
  const { config } = loadConfig(files.map(({ name, text }) => ({ file: name, text })));
  const [carp] = config?.carps ?? [];
  return carp === undefined ? [] : ucarpArguments(carp);
}

/** The index of the first line after `index` that is not deeper than that line. */
function endOfBlock(lines: readonly Line[], index: number): number {
  const isOutside = (line: Line) => line.raw.trim() !== '' && line.indent <= lines[index]!.indent;
  const offset = lines.slice(index + 1).findIndex(isOutside);
  return offset < 0 ? lines.length : index + 1 + offset;
}

function parseFile(words: LineReader, block: readonly Line[], files: ConfigurationFile[]): void {
  const name = words.any("the file's name");
  if (name === undefined) return;
  if (!/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/.test(name)) words.fail('bad-name', `\`${name}\` is no plain file name`);
  const file = readFile(words, name, block);
  if (files.some((one) => one.name === name)) words.fail('name-twice', `${name} is given twice`);
  if (words.end() && file) files.push(file);
}

function parseClient(common: Common, words: LineReader, body: readonly Line[], draft: Draft): void {
  words.end();
  const probes: Probe[] = [];
  const requests: Request[] = [];
  for (const line of body) {
    if (line.words.length === 0) continue;
    const each = reader(draft, line);
    const kind = each.oneOf('a word for a client', ['probe', 'request']);
    if (kind === 'probe') parseProbe(each, probes);
    else if (kind === 'request') parseRequest(each, requests);
  }
  const client: Client = { kind: 'client', ...common, probes, requests };
  if (draft.hosts.some((host) => host.kind === 'client')) words.fail('client-twice', 'a scenario has one client');
  draft.hosts.push(client);
}

function parseProbe(words: LineReader, probes: Probe[]): void {
  const vip = words.address('the address to probe');
  const every_ms = words.take('every') ? words.duration('the time between probes') : DEFAULT_PROBE_MS;
  if (probes.length === MAX_PROBES) words.fail('too-many-probes', `a client probes at most ${MAX_PROBES} addresses`);
  if (words.end() && vip !== undefined && every_ms !== undefined) probes.push({ vip, every_ms });
}

function parseRequest(words: LineReader, requests: Request[]): void {
  const url = words.any('the URL');
  if (url !== undefined && !/^http:\/\/\d+\.\d+\.\d+\.\d+(:\d+)?(\/\S*)?$/.test(url)) {
    words.fail('bad-url', `\`${url}\` is not of the form http://ADDRESS[:PORT]/PATH`);
  }
  const every_ms = words.take('every') ? words.duration('the time between requests') : DEFAULT_REQUEST_MS;
  const timeout_ms = words.take('timeout') ? words.duration("a request's time limit") : DEFAULT_TIMEOUT_MS;
  if (!words.end() || url === undefined || every_ms === undefined || timeout_ms === undefined) return;
  requests.push({ url, every_ms, timeout_ms });
}

function parseSteps(draft: Draft): Step[] {
  const steps: Step[] = [];
  const lines = draft.step_lines;
  for (let index = 0; index < lines.length; ) {
    const line = lines[index]!;
    // a file's text below it
    const end = takesBlock(line) ? endOfBlock(lines, index) : index + 1;
    const step = line.words.length > 0 && parseStep(reader(draft, line), lines.slice(index + 1, end), draft.hosts);
    if (step) steps.push(step);
    index = end;
  }
  return steps;
}

/** What no single line shows. */
function checkWhole(draft: Draft, steps: readonly Step[]): void {
  const span = { file: draft.file, line: 1, column: 1, end_column: 1 };
  const note = (code: string, message: string) => draft.diagnostics.push(scenarioDiagnostic(code, message, span));
  if (draft.diagnostics.length > 0) return;
  if (steps.length === 0) note('no-steps', 'there are no steps: write a section `steps`');
  else if (!steps.some((step) => step.does.kind === 'expect')) note('no-expectation', 'no step expects anything');
  const outside = draft.hosts.find((host) => !isInside(host.address, draft.network));
  if (outside) {
    const { address, prefix_length } = draft.network;
    const message = `${outside.name} (${outside.address}) is outside the network ${address}/${prefix_length}`;
    draft.diagnostics.push(scenarioDiagnostic('outside-network', message, outside.span));
  }
}

function isInside(address: string, network: Network): boolean {
  const shift = 32 - network.prefix_length;
  const number = (text: string) => text.split('.').reduce((sum, part) => sum * 256 + Number(part), 0);
  return number(address) >>> shift === number(network.address) >>> shift;
}

function reader(draft: Draft, line: Line): LineReader {
  return new LineReader(draft.file, line, draft.diagnostics);
}

/** `scenarios/host-death.scenario` is `host-death`. */
function scenarioName(file: string): string {
  return (file.split('/').at(-1) ?? file).replace(/\.scenario$/, '');
}
