/**
 * Runs a script: lines at the margin go into one engine, indented lines are what came out of it.
 *
 *   vhid 1 advskew 100 preempt             a vhid (before the first time), everyday values filled in
 *   host lease 4 wait-for-ready            settings of the host
 *   0.000 start                            an event at a time in seconds
 *     0.000 INIT -> BACKUP: …              its effects, and those of the timers that ran before the next event
 *   5.000 stall, 5.000 late …              the same without running timers first: the process stood still
 *
 * `runScript` returns the text with the indented lines as they really are; the test compares it with the file.
 */

import { formatMac, parseAddress } from '#src/carp/address.js';
import { passwordKey } from '#src/carp/auth.js';
import { createEngine, type Engine, nextDeadline_ns, status, step } from '#src/carp/engine.js';
import type { Effect, EngineSettings, Event, Family, VhidSettings } from '#src/carp/events.js';
import type { PeerKind } from '#src/carp/frame.js';
import { arpRequest } from '#src/simulator/client.js';
import { advertIn, fromElsewhere, peerFrame, vhidSettings } from './peer.js';

const TIMERS_MAX = 10_000;
/** Follows from the other counters in nearly every script. */
const DULL = new Set(['received4', 'sent4', 'transitions_to_master']);

export function runScript(text: string): string {
  const run = new Run();
  const lines = text.split('\n').filter((line) => !line.startsWith('  '));
  return lines.flatMap((line) => run.line(line)).join('\n');
}

class Run {
  /** As the next engine or `configure` gets them. */
  #vhids: VhidSettings[] = [];
  readonly #numbers = new Map<number, number>();
  #host: Partial<EngineSettings> = {};
  #engine: Engine | undefined;
  #output: string[] = [];
  #now_ns = 0;
  #send_error: string | null = null;
  #failing_family: Family | undefined;
  #last_frame = new Uint8Array(0);

  /** The lines of the timers that were due before it, the line itself, and the lines of what it brought about. */
  line(line: string): string[] {
    this.#output = [];
    const words = line.split(' ');
    if (words[0] === 'vhid') this.#setVhid(parseVhid(words));
    else if (words[0] === 'host') this.#host = parseHost(words);
    else if (/^\d/.test(line)) return this.#at(Math.round(Number(words[0]) * 1e9), words.slice(1), line);
    else if (line !== '' && !line.startsWith('#')) throw new Error(`not understood: ${line}`);
    return [line];
  }

