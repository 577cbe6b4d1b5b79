/**
 * A simulator's scenario as a scenario of the lab, which plays it on real namespaces: as far as the lab goes. What it
 * cannot do is left out, and named with the reason (`WHY`).
 */
import { AGREED, addressOf, FILE_NAME, LabFile } from './lab-file.ts';
import type { Fault, HostSettings, Kind, MemberSettings, Scenario } from './scenario.ts';

export type LabText = { readonly text: string; readonly left_out: readonly string[] };

/** `words`: the step, as the lab reads it. `host`: undefined for what happens to the switch. `block`: a file's lines below it. */
type Moment = {
  readonly at_ms: number;
  readonly verb: string;
  readonly host: string | undefined;
  readonly words: string;
  readonly block?: readonly string[];
  /** `needed`: only where it changes the file. */
  readonly reload?: { readonly change: typeof AGREED; readonly needed: boolean };
};

const SEGMENT = 0;
/** A switch that is well, and when all faults end. */
const QUIET = ['heal', 'lose 0 %', 'repeat 0 %', 'delay up to 0 ms', 'echo off'];
/** A wire of the simulator that is well (segment.ts), in ms: the lab's own is quicker. */
const CALM_DELAY_MS = 1;
/** From the end of the faults to the end of the scenario, at least. */
const WATCHED_MS = 15_000;
/** How long programs take to start, and a real machine to do what it is told. */
const SLACK_MS = 2000;
const PLAYABLE: readonly Kind[] = ['carpool', 'ucarp'];
const WHY = {
  drift: 'clocks that drift (all hosts of the lab have the clock of this machine)',
  segments: 'segments other than the first (the lab has one switch)',
  shared: 'shared addresses (the lab has one client, and who answers depends on the client)',
  ipv6: 'IPv6 alone (these vhids get an IPv4 address, too, for that is what the client probes)',
  second: "ucarp's second vhid (it has one)",
  demoted: 'demotions of ucarp (it knows none)',
  kernel: (kind: Kind) => `hosts that run ${kind} (all hosts of the lab have the kernel of this machine, a Linux)`,
} as const;

export function labText(scenario: Scenario): LabText {
  const left_out = new Set<string>();
  const hosts = scenario.hosts.filter((host) => isPlayable(host, left_out));
  const files = new Map(hosts.map((host) => [host.name, fileOf(host, scenario)]));
  const nodes = hosts.flatMap((host) => [...nodeLines(host, scenario, files.get(host.name)!, left_out), '']);
  const moments = momentsOf(scenario, hosts, files, left_out);
  const lines = [
    `title    seed ${scenario.seed} of the simulator`,
    `seed     ${scenario.seed >>> 0}`,
    '',
    ...nodes,
    'client client 10.10.200.1',
    ...vhidsOf(hosts).map((vhid) => `    probe 10.10.255.${vhid}`),
    '',
    'steps',
    `    start ${[...hosts.map(({ name }) => name), 'client'].join(', ')}`,
    ...moments.flatMap(stepLines),
    `    wait ${watched_ms(hosts)} ms`,
    ...expectations(scenario, hosts, files, moments),
    '',
  ];
  return { text: lines.join('\n'), left_out: [...left_out] };
}

function isPlayable(host: HostSettings, left_out: Set<string>): boolean {
  if (host.drift_ppm !== 0) left_out.add(WHY.drift);
  if (!PLAYABLE.includes(host.kind)) left_out.add(WHY.kernel(host.kind));
  if (host.members.some(({ segment }) => segment !== SEGMENT)) left_out.add(WHY.segments);
  return PLAYABLE.includes(host.kind) && host.members.some(({ segment }) => segment === SEGMENT);
}

function numberOf(host: HostSettings, { hosts }: Scenario): number {
  return hosts.indexOf(host) + 1;
}

function fileOf(host: HostSettings, scenario: Scenario): LabFile {
  return new LabFile(host, numberOf(host, scenario), scenario.hosts.length, SEGMENT);
}

function nodeLines(host: HostSettings, scenario: Scenario, file: LabFile, left_out: Set<string>): string[] {
  const address = addressOf(numberOf(host, scenario));
  const members = playedMembers(host);
  if (members.some(({ families }) => families === 6)) left_out.add(WHY.ipv6);
  if (members.some(({ shared }) => shared)) left_out.add(WHY.shared);
  if (host.kind === 'ucarp') {
    if (host.members.filter(({ segment }) => segment === SEGMENT).length > 1) left_out.add(WHY.second);
    return [`node ${host.name} ${address} ucarp`, `    arguments ${ucarpArguments(members[0])}`];
  }
  return [`node ${host.name} ${address}`, `    file ${FILE_NAME}`, ...file.lines.map((line) => `        ${line}`)];
}

function ucarpArguments({ vhid, advbase, advskew, preempt }: MemberSettings): string {
  return `-v ${vhid} -p simulated -a 10.10.255.${vhid} -b ${advbase} -k ${advskew}${preempt ? ' -P' : ''}`;
}

