/**
 * Whether this host can run the configured vhids, found out before anything starts: interfaces and their addresses
 * exist, packet sockets are allowed. What people can cause comes back as diagnostics.
 */
import type { VhidSettings } from '../carp/events.ts';
import type { Diagnostic, Span } from '../config/diagnostic.ts';
import type { Carp, Config } from '../config/model.ts';
import { findSource4, findSource6, linkLocalOf } from './carp-sources.ts';
import { SystemError } from './errors.ts';
import { parseAddress } from './ip-address.ts';
import { type InterfaceAddress, type Link, Netlink } from './netlink.ts';
import { ipv4Adverts, PacketSocket } from './packet-socket.ts';
import { isBalanced, vhidSettings } from './vhid-settings.ts';

export type CarpHostCheck = {
  readonly diagnostics: readonly Diagnostic[];
  /** One per `config.carps`, in order, resolved against this host. Empty when there are errors. */
  readonly vhids: readonly VhidSettings[];
};

const NO_SUCH_INDEX = 0x7fff_ff00;
const PERMISSION_MEND =
  'Run it as root, or give the rights: AmbientCapabilities=CAP_NET_RAW CAP_NET_ADMIN in its systemd unit, or ' +
  '`sudo setcap cap_net_raw,cap_net_admin+ep "$(readlink -f "$(command -v node)")"`.';

/** Throws only for what is our mistake. Opens sockets and closes them again; changes nothing. */
export function checkCarpHost(config: Config): CarpHostCheck {
  if (config.carps.length === 0) return { diagnostics: [], vhids: [] };
  const netlink = new Netlink();
  try {
    const host = { netlink, links: netlink.listLinks(), addresses: netlink.listAddresses() };
    const diagnostics: Diagnostic[] = [];
    const resolved = config.carps.flatMap((carp) => {
      const vhid = resolve(carp, config, host, diagnostics);
      return vhid === undefined ? [] : [{ carp, vhid }];
    });
    const vhids = resolved.map(({ vhid }) => vhid);
    diagnostics.push(...checkTwice(resolved), ...checkPermission(config.carps[0], vhids, host));
    diagnostics.push(...checkVirtual(config, host));
    const failed = diagnostics.some((one) => one.severity === 'error');
    return { diagnostics, vhids: failed ? [] : vhids };
  } finally {
    netlink.close();
  }
}

type Host = {
  readonly netlink: Netlink;
  readonly links: readonly Link[];
  readonly addresses: readonly InterfaceAddress[];
};

/** The vhid as this host runs it, or undefined after a diagnostic. */
function resolve(carp: Carp, config: Config, host: Host, diagnostics: Diagnostic[]): VhidSettings | undefined {
  const found = carp.interface === undefined ? findLink(carp, host) : findByName(carp, host);
  if ('code' in found) {
    diagnostics.push(found);
    return undefined;
  }
  const own = checkAddresses(carp, host);
  diagnostics.push(...own);
  if (own.length > 0) return undefined;
  const sources = findSources(carp, found, host);
  if ('code' in sources) {
    diagnostics.push(sources);
    return undefined;
  }
  const elsewhere = checkSource(carp, host);
  if (elsewhere !== undefined) {
    diagnostics.push(elsewhere);
    return undefined;
  }
  diagnostics.push(...checkIpv6(carp, found, host), ...checkPeers(carp, host));
  const facts = { interface: found.name, mac: found.mac, ...sources };
  return vhidSettings(carp, config.carp_host, facts, isBalanced(carp, config.carps, config.carp_host));
}

function findByName(carp: Carp, host: Host): Link | Diagnostic {
  const link = host.links.find((one) => one.name === carp.interface);
  const usable = usableLinks(host);
  if (!link) {
    const here = `This host has ${listNames(usable)}`;
    const isForeign = ['freebsd9', 'freebsd10', 'openbsd'].includes(carp.dialect);
    const first = usable.map(({ name }) => name).sort()[0] ?? 'eth0';
    const say = `say which one it is: \`interface ${carp.interface} = ${first}\` in the global section of a haproxy.cfg`;
    const mend = isForeign ? `${here}; ${say}, or \`carpool ifconfig ${first} name ${carp.interface}\`.` : `${here}.`;
    return error(
      'interface-missing',
      `There is no interface ${carp.interface} on this host.`,
      at(carp, 'interface'),
      mend,
    );
  }
  if (usable.includes(link)) return link;
  const message = `Interface ${link.name} is no Ethernet: no other machine can hear adverts there.`;
  return error('interface-not-ethernet', message, at(carp, 'interface'), `Use one of ${listNames(usable)}.`);
}

