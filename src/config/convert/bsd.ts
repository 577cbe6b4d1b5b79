/** Vhids in the files of FreeBSD (both ways) and OpenBSD, as far as those have words for them. */
import type { Diagnostic } from '../diagnostic.ts';
import { SYSCTL_PREFIX, type SysctlName } from '../freebsd/sysctl.ts';
import { broadcastOf, dottedMask } from '../ifconfig/netmask.ts';
import type { Carp, Config, VirtualAddress } from '../model.ts';
import { nativeLines } from './native.ts';
import { type Conversion, hostSysctls, isMoot, isPlainWord, loss, type WrittenFile } from './text.ts';

type System = {
  readonly words: string;
  readonly fields: ReadonlySet<keyof Carp>;
  readonly sysctls: ReadonlySet<SysctlName>;
};

const ALWAYS: readonly (keyof Carp)[] = ['vhid', 'pass', 'addresses', 'advbase', 'advskew', 'preempt', 'disabled'];
const FREEBSD9: System = {
  words: 'in rc.conf of FreeBSD up to 9',
  fields: new Set([...ALWAYS, 'balancing']),
  sysctls: new Set(['allow', 'preempt', 'log', 'arpbalance']),
};
const FREEBSD10: System = {
  words: 'in rc.conf of FreeBSD from 10 on',
  fields: new Set([...ALWAYS, 'interface', 'peers']),
  sysctls: new Set([
    'allow',
    'preempt',
    'log',
    'demotion',
    'senderr_demotion_factor',
    'ifdown_demotion_factor',
    'dscp',
  ]),
};
const OPENBSD: System = {
  words: 'in a hostname file of OpenBSD',
  fields: new Set([...ALWAYS, 'interface', 'peers', 'balancing', 'hash_link_locals', 'openbsd_demote_byte']),
  sysctls: new Set(['allow', 'preempt', 'log']),
};

/** `balancing arp` there is for the virtual MAC, which every BSD has anyway. */
const OWN_MAC: readonly (keyof Carp)[] = ['mac', 'advert_mac'];

export function toFreebsd9(config: Config): Conversion {
  const losses = lossesOf(config, FREEBSD9);
  const names = clonedNames(config.carps);
  const lines = config.carps.flatMap((carp, index) => {
    const [first, ...others] = carp.addresses;
    const down = carp.disabled ? ' down' : '';
    return [
      `ifconfig_${names[index]}="${parameters(carp)} ${freebsdAddress(first)}${down}"`,
      ...others.map((address, i) => `ifconfig_${names[index]}_alias${i}="${freebsdAddress(address)}"`),
    ];
  });
  for (const carp of config.carps)
    if (carp.interface !== undefined)
      losses.push(
        loss(carp, `interface ${carp.interface}`, FREEBSD9.words, 'it takes the one whose subnet has the address'),
      );
  const cloned = `cloned_interfaces="${[...new Set(names)].join(' ')}"`;
  const rc = config.carps.length === 0 ? [] : [cloned, ...lines];
  return { files: [file('/etc/rc.conf', rc), ...sysctlFile(config, FREEBSD9)], losses };
}

/**
 * One alias for each address; what is said of a vhid is said with its first one. But for peers: FreeBSD 14 sends to the
 * group again after a line of the vhid that names none.
 */
export function toFreebsd10(config: Config): Conversion {
  const losses = lossesOf(config, FREEBSD10);
  const counts = new Map<string, number>();
  const taken = new Set<string>();
  const lines = config.carps.flatMap((carp) => {
    const name = carp.interface ?? 'em0';
    if (carp.interface === undefined)
      losses.push(loss(carp, 'no interface', FREEBSD10.words, 'every vhid is on one; em0 stands for it'));
    const own = carp.addresses.filter(({ address }) => !taken.has(address));
    for (const { address } of own) taken.add(address);
    if (own.length === 0)
      losses.push(loss(carp, `vhid ${carp.vhid}`, FREEBSD10.words, 'another vhid has its addresses'));
    return own.map((address, index) => {
      const number = counts.get(name) ?? 0;
      counts.set(name, number + 1);
      const family = address.address.includes(':') ? 'inet6' : 'inet';
      const words = (index === 0 ? parameters(carp) : `vhid ${carp.vhid}`) + peerWords(carp);
      const bare = freebsdAddress(address).replace(/^inet6? /, '');
      return `ifconfig_${name.replace(/[-.+/]/g, '_')}_alias${number}="${family} ${words} ${family === 'inet' ? 'alias ' : ''}${bare}"`;
    });
  });
  for (const carp of config.carps) if (carp.disabled) losses.push(loss(carp, 'disabled', FREEBSD10.words));
  return { files: [file('/etc/rc.conf', lines), ...sysctlFile(config, FREEBSD10)], losses };
}

/** A file for each interface; vhids that share their clients are nodes of one. */
export function toOpenbsd(config: Config): Conversion {
  const losses = lossesOf(config, OPENBSD);
  const groups = new Map<string, Carp[]>();
  for (const carp of config.carps) {
    const key = carp.balancing === 'arp' ? sharedKey(carp) : carp.name;
    groups.set(key, [...(groups.get(key) ?? []), carp]);
  }
  const leaders = [...groups.values()].map(([first]) => first);
  const names = clonedNames(leaders);
  const files = [...groups.values()].map((nodes, index) => file(`/etc/hostname.${names[index]}`, hostnameLines(nodes)));
  for (const carp of config.carps)
    for (const peer of carp.peers.slice(1))
      losses.push(loss(carp, `peer ${peer}`, OPENBSD.words, 'there is one `carppeer`'));
  return { files: [...files, ...sysctlFile(config, OPENBSD)], losses };
}

