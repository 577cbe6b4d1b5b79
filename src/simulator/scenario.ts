/**
 * One run as data, and as text that a person reads and a later run replays:
 *
 *     seed 42
 *     host a kind carpool drift_ppm 300 lease_s 4
 *     vhid 1 segment 0 advbase 1 advskew 0 preempt yes        <- of the host above
 *     at 1200 crash host a                                     <- ms since the start
 *     calm 9000                                                <- all faults end
 */

/** Whose rules a host runs. */
const KINDS = ['carpool', 'ucarp', 'freebsd', 'openbsd', 'freebsd9', 'netbsd'] as const;
export type Kind = (typeof KINDS)[number];

export type MemberSettings = {
  readonly vhid: number;
  /** Each segment is a wire of its own; a host has one interface on each that it uses. */
  readonly segment: number;
  readonly advbase: number;
  readonly advskew: number;
  readonly preempt: boolean;
  /** What follows is carpool's only, and the same for all members of a vhid. The addresses it has; default 4. */
  readonly families?: 4 | 6 | 46;
  /** To each host by itself, not to the group. */
  readonly unicast?: 'yes';
  /** All vhids of the segment share one address and its clients. */
  readonly shared?: 'yes';
  /** `openbsd-demote-byte`: demotions are told in byte 4. */
  readonly demote_byte?: 'yes';
  /** The preempt delay. */
  readonly delay_ms?: number;
};

/** What a `reload` changes. `secret` and `also` are positions in SECRETS (program.ts), -1 is nothing. */
export type Configured = MemberSettings & {
  readonly secret: number;
  readonly also: number;
  /** It is not in the configuration. */
  readonly absent: boolean;
};

export type HostSettings = {
  readonly name: string;
  readonly kind: Kind;
  /** How much faster its clock runs than the world's, in millionths; at most DRIFT_PPM_MAX either way. */
  readonly drift_ppm: number;
  readonly lease_s: number;
  readonly members: readonly MemberSettings[];
};

export const DRIFT_PPM_MAX = 1000;

/**
 * crash: the host dies. kill: its daemon does (SIGKILL). stop: gracefully. strip: a foreign hand deletes its VIPs.
 * A fault that does not apply (crashing what is dead) does nothing, so that any subset of a scenario is a scenario.
 */
export type Fault = { readonly at_ms: number } & (
  | { readonly kind: 'crash' | 'kill' | 'stop' | 'restart' | 'strip'; readonly host: string }
  /** SIGSTOP, and SIGCONT after `for_ms`. */
  | { readonly kind: 'stall' | 'unsendable'; readonly host: string; readonly for_ms: number }
  /** A stall until then that begins with its next pass: between what it reads and what it makes of silence. */
  | { readonly kind: 'stall-in-pass'; readonly host: string; readonly for_ms: number }
  | { readonly kind: 'link'; readonly host: string; readonly segment: number; readonly up: 'yes' | 'no' }
  /** One way only: what `from` sends does not reach `to`; '*' is everybody. `family`: of IPv4 or IPv6 alone. */
  | {
      readonly kind: 'cut';
      readonly segment: number;
      readonly from: string;
      readonly to: string;
      readonly family?: 4 | 6;
    }
  | { readonly kind: 'part' | 'heal'; readonly segment: number; readonly host: string }
  | {
      readonly kind: 'network';
      readonly segment: number;
      readonly loss_percent: number;
      readonly duplicate_percent: number;
      readonly delay_ms: number;
    }
  | { readonly kind: 'demote'; readonly host: string; readonly amount: number }
  | { readonly kind: 'undemote'; readonly host: string }
  /** A switch that sends frames back to where they came from. */
  | { readonly kind: 'echo'; readonly segment: number; readonly on: 'yes' | 'no' }
  /**
   * Another configuration for the live daemon (carpool only): password and VIP set, what is accepted beside it, another
   * advskew for all its vhids, and the position of the vhid that it does not have; -1 leaves things as they are.
   */
  | {
      readonly kind: 'reload';
      readonly host: string;
      readonly secret: number;
      readonly also: number;
      readonly advskew: number;
      readonly absent: number;
    }
);

export type Scenario = {
  readonly seed: number;
  readonly hosts: readonly HostSettings[];
  readonly faults: readonly Fault[];
  /** When all faults end: cuts heal, links come up, the network is quick, what stalls moves again, and passwords and VIP sets agree. Demotions stay. */
  readonly calm_ms: number;
};

export function formatScenario(scenario: Scenario): string {
  const lines = [`seed ${scenario.seed}`];
  for (const { name, members, ...rest } of scenario.hosts) {
    lines.push(`host ${name}${pairs(rest)}`);
    for (const { vhid, preempt, ...member } of members)
      lines.push(`vhid ${vhid}${pairs(member)} preempt ${preempt ? 'yes' : 'no'}`);
  }
  for (const { at_ms, kind, ...rest } of scenario.faults) lines.push(`at ${at_ms} ${kind}${pairs(rest)}`);
  return [...lines, `calm ${scenario.calm_ms}`, ''].join('\n');
}

function pairs(fields: Record<string, unknown>): string {
  return Object.entries(fields)
    .map(([name, value]) => ` ${name} ${value}`)
    .join('');
}

/** The reverse of `formatScenario`. @throws RangeError on text that it did not write */
export function parseScenario(text: string): Scenario {
  let seed = 0;
  let calm_ms = 0;
  const hosts: { name: string; members: MemberSettings[] }[] = [];
  const faults: Fault[] = [];
  for (const line of text.split('\n').map((one) => one.trim())) {
    const [word, first, ...rest] = line.split(' ');
    if (word === 'seed') seed = Number(first);
    else if (word === 'calm') calm_ms = Number(first);
    else if (word === 'host') hosts.push({ name: first, ...fieldsOf(rest), members: [] as MemberSettings[] });
    else if (word === 'vhid' && hosts.length > 0) hosts.at(-1)!.members.push(memberOf(Number(first), fieldsOf(rest)));
    else if (word === 'at')
      faults.push({ at_ms: Number(first), kind: rest[0], ...fieldsOf(rest.slice(1)) } as unknown as Fault);
    else if (word !== '' && !word.startsWith('#')) throw new RangeError(`not a line of a scenario: ${line}`);
  }
  return { seed, hosts: hosts as unknown as HostSettings[], faults, calm_ms };
}

function memberOf(vhid: number, fields: Record<string, string | number>): MemberSettings {
  return { vhid, ...fields, preempt: fields.preempt === 'yes' } as unknown as MemberSettings;
}

function fieldsOf(words: readonly string[]): Record<string, string | number> {
  const fields: Record<string, string | number> = {};
  for (let i = 0; i + 1 < words.length; i += 2)
    fields[words[i]] = /^-?\d+$/.test(words[i + 1]) ? Number(words[i + 1]) : words[i + 1];
  return fields;
}
