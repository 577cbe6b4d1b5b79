/** Vhids as arguments of ucarp, and as stanzas of Debian's interfaces: one IPv4 address each. */
import type { Diagnostic } from '../diagnostic.ts';
import type { Carp, Config } from '../model.ts';
import { nativeLines } from './native.ts';
import { type Conversion, isMoot, isPlainWord, loss, type WrittenFile } from './text.ts';

const BOTH: readonly (keyof Carp)[] = [
  'interface',
  'vhid',
  'pass',
  'advbase',
  'advskew',
  'deadratio',
  'preempt',
  'source_address',
  'broadcast',
  'scripts',
];
const UCARP = {
  words: 'to ucarp',
  fields: new Set<keyof Carp>([...BOTH, 'multicast_address', 'ignore_link_state', 'tracks']),
};
const DEBIAN = { words: "in Debian's interfaces", fields: new Set<keyof Carp>(BOTH) };

type System = typeof UCARP;

export function toUcarp(config: Config): Conversion {
  const losses = lossesOf(config, UCARP);
  const lines = config.carps.flatMap((carp) => {
    const address = carp.addresses.find((one) => !one.address.includes(':'));
    return address === undefined ? [] : ['ucarp', ...options(carp, address.address, config)].join(' ');
  });
  return { files: [{ name: undefined, text: lines.map((line) => `${line}\n`).join('') }], losses };
}

function options(carp: Carp, address: string, { carp_host }: Config): string[] {
  const { scripts } = carp;
  const given = (flag: string, value: string | number | undefined) =>
    value === undefined ? [] : [flag, quote(`${value}`)];
  const flag = (name: string, isSet: boolean) => (isSet ? [name] : []);
  return [
    ...given('-i', carp.interface),
    ...given('-s', carp.source_address),
    ...given('-v', carp.vhid),
    ...given('-p', carp.pass === '' ? undefined : carp.pass),
    ...given('-a', address),
    ...given('-b', carp.advbase === 1 ? undefined : carp.advbase),
    ...given('-k', carp.advskew === 0 ? undefined : carp.advskew),
    ...given('-r', carp.deadratio === 3 ? undefined : carp.deadratio),
    ...flag('-P', carp.preempt || carp_host.preempt),
    ...flag('-M', carp.broadcast),
    ...flag('-S', carp.ignore_link_state),
    ...given('--mcastip', carp.multicast_address),
    ...given('-u', scripts?.up),
    ...given('-d', scripts?.down),
    ...given('-x', scripts?.xparam),
    ...flag('-z', scripts?.down_at_exit ?? false),
    ...flag('-n', scripts?.neutral ?? false),
    ...carp.tracks.flatMap(({ text }) => given('--track', text.replace(/^tcp /, 'tcp:'))),
  ];
}

/** For a shell. */
function quote(text: string): string {
  return isPlainWord(text) || /^[\w./:-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}

export function toDebian(config: Config): Conversion {
  const losses = lossesOf(config, DEBIAN);
  const used = new Set<string>();
  const files: WrittenFile[] = [];
  const stanzas = config.carps.flatMap((carp) => {
    const name = carp.interface ?? 'eth0';
    const address = carp.addresses.find((one) => !one.address.includes(':'));
    if (carp.interface === undefined) losses.push(loss(carp, 'no interface', DEBIAN.words, 'eth0 stands for it'));
    if (used.has(name)) losses.push(loss(carp, `vhid ${carp.vhid}`, DEBIAN.words, `${name} has one vhid already`));
    if (address === undefined || used.has(name)) return [];
    used.add(name);
    return stanza(name, carp, address.address, config);
  });
  files.push({ name: '/etc/network/interfaces', text: stanzas.map((line) => `${line}\n`).join('') });
  return { files, losses };
}

function stanza(name: string, carp: Carp, address: string, { carp_host }: Config): string[] {
  const { scripts } = carp;
  const option = (keyword: string, value: string | number | undefined) =>
    value === undefined ? [] : [`    ucarp-${keyword} ${value}`];
  return [
    `iface ${name} inet static`,
    carp.source_address === undefined ? "    # address: this host's own" : `    address ${carp.source_address}`,
    ...option('vid', carp.vhid),
    ...option('vip', address),
    ...option('password', carp.pass === '' ? undefined : carp.pass),
    ...option('advbase', carp.advbase === 1 ? undefined : carp.advbase),
    ...option('advskew', carp.advskew === 0 ? undefined : carp.advskew),
    ...option('deadratio', carp.deadratio === 3 ? undefined : carp.deadratio),
    ...option('master', carp.preempt || carp_host.preempt ? 'yes' : 'no'),
    ...option('nomcast', carp.broadcast ? 'yes' : undefined),
    ...option('upscript', scripts?.up),
    ...option('downscript', scripts?.down),
    ...option('xparam', scripts?.xparam),
    '',
    `iface ${name}:ucarp inet static`,
    `    address ${address}`,
    '    netmask 255.255.255.255',
    '',
  ];
}

function lossesOf({ carps }: Config, system: System): Diagnostic[] {
  return carps.flatMap((carp) => {
    const [first] = carp.addresses.filter(({ address }) => !address.includes(':'));
    const others = carp.addresses.filter((address) => address !== first);
    const losses = nativeLines(carp)
      .filter(({ field }) => field !== 'addresses' && !system.fields.has(field) && !isMoot(carp, field))
      .filter(({ text }) => text !== 'source-mac ucarp')
      .map(({ text }) => loss(carp, text, system.words));
    const why = 'a vhid has one IPv4 address, and others of the group must have no more either';
    losses.push(...others.map(({ address }) => loss(carp, `address ${address}`, system.words, why)));
    if (system === UCARP && carp.source_address === undefined)
      losses.push(loss(carp, 'no source', system.words, 'it needs `-s` and an address of the host'));
    if (carp.pass === '') losses.push(loss(carp, 'no pass', system.words, 'it refuses an empty password'));
    if (system === DEBIAN && /\s/.test(carp.pass))
      losses.push(loss(carp, 'pass …', system.words, 'the hook cuts it at the space'));
    return losses;
  });
}