/** What the lab does, in order of time. A host does only what it can at that moment: the lab refuses the rest. */
function momentsOf(
  scenario: Scenario,
  hosts: readonly HostSettings[],
  files: ReadonlyMap<string, LabFile>,
  left_out: Set<string>,
): Moment[] {
  const names = new Set(hosts.map(({ name }) => name));
  const planned = scenario.faults.flatMap((fault) =>
    translate(fault, names).filter(({ verb, host }) => {
      const is_carpool = hosts.find(({ name }) => name === host)?.kind === 'carpool';
      if (verb === 'tell' && !is_carpool) left_out.add(WHY.demoted);
      return is_carpool || (verb !== 'tell' && verb !== 'reload');
    }),
  );
  for (const name of names)
    for (const verb of ['thaw', 'plug', 'rejoin', 'unjam']) planned.push(act(scenario.calm_ms, verb, name));
  if (scenario.faults.some(({ kind }) => kind === 'reload'))
    for (const { name, kind } of hosts)
      if (kind === 'carpool') planned.push(reload(scenario.calm_ms, name, AGREED, true));
  planned.push(...QUIET.map((words) => ofSwitch(scenario.calm_ms, words)));
  const states = new Map([...names].map((name) => [name, { ...WELL }]));
  const wires = new Map(QUIET.map((words) => [verbOf(words), words]));
  return planned
    .sort((a, b) => a.at_ms - b.at_ms)
    .flatMap((moment) => {
      if (moment.host === undefined) return changes(moment, wires) ? [moment] : [];
      return whatHappens(moment, states.get(moment.host)!, files.get(moment.host)!);
    });
}

/** What is left of it on a host in that state, and the new file that comes before it. */
function whatHappens(moment: Moment, state: HostState, file: LabFile): Moment[] {
  const { verb, at_ms, host, reload } = moment;
  const was_alive = state.alive;
  const goes = happens(verb, state);
  const is_new = reload ? file.reload(reload.change) : goes && verb === 'start' && !was_alive && file.boot();
  const words = `write ${host} ${FILE_NAME}`;
  const written = is_new ? [{ at_ms, verb: 'write', host, words, block: file.lines }] : [];
  return goes && (is_new || !reload?.needed) ? [...written, moment] : written;
}

function stepLines({ at_ms, words, block = [] }: Moment): string[] {
  return [`    at ${at_ms} ms ${words}`, ...block.map((line) => `        ${line}`)];
}

function act(at_ms: number, verb: string, host: string): Moment {
  return { at_ms, verb, host, words: `${verb} ${host}` };
}

function tell(at_ms: number, host: string, command: string): Moment {
  return { at_ms, verb: 'tell', host, words: `tell ${host} ${command}` };
}

function reload(at_ms: number, host: string, change: typeof AGREED, needed: boolean): Moment {
  return { ...act(at_ms, 'reload', host), reload: { change, needed } };
}

function ofSwitch(at_ms: number, words: string): Moment {
  return { at_ms, verb: verbOf(words), host: undefined, words };
}

function verbOf(words: string): string {
  return words.split(' ')[0];
}

/** Of hosts that are played. */
function cut({ at_ms, from, to, family }: Fault & { kind: 'cut' }, names: ReadonlySet<string>): Moment[] {
  if (from === to || ![from, to].every((one) => one === '*' || names.has(one))) return [];
  const called = (one: string): string => (one === '*' ? 'all' : one);
  const over = family === undefined ? '' : ` over IPv${family}`;
  return [ofSwitch(at_ms, `cut ${called(from)} to ${called(to)}${over}`)];
}

function translate(fault: Fault, names: ReadonlySet<string>): Moment[] {
  const { at_ms } = fault;
  const verbs = {
    crash: 'crash',
    kill: 'kill',
    stop: 'stop',
    restart: 'start',
    part: 'isolate',
    strip: 'strip',
  } as const;
  if ('segment' in fault && fault.segment !== SEGMENT) return [];
  if (fault.kind === 'heal') return [ofSwitch(at_ms, 'heal'), ...[...names].map((host) => act(at_ms, 'rejoin', host))];
  if (fault.kind === 'cut') return cut(fault, names);
  if (fault.kind === 'echo') return [ofSwitch(at_ms, fault.on === 'yes' ? 'echo on' : 'echo off')];
  if (fault.kind === 'network') {
    const { loss_percent, duplicate_percent, delay_ms } = fault;
    const delay = delay_ms <= CALM_DELAY_MS ? 0 : delay_ms;
    const words = [`lose ${loss_percent} %`, `repeat ${duplicate_percent} %`, `delay up to ${delay} ms`];
    return words.map((one) => ofSwitch(at_ms, one));
  }
  if (!('host' in fault) || !names.has(fault.host)) return [];
  const { host } = fault;
  if (fault.kind === 'link') return [act(at_ms, fault.up === 'yes' ? 'plug' : 'unplug', host)];
  if (fault.kind === 'stall' || fault.kind === 'stall-in-pass')
    return [act(at_ms, 'freeze', host), act(at_ms + fault.for_ms, 'thaw', host)];
  if (fault.kind === 'unsendable') return [act(at_ms, 'jam', host), act(at_ms + fault.for_ms, 'unjam', host)];
  if (fault.kind === 'reload') return [reload(at_ms, host, fault, false)];
  if (fault.kind === 'demote') return [tell(at_ms, host, `demote ${fault.amount}`)];
  if (fault.kind === 'undemote') return [tell(at_ms, host, 'undemote')];
  const verb = (verbs as Partial<Record<Fault['kind'], string>>)[fault.kind];
  return verb === undefined ? [] : [act(at_ms, verb, host)];
}

