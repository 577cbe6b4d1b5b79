/** CARP: what must be different on one node, and conditions that name what exists. */
import { isUnicast } from '../carp-values.ts';
import type { Span } from '../diagnostic.ts';
import type { Backend, Carp, Config, DemoteRule, Term, VirtualAddress } from '../model.ts';
import type { Reporter } from '../reporter.ts';
import { didYouMean } from '../suggest.ts';
import { TRACK_LIMIT } from '../track.ts';
import { isInterfaceName, reportPlaceholder } from '../values.ts';
import { checkUnique, placeOf } from './names.ts';

export function checkCarps({ carps, backends, carp_host }: Config, report: Reporter): void {
  checkUnique(carps, 'carp section', report);
  checkVhids(carps, report);
  checkAddresses(carps, carp_host.arpbalance, report);
  checkPreempt(carps, carp_host.preempt, report);
  for (const carp of carps) {
    checkInterface(carp, report);
    checkUnicast(carp, report);
    checkInterval(carp, report);
    checkDestination(carp, report);
    checkBalancing(carp, carps, report);
    for (const rule of carp.demotions) checkCondition(rule, backends, report);
    checkTracks(carp, report);
  }
}

function checkInterface({ interface: name, span, spans }: Carp, report: Reporter): void {
  if (name === undefined) return;
  const place = spans['interface'] ?? span;
  if (reportPlaceholder({ text: name, span: place }, 'interface', report) || isInterfaceName(name)) return;
  const message = `\`${name}\` cannot be the name of an interface.`;
  const mend = 'Write a name that `ip link` lists, such as `eth0`.';
  report.error(place, 'bad-interface', message, mend);
}

/** What the parsers of other dialects took for addresses because it looks like some. */
function checkUnicast({ addresses, source_address, span, spans }: Carp, report: Reporter): void {
  const own = { address: source_address ?? '10.0.0.1', span: spans['source_address'] ?? span };
  for (const one of [...addresses, own]) {
    if (isUnicast(one.address)) continue;
    const message = `\`${one.address}\` is not the address of a host.`;
    report.error(one.span, 'bad-address', message, 'Write an address of your network.');
  }
}

/** Two vhids without an interface may still end up on different ones. */
function checkVhids(carps: readonly Carp[], report: Reporter): void {
  const seen = new Map<string, Carp>();
  for (const carp of carps) {
    const key = `${carp.interface ?? ''} ${carp.vhid}`;
    const earlier = seen.get(key);
    if (earlier === undefined) {
      seen.set(key, carp);
      continue;
    }
    const span = carp.spans['vhid'] ?? carp.span;
    const place = placeOf(earlier.spans['vhid'] ?? earlier.span);
    const mend = 'Give each its own number from 1 to 255.';
    if (carp.interface !== undefined)
      report.error(span, 'duplicate-vhid', `vhid ${carp.vhid} on ${carp.interface} is used already (${place}).`, mend);
    else
      report.warning(
        span,
        'duplicate-vhid',
        `vhid ${carp.vhid} is used already (${place}); on one interface they would clash.`,
        mend,
      );
  }
}

/** Only vhids of one interface that share their clients may share an address. */
function checkAddresses(carps: readonly Carp[], arpbalance: boolean, report: Reporter): void {
  const seen = new Map<string, { carp: Carp; span: Span }>();
  for (const carp of carps) {
    for (const { address, prefix_length, span } of carp.addresses) {
      const earlier = seen.get(address);
      if (earlier === undefined) seen.set(address, { carp, span });
      else if (earlier.carp === carp || !(arpbalance || (isBalanced(carp) && isBalanced(earlier.carp))))
        report.error(
          span,
          'duplicate-address',
          `The address ${address} is shared already (${placeOf(earlier.span)}).`,
          'Remove one of the two.',
        );
      checkAddress({ address, prefix_length, span }, carp, report);
    }
  }
}

function isBalanced({ balancing }: Carp): boolean {
  return balancing === 'arp';
}

function checkAddress({ address, prefix_length, span }: VirtualAddress, carp: Carp, report: Reporter): void {
  if (address === carp.source_address)
    report.error(
      span,
      'vip-is-own-address',
      `The virtual address ${address} is also the own address of this host.`,
      'Choose an address that no host has.',
    );
  if (carp.peers.includes(address))
    report.error(
      carp.spans['peers'] ?? span,
      'vip-is-peer',
      `The virtual address ${address} is also written as a peer.`,
      "Name the other node's own address.",
    );
  if (isNetworkOrBroadcast(address, prefix_length))
    report.error(
      span,
      'bad-address',
      `${address}/${prefix_length} is the address of the network itself or its broadcast address.`,
      'Choose an address of a host in that network.',
    );
}

function isNetworkOrBroadcast(address: string, prefix_length: number): boolean {
  if (prefix_length > 30 || address.includes(':')) return false;
  const number = address.split('.').reduce((sum, part) => sum * 256 + Number(part), 0);
  const size = 2 ** (32 - prefix_length);
  return number % size === 0 || number % size === size - 1;
}