/** The interface that has the source address; without one, by the virtual address. */
function findLink(carp: Carp, host: Host): Link | Diagnostic {
  const own = host.addresses.find((one) => one.address === carp.source_address);
  return usableLinks(host).find((link) => link.index === own?.index) ?? findBySubnet(carp, host);
}

/** The rule of FreeBSD before 10: the interface whose subnet holds the first address. */
function findBySubnet(carp: Carp, host: Host): Link | Diagnostic {
  const address = carp.addresses[0]?.address ?? '';
  const bytes = parseAddress(address);
  const links = usableLinks(host).filter((link) =>
    host.addresses.some((one) => one.index === link.index && bytes !== undefined && isInSubnet(bytes, one)),
  );
  if (links.length === 1) return links[0];
  const span = carp.addresses[0]?.span ?? carp.span;
  const mend = `Name the interface; this host has ${listNames(usableLinks(host))}.`;
  if (links.length === 0) {
    return error('interface-unknown', `No interface of this host is in the subnet of ${address}.`, span, mend);
  }
  const message = `Several interfaces are in the subnet of ${address}: ${links.map((link) => link.name).join(', ')}.`;
  return error('interface-ambiguous', message, span, mend);
}

type Sources = { readonly source_address: string | undefined; readonly source_address6: string | undefined };

/** What adverts leave from, of each family that the vhid has addresses of. */
function findSources(carp: Carp, link: Link, host: Host): Sources | Diagnostic {
  // A VIP that an earlier run left there is not an address to send from.
  const vips = new Set(carp.addresses.map(({ address }) => address));
  const own = host.addresses.filter((one) => one.index === link.index && !vips.has(one.address));
  const source_address = carp.source_address ?? findSource4(own);
  // An interface without IPv6 addresses gets one when it is up.
  const source_address6 = findSource6(own, carp.peers) ?? linkLocalOf(link.mac);
  const needs4 = carp.addresses.some(({ address }) => !address.includes(':'));
  if (needs4 && source_address === undefined) return withoutAddress(carp, link);
  return { source_address, source_address6 };
}

function withoutAddress(carp: Carp, link: Link): Diagnostic {
  const message = `Interface ${link.name} has no IPv4 address of its own to send adverts from.`;
  const mend = `Give it one first, for example \`ip address add 192.0.2.11/24 dev ${link.name}\`.`;
  return error('interface-without-address', message, at(carp, 'interface'), mend);
}

function checkIpv6(carp: Carp, link: Link, host: Host): Diagnostic[] {
  if (!link.running || !carp.addresses.some(({ address }) => address.includes(':'))) return [];
  if (host.addresses.some((one) => one.index === link.index && one.bytes.length === 16)) return [];
  const message = `Interface ${link.name} is up and has no IPv6 address: IPv6 seems to be switched off there.`;
  // for sysctl(8) a dot in an interface's name is a slash
  const mend = `Switch it on: \`sysctl net.ipv6.conf.${link.name.replaceAll('.', '/')}.disable_ipv6=0\`.`;
  return [{ ...error('ipv6-disabled', message, at(carp, 'addresses'), mend), severity: 'warning' }];
}