const WELL = { alive: true, frozen: false, linked: true, heard: true, jammed: false };
type HostState = typeof WELL;
/** What the switch does, by the verb of the step that says so. */
type Wires = Map<string, string>;

/** Whether the switch does otherwise then; notes it. */
function changes({ verb, words }: Moment, wires: Wires): boolean {
  // cuts add up until they heal
  const key = verb === 'cut' ? 'heal' : verb;
  const is_new = verb === 'cut' || wires.get(key) !== words;
  wires.set(key, words);
  return is_new;
}

/** Whether it is possible then; notes what it leads to. */
function happens(verb: string, state: HostState): boolean {
  const before = JSON.stringify(state);
  if (verb === 'start') Object.assign(state, { alive: true });
  else if (verb === 'unplug' || verb === 'plug') state.linked = verb === 'plug';
  else if (verb === 'isolate' || verb === 'rejoin') state.heard = verb === 'rejoin';
  else if (verb === 'jam' || verb === 'unjam') state.jammed = verb === 'jam';
  else if (!state.alive) return false;
  // they change nothing of this; what stands still is told nothing, but heeds a signal when it goes on
  else if (verb === 'strip' || verb === 'tell' || verb === 'reload') return !state.frozen || verb !== 'tell';
  else if (verb === 'freeze' || verb === 'thaw') state.frozen = verb === 'freeze';
  // what stands still does not stop before it goes on, but dies
  else if (verb === 'stop' && state.frozen) return false;
  else Object.assign(state, { alive: false, frozen: false });
  return JSON.stringify(state) !== before;
}

/** Until all has settled (bounds.ts): the longest master-down time and three intervals. */
function watched_ms(hosts: readonly HostSettings[]): number {
  const members = hosts.flatMap((host) => playedMembers(host));
  const longest_s = Math.max(0, ...members.map(({ advbase }) => 6 * advbase + 4));
  return Math.max(WATCHED_MS, 1000 * longest_s + SLACK_MS);
}

/** In the end each address answers; and where only one can be MASTER then, it is. Of the dead: that they are. */
function expectations(
  scenario: Scenario,
  hosts: readonly HostSettings[],
  files: ReadonlyMap<string, LabFile>,
  moments: readonly Moment[],
): string[] {
  const dead = new Set<string>();
  for (const { verb, host } of moments) {
    if (host === undefined) continue;
    if (verb === 'start') dead.delete(host);
    if (['crash', 'kill', 'stop'].includes(verb)) dead.add(host);
  }
  const alive = hosts.filter(({ name }) => !dead.has(name));
  const vhids = vhidsOf(alive);
  if (vhids.length === 0) return [...dead].map((name) => `    expect ${name} has ended`);
  const even = !scenario.faults.some(({ kind }) => kind === 'demote');
  const sure = even && alive.every(({ kind }) => kind === 'carpool');
  return vhids.flatMap((vhid) => [
    `    expect 10.10.255.${vhid} answers`,
    ...(sure ? expectStates(alive, files, vhid) : []),
  ]);
}

function vhidsOf(hosts: readonly HostSettings[]): number[] {
  const members = hosts.flatMap((host) => playedMembers(host));
  return [...new Set(members.map(({ vhid }) => vhid))];
}

function playedMembers({ kind, members }: HostSettings): MemberSettings[] {
  const there = members.filter(({ segment }) => segment === SEGMENT);
  return kind === 'ucarp' ? there.slice(0, 1) : there;
}

/** Everybody preempts and has an interval of its own: so the shortest is MASTER. */
function expectStates(alive: readonly HostSettings[], files: ReadonlyMap<string, LabFile>, vhid: number): string[] {
  const members = alive.flatMap((host) =>
    files
      .get(host.name)!
      .members.filter((member) => member.vhid === vhid)
      .map(({ advbase, advskew, preempt, delay_ms = 0 }) => {
        return { name: host.name, sure: preempt && delay_ms === 0, rank: 256 * advbase + advskew };
      }),
  );
  members.sort((a, b) => a.rank - b.rank);
  const [best, second] = members;
  if (!best.sure || best.rank === second?.rank) return [];
  return members.map(({ name }) => `    expect ${name} is ${name === best.name ? 'MASTER' : 'BACKUP'} of ${vhid}`);
}