  /** Of a vhid that was there the new settings take the place. */
  #setVhid(settings: VhidSettings): void {
    const at = this.#vhids.findIndex((one) => one.vhid === settings.vhid && one.interface === settings.interface);
    if (at < 0) this.#vhids.push(settings);
    else this.#vhids[at] = settings;
  }

  #at(now_ns: number, words: string[], line: string): string[] {
    this.#engine ??= createEngine({
      vhids: this.#vhids,
      seed: Uint32Array.of(1, 2, 3, 4),
      lease_s: 20,
      wait_for_ready: false,
      ...this.#host,
    });
    if (words[0] === 'late') words.shift();
    else if (words[0] !== 'stall') this.#runTimersUntil(now_ns);
    this.#output.push(line);
    if (words[0] === 'stall') this.#step({ kind: 'stall', late_ns: now_ns - nextDeadline_ns(this.#engine) }, now_ns);
    else if (words[0] === 'forget') this.#vhids = this.#vhids.filter(({ vhid }) => vhid !== Number(words[1]));
    else if (words[0] === 'sends') this.#setSending(words);
    else if (words[0] === 'status') this.#printStatus();
    else if (words[0] !== 'until') this.#step(this.#parseEvent(words), now_ns);
    return this.#output;
  }

  /** `sends work`, `sends fail ENOBUFS`, `sends fail ENETUNREACH over 6` */
  #setSending([, verb, error, , family]: string[]): void {
    this.#send_error = verb === 'work' ? null : error;
    this.#failing_family = family === undefined ? undefined : (Number(family) as Family);
  }

  #runTimersUntil(now_ns: number): void {
    for (let count = 0; count < TIMERS_MAX; count++) {
      const due_ns = nextDeadline_ns(this.#engine!);
      if (due_ns > now_ns) return;
      this.#step({ kind: 'timer' }, due_ns);
    }
    throw new Error('the timers never end');
  }

  #step(event: Event, now_ns: number): void {
    this.#now_ns = now_ns;
    const effects = [...step(this.#engine!, event, now_ns)];
    for (const { index, settings } of this.#engine!.vhids) this.#numbers.set(index, settings.vhid);
    const sent = effects.filter((effect) => effect.kind === 'send');
    for (const effect of effects) this.#output.push(`  ${(now_ns / 1e9).toFixed(3)} ${this.#describe(effect)}`);
    for (const effect of sent) this.#last_frame = effect.frame.slice();
    for (const { index, family } of sent) {
      const error = (this.#failing_family ?? family) === family ? this.#send_error : null;
      this.#step({ kind: 'sent', index, family, error }, now_ns);
    }
  }

  #describe(effect: Effect): string {
    if (effect.kind === 'log') return `${effect.level}: ${effect.text}`;
    const which = this.#numbers.size > 1 ? `vhid ${this.#numbers.get(effect.index)} ` : '';
    return which + describe(effect);
  }

  #printStatus(): void {
    for (const vhid of status(this.#engine!, this.#now_ns)) {
      const { state, reason, master, advertised_advskew, demotion } = vhid;
      this.#output.push(`  vhid ${vhid.vhid} ${state} (${reason}), master ${master}, advskew ${advertised_advskew}`);
      for (const { text } of vhid.troubles) this.#output.push(`    trouble: ${text}`);
      for (const { owner, amount } of vhid.demotions)
        this.#output.push(`    demoted by ${amount} of ${demotion}: ${owner}`);
    }
    const counters = Object.entries(this.#engine!.counters).filter(([name, count]) => count > 0 && !DULL.has(name));
    this.#output.push(`  ${counters.map(([name, count]) => `${name} ${count}`).join(', ')}`);
  }

  #parseEvent(words: string[]): Event {
    const [kind, first, second, ...rest] = words;
    switch (kind) {
      case 'timer':
      case 'start':
      case 'ready':
        return { kind };
      case 'stop':
      case 'yield':
        return { kind, reason: words.slice(1).join(' ') };
      case 'healthy':
      case 'unhealthy':
        return { kind: 'health', healthy: kind === 'healthy', reason: words.slice(1).join(' ') };
      case 'link':
        return { kind, interface: first, up: second === 'up', ...(rest.length > 0 ? { reason: rest.join(' ') } : {}) };
      case 'demote':
        return { kind, owner: first, amount: Number(second), reason: rest.join(' ') };
      case 'undemote':
        return { kind, owner: first };
      case 'maintenance':
        return { kind, index: Number(first), reason: second === 'over' ? undefined : words.slice(2).join(' ') };
      case 'removed':
        return { kind: 'address-removed', interface: 'eth0', address: first, duplicate: second === 'duplicate' };
      case 'configure':
        return { kind, vhids: [...this.#vhids], host: hostOf(this.#host) };
      case 'set-state':
        return { kind, index: Number(first), state: second as 'BACKUP' | 'MASTER' };
      case 'reannounce':
        return { kind };
      case 'reflect':
        return frameEvent(this.#last_frame);
      case 'replay':
        return frameEvent(fromElsewhere(this.#last_frame));
      case 'arp':
        return frameEvent(arpRequest(parseAddress(second)!, first));
      case 'bytes':
        return frameEvent(Buffer.from(first, 'hex'));
      case 'advert':
        return frameEvent(parseAdvert(words));
      default:
        throw new Error(`no such event: ${words.join(' ')}`);
    }
  }
}

function frameEvent(bytes: Uint8Array): Event {
  return { kind: 'frame', interface: 'eth0', bytes, length: bytes.length };
}

function describe(effect: Exclude<Effect, { kind: 'log' }>): string {
  switch (effect.kind) {
    case 'send': {
      const pdu = advertIn(effect.frame);
      const over = effect.family === 6 ? ' over IPv6' : '';
      const to = effect.to === undefined ? '' : ` to ${effect.to}`;
      return `sends ${effect.what} ${pdu.advbase}/${pdu.advskew}${pdu.demote ? ` demote ${pdu.demote}` : ''}${over}${to}`;
    }
    case 'announce':
      return `announces with ${effect.frames.length} frames`;
    case 'answer':
      return `answers ${effect.frame.subarray(38, 42).join('.')} with ${formatMac(effect.frame, 22)}`;
    case 'script':
      return `runs ${effect.path} ${effect.arguments.join(' ')}`;
    case 'transition':
      return `${effect.from} -> ${effect.to}: ${effect.reason}`;
    default:
      return `${effect.kind.replace('-addresses', 's')} ${effect.addresses.join(' ')}`;
  }
}

/** `advert 10.0.0.12 1/100 [vhid N] [by ucarp|kernel] [pass X] [demote N] [addresses A,B] [ttl N]` */
function parseAdvert(words: string[]): Uint8Array {
  const [advbase, advskew] = words[2].split('/').map(Number);
  const options = pairs(words.slice(3));
  return peerFrame({
    source: words[1],
    vhid: Number(options.get('vhid') ?? 1),
    advbase,
    advskew,
    demote: Number(options.get('demote') ?? 0),
    pass: options.get('pass') ?? 'secret',
    kind: (options.get('by') as PeerKind) ?? 'carpool',
    addresses: options.get('addresses')?.split(','),
    ttl: Number(options.get('ttl') ?? 255),
  });
}

function parseVhid(words: string[]): VhidSettings {
  const options = pairs(words.filter((word) => !FLAGS.has(word)));
  const flag = (name: string) => words.includes(name);
  const scripted = options.has('up') || options.has('down');
  return vhidSettings({
    vhid: Number(options.get('vhid')),
    interface: options.get('on') ?? 'eth0',
    advbase: Number(options.get('advbase') ?? 1),
    advskew: Number(options.get('advskew') ?? 0),
    deadratio: Number(options.get('deadratio') ?? 3),
    preempt: flag('preempt'),
    ignore_link_state: flag('ignore-link-state'),
    disabled: flag('disabled'),
    openbsd_demote_byte: flag('demote-byte'),
    preempt_delay_ns: Number(options.get('delay') ?? 0) * 1e9,
    mac: flag('virtual') ? 'virtual' : 'real',
    balancing: flag('balancing') ? 'arp' : 'none',
    key: passwordKey(options.get('pass') ?? 'secret'),
    ...listed(options, 'addresses', 'peers'),
    source_address6: 'fe80::11',
    also_accept: options.has('also') ? [{ key: passwordKey(options.get('also')!) }] : [],
    ...(scripted && {
      scripts: {
        up: options.get('up'),
        down: options.get('down'),
        xparam: options.get('xparam'),
        neutral: flag('neutral'),
        down_at_exit: flag('down-at-exit'),
      },
    }),
  });
}

const FLAGS = new Set([
  'preempt',
  'disabled',
  'demote-byte',
  'virtual',
  'balancing',
  'forbidden',
  'ignore-link-state',
  'neutral',
  'down-at-exit',
  'wait-for-ready',
]);

function parseHost(words: string[]): Partial<EngineSettings> {
  const options = pairs(words.slice(1).filter((word) => !FLAGS.has(word)));
  return {
    wait_for_ready: words.includes('wait-for-ready'),
    lease_s: Number(options.get('lease') ?? 20),
    allow: !words.includes('forbidden'),
    ifdown_demotion_factor: Number(options.get('ifdown') ?? 240),
    senderr_demotion_factor: Number(options.get('senderr') ?? 240),
    links_down: options.has('down') ? [options.get('down')!] : [],
  };
}

function hostOf({
  allow = true,
  ifdown_demotion_factor = 240,
  senderr_demotion_factor = 240,
}: Partial<EngineSettings>) {
  return { allow, ifdown_demotion_factor, senderr_demotion_factor };
}

function listed(options: Map<string, string>, ...names: string[]) {
  return Object.fromEntries(
    names.filter((name) => options.has(name)).map((name) => [name, options.get(name)!.split(',')]),
  );
}

function pairs(words: string[]): Map<string, string> {
  const found = new Map<string, string>();
  for (let i = 0; i + 1 < words.length; i += 2) found.set(words[i], words[i + 1]);
  return found;
}