/** OpenBSD's rule for 0 and 0 is 1/256 s; ucarp refuses it. Both at their highest are the mark of a bow-out. */
function checkInterval({ advbase, advskew, dialect, span, spans }: Carp, report: Reporter): void {
  if (advbase === 255 && advskew === 255) {
    const message =
      'An advert with advbase 255 and advskew 255 says that this node goes, so another takes over from each.';
    report.error(
      spans['advskew'] ?? span,
      'always-bows-out',
      message,
      'Make one of them smaller, such as `advskew 254`.',
    );
    return;
  }
  if (advbase > 0 || advskew > 0) return;
  const at = spans['advbase'] ?? span;
  const mend = 'Make one of them larger, such as `advbase 1`.';
  if (dialect === 'ucarp' || dialect === 'debian')
    report.error(at, 'no-interval', 'With advbase 0 and advskew 0 there is no time between adverts.', mend);
  else if (dialect !== 'openbsd')
    report.warning(
      at,
      'no-interval',
      'With advbase 0 and advskew 0 there are 256 adverts a second, as on OpenBSD.',
      mend,
    );
}

/** Several vhids with different advskew share load between nodes; without preempt the first failure ends that for good. */
function checkPreempt(carps: readonly Carp[], preempt: boolean, report: Reporter): void {
  const skews = new Set(carps.map(({ advskew }) => advskew));
  if (skews.size < 2 || preempt || carps.some((carp) => carp.preempt)) return;
  const last = carps[carps.length - 1];
  report.warning(
    last.spans['advskew'] ?? last.span,
    'preempt-missing',
    'The vhids differ in advskew as for sharing load, but without preempt a recovered node takes nothing back.',
    'Add `net.inet.carp.preempt=1` to sysctl.conf, or `preempt` to each carp section.',
  );
}

/** Adverts go to the peers or to everybody, and in one form of "everybody". */
function checkDestination(carp: Carp, report: Reporter): void {
  const { peers, addresses, broadcast, multicast_address, preempt, preempt_delay_ms, spans, span } = carp;
  const other = broadcast ? 'broadcast' : multicast_address === undefined ? undefined : 'multicast';
  if (peers.length > 0 && other !== undefined)
    report.error(
      spans['peers'] ?? span,
      'peer-and-group',
      `Adverts go to peers only, so \`${other}\` has no use beside \`peer\`.`,
      'Remove one of the two.',
    );
  for (const isIPv6 of [false, true]) {
    const has = (list: readonly string[]): boolean => list.some((one) => one.includes(':') === isIPv6);
    const needs = has(addresses.map(({ address }) => address));
    if (peers.length > 0 && needs && !has(peers))
      report.warning(
        spans['peers'] ?? span,
        'peer-missing',
        `There are IPv${isIPv6 ? 6 : 4} addresses but no IPv${isIPv6 ? 6 : 4} peer, so those adverts go to the multicast group.`,
        'Name the IPv4 and the IPv6 address of each other node.',
      );
  }
  for (const peer of peers)
    if (isTakenForMulticast(peer))
      report.warning(
        spans['peers'] ?? span,
        'peer-taken-for-multicast',
        `FreeBSD sends to ${peer} with a multicast MAC, as the last octet is from 224 to 239 (its bug 284872).`,
        'Where a FreeBSD is among the nodes, give this one an address with another last octet.',
      );
  if (preempt_delay_ms > 0 && !preempt)
    report.warning(spans['preempt_delay_ms'] ?? span, 'no-effect', '`preempt delay` has no use without `preempt`.');
}

/** On little-endian machines FreeBSD looks for a group's first octet at the wrong end. */
function isTakenForMulticast(peer: string): boolean {
  return !peer.includes(':') && Number(peer.split('.')[3]) >> 4 === 14;
}

/** Load is shared by the answers to who asks for a MAC, so by at least two vhids. */
function checkBalancing(carp: Carp, carps: readonly Carp[], report: Reporter): void {
  if (!isBalanced(carp)) return;
  const span = carp.spans['balancing'] ?? carp.span;
  const isShared = (address: string): boolean =>
    carps.some(
      (other) => other !== carp && isBalanced(other) && other.addresses.some((one) => one.address === address),
    );
  if (!carp.addresses.some(({ address }) => isShared(address)))
    report.warning(
      span,
      'balancing-alone',
      'Nothing is shared: no other vhid with `balancing arp` has these addresses.',
      'Give another vhid the same addresses, and each node another advskew for the two.',
    );
}

function checkTracks({ tracks }: Carp, report: Reporter): void {
  const seen = new Set<string>();
  for (const [position, { text, span }] of tracks.entries()) {
    if (seen.has(text))
      report.error(span, 'tracked-twice', `\`${text}\` is tracked already.`, 'Remove one of the two.');
    if (position === TRACK_LIMIT)
      report.error(span, 'too-many-tracks', `More than ${TRACK_LIMIT} services are tracked.`, 'Remove some of them.');
    seen.add(text);
  }
}

function checkCondition({ condition, span }: DemoteRule, backends: readonly Backend[], report: Reporter): void {
  for (const { test } of condition.flat() as Term[]) {
    if (test.kind === 'constant') continue;
    const backend = backends.find(({ name }) => name === test.backend);
    if (backend === undefined) {
      const names = backends.map(({ name }) => name);
      report.error(
        span,
        'unknown-backend',
        `The condition asks for the backend \`${test.backend}\`, which does not exist.`,
        didYouMean(test.backend, names),
      );
    } else if (test.kind === 'srv_is_up' && !backend.servers.some(({ name }) => name === test.server)) {
      const names = backend.servers.map(({ name }) => name);
      report.error(
        span,
        'unknown-server',
        `The backend \`${backend.name}\` has no server \`${test.server}\`.`,
        didYouMean(test.server, names),
      );
    }
  }
}
