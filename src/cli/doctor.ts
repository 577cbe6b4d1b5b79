/** `carpool doctor`: looks at the live segment, this host and the running daemon, and says what is wrong and how to mend it. */

import { join } from 'node:path';
import { createAuth } from '../carp/auth.ts';
import type { VhidSettings } from '../carp/events.ts';
import { type Diagnostic, formatDiagnostics } from '../config/diagnostic.ts';
import { loadFiles } from '../config/files.ts';
import type { Config } from '../config/model.ts';
import { ask } from '../control/control-client.ts';
import { diagnose } from '../control/doctor/diagnose.ts';
import type { DoctorFacts, DoctorVhid } from '../control/doctor/facts.ts';
import { type Finding, renderFinding } from '../control/doctor/finding.ts';
import { gatherHostFacts } from '../control/doctor/host-facts.ts';
import { listenTo } from '../control/doctor/listen.ts';
import { socketPaths } from '../control/socket-path.ts';
import type { StatusReport, VhidReport } from '../control/status-report.ts';
import { checkCarpHost } from '../system/carp-host.ts';
import { Netlink } from '../system/netlink.ts';
import { complain } from './complain.ts';

type DoctorWords = {
  readonly files: readonly string[];
  /** How long to listen; undefined: long enough for three adverts. */
  readonly seconds: number | undefined;
  readonly json: boolean;
  readonly socket: string | undefined;
};

const LONGEST_LISTEN_S = 60;
const ADVERTS_TO_HEAR = 3.5;

/** How often it listens while nodes change their state under its eyes. */
const TRIES = 2;

/** `words` are those behind `doctor`. Resolves to the exit status: 0 when nothing is wrong, else 1. */
export async function doctor(words: readonly string[]): Promise<number> {
  const parsed = parseDoctorWords(words);
  return typeof parsed === 'string' ? complain(parsed) : examine(parsed);
}

/** A sentence when the words are wrong. */
function parseDoctorWords(words: readonly string[]): DoctorWords | string {
  const files: string[] = [];
  let seconds: number | undefined;
  let socket: string | undefined;
  for (let i = 0; i < words.length; i++) {
    const word = words[i]!;
    if (word === '--json') continue;
    if (!['-f', '--seconds', '--socket'].includes(word))
      return `"doctor" takes -f FILE, --seconds N, --json and --socket PATH, not "${word}".`;
    const value = words[++i];
    if (value === undefined || value === '') return `${word} wants a value after it.`;
    if (word === '-f') files.push(value);
    else if (word === '--socket') socket = value;
    else if (/^\d{1,2}(\.\d)?$/.test(value) && Number(value) <= LONGEST_LISTEN_S) seconds = Number(value);
    else return `--seconds wants a number from 0 to ${LONGEST_LISTEN_S}, and "${value}" is none.`;
  }
  return { files, seconds, json: words.includes('--json'), socket };
}

async function examine(words: DoctorWords): Promise<number> {
  const { daemon, is_forbidden } = await askStatus(words.socket);
  if (is_forbidden && words.files.length === 0) return 1;
  const { config, diagnostics } = load(words.files, daemon);
  if (words.files.length > 0 && config === undefined) {
    for (const { text } of formatDiagnostics(diagnostics)) process.stderr.write(`${text}\n`);
    return 1;
  }
  const checked = config === undefined ? undefined : checkCarpHost(config);
  const vhids = config === undefined ? vhidsOfDaemon(daemon) : vhidsOf(config, checked!.vhids, daemon);
  const facts = await gather(vhids, daemon, words);
  const refused = (checked?.diagnostics ?? []).map(findingOf);
  // both look whether the interface is there
  const found = diagnose(facts).filter(({ message }) => !refused.some((one) => one.message === message));
  const findings = [...found, ...refused];
  process.stdout.write(words.json ? renderJson(facts, findings) : renderText(facts, findings));
  return findings.some(({ severity }) => severity !== 'hint') ? 1 : 0;
}

type Asked = {
  readonly daemon: StatusReport | undefined;
  /** There is one, which this user may not talk to; then that has been said. */
  readonly is_forbidden: boolean;
};

async function askStatus(socket: string | undefined): Promise<Asked> {
  let text = '';
  const result = await ask(socketPaths(socket, process.env), 'status --json', (piece) => {
    text += piece;
  });
  const is_forbidden = result.kind === 'forbidden';
  if (is_forbidden)
    process.stderr.write(`carpool: This user may not talk to the daemon on ${result.path}; try it with sudo.\n`);
  return { daemon: result.kind === 'answered' ? (JSON.parse(text) as StatusReport) : undefined, is_forbidden };
}

/** The files that were named, else those of the daemon, if they may be read and still are right. */
function load(files: readonly string[], daemon: StatusReport | undefined) {
  if (files.length > 0) return loadFiles(files, { env: process.env });
  if (daemon === undefined || daemon.files.length === 0) return { config: undefined, diagnostics: [] };
  return loadFiles(
    daemon.files.map((file) => (file.startsWith('/') ? file : join(`/proc/${daemon.pid}/cwd`, file))),
    { env: process.env },
  );
}