/** Copied to the other node without a change, a list of peers names that node itself, and nobody sends to the first. */
function checkPeers(carp: Carp, host: Host): Diagnostic[] {
  const own = carp.peers.filter((peer) => host.addresses.some((one) => one.address === peer));
  if (own.length === 0) return [];
  const message = `${own.map((peer) => `\`peer ${peer}\``).join(' and ')} ${own.length === 1 ? 'is' : 'are'} this host itself, which needs no advert of its own.`;
  const mend = 'On each node name all the others, and not the node itself.';
  return [{ ...error('peer-is-self', message, at(carp, 'peers'), mend), severity: 'warning' }];
}

/** Copied to the second node without a change, a written source address would make the two deaf to each other. */
function checkSource(carp: Carp, host: Host): Diagnostic | undefined {
  const source = carp.source_address;
  if (source === undefined || host.addresses.some((one) => one.address === source)) return undefined;
  const message = `The source address ${source} is no address of this host.`;
  const mend = 'Each node needs its own: a node ignores adverts that come from its own source address.';
  return error('source-address-elsewhere', message, at(carp, 'source_address'), mend);
}

/** A VIP must not be an address that this host has anyway: a BACKUP would answer for it. */
function checkAddresses(carp: Carp, host: Host): Diagnostic[] {
  // an up script has added it, in the life of a daemon that was killed
  if (carp.scripts?.up !== undefined) return [];
  return carp.addresses.flatMap((vip) => {
    const own = host.addresses.find((one) => one.address === vip.address && one.prefix_length < one.bytes.length * 8);
    if (!own) return [];
    const name = host.links.find((link) => link.index === own.index)?.name ?? `interface ${own.index}`;
    const message = `${vip.address} is an address of ${name} itself, so both nodes would answer for it.`;
    return error(
      'address-not-virtual',
      message,
      vip.span,
      'Take it off the interface, or choose another virtual address.',
    );
  });
}

/** Of two vhids that name different interfaces, or none, only the host can tell that they meet on one. */
function checkTwice(resolved: readonly { readonly carp: Carp; readonly vhid: VhidSettings }[]): Diagnostic[] {
  const seen = new Map<string, Carp>();
  return resolved.flatMap(({ carp, vhid }) => {
    const key = `${vhid.vhid} on ${vhid.interface}`;
    const earlier = seen.get(key);
    seen.set(key, earlier ?? carp);
    if (earlier === undefined) return [];
    const message = `vhid ${key} is used already, by \`${earlier.name}\`.`;
    return error('duplicate-vhid', message, at(carp, 'vhid'), 'Give each its own number from 1 to 255.');
  });
}

/** A macvlan on nothing: the kernel misses the interface below, unless it does not know macvlans at all. */
function checkVirtual(config: Config, host: Host): Diagnostic[] {
  const carp = config.carps.find((one) => one.mac === 'virtual' || isBalanced(one, config.carps, config.carp_host));
  if (!carp) return [];
  const make = (): void => host.netlink.createMacvlan({ name: 'carp-probe' }, NO_SUCH_INDEX);
  if (!fails('EOPNOTSUPP', make)) return [];
  const message = 'This kernel has no macvlan links, which carry the virtual MAC.';
  const mend = 'Load the module (`modprobe macvlan`), or leave `mac virtual` out: the real MAC works everywhere.';
  return [error('no-macvlan', message, at(carp, carp.mac === 'virtual' ? 'mac' : 'balancing'), mend)];
}

/** CAP_NET_RAW by opening what will be opened, CAP_NET_ADMIN by a request that can only fail. */
function checkPermission(carp: Carp, vhids: readonly VhidSettings[], host: Host): Diagnostic[] {
  const index = host.links.find((link) => link.name === vhids[0]?.interface)?.index;
  if (index === undefined) return [];
  const missing: string[] = [];
  if (fails('EPERM', () => new PacketSocket(index, ipv4Adverts()).close()))
    missing.push('open packet sockets (CAP_NET_RAW)');
  const bytes = Uint8Array.of(192, 0, 2, 1);
  const addNowhere = (): void => host.netlink.addAddress({ index: NO_SUCH_INDEX, bytes, prefix_length: 32 });
  if (fails('EPERM', addNowhere)) missing.push('change addresses (CAP_NET_ADMIN)');
  if (missing.length === 0) return [];
  return [error('no-permission', `This user may not ${missing.join(' nor ')}.`, carp.span, PERMISSION_MEND)];
}

/** Whether `body` is refused with that errno. Other failures show later, with their own words. */
function fails(code: string, body: () => void): boolean {
  try {
    body();
    return false;
  } catch (failure) {
    if (!(failure instanceof SystemError)) throw failure;
    return failure.code === code;
  }
}

/** Links with a MAC address. */
function usableLinks(host: Host): readonly Link[] {
  return host.links.filter((link) => !link.loopback && link.mac.length === 6 && link.mac.some((byte) => byte !== 0));
}

function isInSubnet(bytes: Uint8Array, own: InterfaceAddress): boolean {
  if (own.bytes.length !== bytes.length || own.prefix_length === bytes.length * 8) return false;
  for (let bit = 0; bit < own.prefix_length; bit++) {
    if (((bytes[bit >> 3] ^ own.bytes[bit >> 3]) >> (7 - (bit & 7))) & 1) return false;
  }
  return true;
}

function listNames(links: readonly Link[]): string {
  const names = links.map((link) => link.name).sort();
  return names.length === 0 ? 'no Ethernet interface' : names.join(', ');
}

function at(carp: Carp, field: string): Span {
  return carp.spans[field] ?? carp.span;
}

function error(code: string, message: string, span: Span, mend: string): Diagnostic {
  return { severity: 'error', code, message, mend, span };
}