function sharedKey({ interface: link, pass, advbase, addresses }: Carp): string {
  return JSON.stringify([link, pass, advbase, addresses.map(({ address }) => address)]);
}

function hostnameLines(nodes: readonly Carp[]): string[] {
  const [carp] = nodes;
  const peer = carp.peers.find((one) => !one.includes(':'));
  const who =
    nodes.length === 1
      ? `vhid ${carp.vhid} advskew ${carp.advskew}`
      : `carpnodes ${nodes.map(({ vhid, advskew }) => `${vhid}:${advskew}`).join(',')}`;
  const words = [
    who,
    ...(carp.interface === undefined ? [] : [`carpdev ${carp.interface}`]),
    ...(peer === undefined ? [] : [`carppeer ${peer}`]),
    ...(carp.balancing === 'arp' ? ['balancing arp'] : []),
    ...(carp.advbase === 1 ? [] : [`advbase ${carp.advbase}`]),
    ...(carp.pass === '' || !isPlainWord(carp.pass) ? [] : [`pass ${carp.pass}`]),
  ];
  const [first, ...others] = carp.addresses;
  return [
    `${openbsdAddress(first, '')}${openbsdBroadcast(first)} ${words.join(' ')}`,
    ...others.map((address) => openbsdAddress(address, 'alias ')),
    ...(carp.disabled ? ['down'] : []),
  ];
}

function openbsdAddress({ address, prefix_length }: VirtualAddress, alias: string): string {
  if (address.includes(':')) return `inet6 ${alias}${address} ${prefix_length}`;
  return `inet ${alias}${address} ${dottedMask(prefix_length)}`;
}

/** Must stand between the netmask and what follows: netstart(8) takes the next word for it, whatever that is. */
function openbsdBroadcast({ address, prefix_length }: VirtualAddress): string {
  if (address.includes(':')) return '';
  return prefix_length > 30 ? ' NONE' : ` ${broadcastOf(address, prefix_length)}`;
}

/** What every address of a vhid has in common. */
function parameters({ vhid, advbase, advskew, pass }: Carp): string {
  return [
    `vhid ${vhid}`,
    ...(advbase === 1 ? [] : [`advbase ${advbase}`]),
    ...(advskew === 0 ? [] : [`advskew ${advskew}`]),
    ...(pass === '' || !isPlainWord(pass) ? [] : [`pass ${pass}`]),
  ].join(' ');
}

function peerWords({ peers }: Carp): string {
  const v4 = peers.find((peer) => !peer.includes(':'));
  const v6 = peers.find((peer) => peer.includes(':'));
  return `${v4 === undefined ? '' : ` peer ${v4}`}${v6 === undefined ? '' : ` peer6 ${v6}`}`;
}

function freebsdAddress({ address, prefix_length }: VirtualAddress): string {
  return address.includes(':') ? `inet6 ${address} prefixlen ${prefix_length}` : `inet ${address}/${prefix_length}`;
}

/** `carp0` keeps its name; what has another one gets the next that is free. */
function clonedNames(carps: readonly Carp[]): string[] {
  const names = carps.map(({ name }) => /^carp\d+(?=$|:)/.exec(name)?.[0]);
  const taken = new Set<string>();
  let next = 0;
  return names.map((name) => {
    let chosen = name;
    while (chosen === undefined || taken.has(chosen) || (chosen !== name && names.includes(chosen)))
      chosen = `carp${next++}`;
    taken.add(chosen);
    return chosen;
  });
}

function lossesOf(config: Config, system: System): Diagnostic[] {
  const { carps, carp_host } = config;
  const losses = carps.flatMap((carp) =>
    nativeLines(carp)
      .filter(({ field }) => !system.fields.has(field) && !(OWN_MAC.includes(field) && carp.mac === 'virtual'))
      .filter(({ field }) => !(field === 'interface' && system === FREEBSD9) && !isMoot(carp, field))
      .map(({ text }) => loss(carp, text, system.words)),
  );
  for (const carp of carps) {
    if (carp.pass !== '' && !isPlainWord(carp.pass))
      losses.push(loss(carp, 'pass …', system.words, 'its characters would need quoting'));
    if (carp.advbase === 0 && system !== OPENBSD) losses.push(loss(carp, 'advbase 0', system.words));
    if (carp.advskew > 254) losses.push(loss(carp, `advskew ${carp.advskew}`, system.words));
  }
  if (carps.some(({ preempt }) => preempt) && !hostSysctls(config).some(({ name }) => name === 'preempt'))
    for (const carp of carps)
      if (carp.preempt) losses.push(loss(carp, 'preempt', system.words, 'it is one switch for all vhids'));
  const others = hostSysctls(config).filter(({ name }) => !system.sysctls.has(name));
  const span = carps[0]?.span ?? { file: config.files[0] ?? '', line: 0, column: 0, end_column: 0 };
  for (const { name } of others)
    losses.push(
      loss({ name: 'the host', span: carp_host.spans[name] ?? span }, `${SYSCTL_PREFIX}.${name}`, system.words),
    );
  return losses;
}

function sysctlFile(config: Config, system: System): WrittenFile[] {
  const settings = hostSysctls(config).filter(({ name }) => system.sysctls.has(name));
  const balances = system === FREEBSD9 && config.carps.some(({ balancing }) => balancing === 'arp');
  const lines = settings.map(({ name, value }) => `${SYSCTL_PREFIX}.${name}=${value}`);
  if (balances && !config.carp_host.arpbalance) lines.push(`${SYSCTL_PREFIX}.arpbalance=1`);
  return lines.length === 0 ? [] : [file('/etc/sysctl.conf', lines)];
}

function file(name: string, lines: readonly string[]): WrittenFile {
  return { name, text: lines.map((line) => `${line}\n`).join('') };
}