async function gather(
  vhids: readonly DoctorVhid[],
  daemon: StatusReport | undefined,
  { seconds, socket }: DoctorWords,
): Promise<DoctorFacts> {
  const netlink = new Netlink();
  try {
    const slowest_s = Math.max(0, ...vhids.map(({ advbase }) => advbase + 1));
    const listen_s = seconds ?? Math.min(LONGEST_LISTEN_S, ADVERTS_TO_HEAR * slowest_s);
    for (let tries = TRIES; ; tries--) {
      const segment = await listenTo(vhids, netlink.listLinks(), netlink.listAddresses(), listen_s * 1000);
      // what holds now, after the listening, and what the daemon says of the same moment
      const host = gatherHostFacts(netlink.listLinks(), netlink.listAddresses());
      const now = daemon && (await askStatus(socket)).daemon;
      // adverts of before and the state of after would tell of two masters where one gave way to the other
      if (tries > 1 && now?.vhids.some(({ since_s }) => since_s < segment.listened_s)) continue;
      const live = (name: string) => now?.vhids.find((one) => one.name === name);
      return { daemon: now, vhids: vhids.map((vhid) => ({ ...vhid, live: live(vhid.name) })), host, segment };
    }
  } finally {
    netlink.close();
  }
}

function vhidsOf(
  config: Config,
  settings: readonly VhidSettings[],
  daemon: StatusReport | undefined,
): readonly DoctorVhid[] {
  return config.carps.flatMap((carp) => {
    const live = daemon?.vhids.find(({ name }) => name === carp.name);
    const own = settings.find((one) => one.vhid === carp.vhid && (carp.interface ?? one.interface) === one.interface);
    const link = own?.interface ?? live?.interface ?? carp.interface;
    if (link === undefined) return [];
    const addresses = carp.addresses.map(({ address }) => address);
    const auth = createAuth({
      key: new TextEncoder().encode(carp.pass),
      vhid: carp.vhid,
      addresses,
      order: 'sorted',
      link_locals: carp.hash_link_locals,
      also: own?.also_accept ?? [],
    });
    const { name, vhid, advbase, advskew, mac, peers } = carp;
    return [
      {
        name,
        vhid,
        interface: link,
        addresses,
        advbase,
        advskew,
        mac,
        unicast: peers.length > 0,
        group: carp.multicast_address,
        auth,
        live,
      },
    ];
  });
}

function vhidsOfDaemon(daemon: StatusReport | undefined): readonly DoctorVhid[] {
  return (daemon?.vhids ?? []).map((live: VhidReport) => {
    const { name, vhid, interface: link, advbase, advskew } = live;
    const addresses = live.addresses.map((address) => address.split('/')[0]!);
    const unknown = { mac: 'real', unicast: false, group: undefined, auth: undefined } as const;
    return { name, vhid, interface: link, addresses, advbase, advskew, live, ...unknown };
  });
}

/** What the start of the daemon would say of this host, in the doctor's form. */
function findingOf({ severity, code, message, mend }: Diagnostic): Finding {
  return { severity, code, vhid: undefined, message, mend: mend ?? '' };
}

function renderJson({ segment, vhids }: DoctorFacts, findings: readonly Finding[]): string {
  const { listened_s, frames, answers } = segment;
  const looked_at = vhids.map(({ name, vhid, interface: link }) => ({ name, vhid, interface: link }));
  return `${JSON.stringify({ vhids: looked_at, listened_s, heard: frames, answers, findings })}\n`;
}

function renderText({ daemon, vhids, segment }: DoctorFacts, findings: readonly Finding[]): string {
  const lines = vhids.map(
    (vhid) => `${vhid.name}: vhid ${vhid.vhid} on ${vhid.interface}, ${describeHeard(vhid, segment)}\n`,
  );
  if (vhids.length === 0 && daemon !== undefined) lines.push('The daemon has no vhids to look at.\n');
  else if (vhids.length === 0)
    lines.push('No vhid to look at: name a file (carpool doctor -f FILE), or start the daemon.\n');
  const wrong = findings.filter(({ severity }) => severity !== 'hint').length;
  const nothing = vhids.length === 0 ? 'Nothing is wrong with this host.' : 'Nothing is wrong.';
  const verdict = wrong === 0 ? nothing : `${wrong} ${wrong === 1 ? 'thing is' : 'things are'} wrong.`;
  return [...lines, '\n', ...findings.map(renderFinding), findings.length > 0 ? '\n' : '', `${verdict}\n`].join('');
}

function describeHeard(vhid: DoctorVhid, { frames, listened_s }: DoctorFacts['segment']): string {
  const state = vhid.live === undefined ? '' : `${vhid.live.state} here; `;
  const mine = frames.filter((one) => one.interface === vhid.interface && one.vhid === vhid.vhid);
  const sources = [...new Set(mine.map(({ source }) => source))];
  const counts = sources.map((source) => `${mine.filter((one) => one.source === source).length} of ${source}`);
  return `${state}heard in ${listened_s} s: ${counts.length > 0 ? `adverts ${counts.join(', ')}` : 'nothing'}`;
}
