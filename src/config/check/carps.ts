/** CARP: what must be different on one node, and conditions that name what exists. */
import type { Backend, Carp, Config, DemoteRule, Term } from '../model.ts';
import type { Reporter } from '../reporter.ts';
import { didYouMean } from '../suggest.ts';
import { TRACK_LIMIT } from '../track.ts';
import { checkUnique, placeOf } from './names.ts';

export function checkCarps({ carps, backends }: Config, report: Reporter): void {
  checkUnique(carps, 'carp section', report);
  checkVhids(carps, report);
  checkAddresses(carps, report);
  checkPreempt(carps, report);
  for (const carp of carps) {
    checkInterval(carp, report);
    for (const rule of carp.demotions) checkCondition(rule, backends, report);
    checkTracks(carp, report);
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

function checkAddresses(carps: readonly Carp[], report: Reporter): void {
  const seen = new Map<string, string>();
  for (const { addresses, source_address } of carps) {
    for (const { address, prefix_length, span } of addresses) {
      const earlier = seen.get(address);
      if (earlier !== undefined)
        report.error(
          span,
          'duplicate-address',
          `The address ${address} is shared already (${earlier}).`,
          'Remove one of the two.',
        );
      else seen.set(address, placeOf(span));
      if (address === source_address)
        report.error(
          span,
          'vip-is-own-address',
          `The virtual address ${address} is also the own address of this host.`,
          'Choose an address that no host has.',
        );
      if (isNetworkOrBroadcast(address, prefix_length))
        report.error(
          span,
          'bad-address',
          `${address}/${prefix_length} is the address of the network itself or its broadcast address.`,
          'Choose an address of a host in that network.',
        );
    }
  }
}

function isNetworkOrBroadcast(address: string, prefix_length: number): boolean {
  if (prefix_length > 30) return false;
  const number = address.split('.').reduce((sum, part) => sum * 256 + Number(part), 0);
  const size = 2 ** (32 - prefix_length);
  return number % size === 0 || number % size === size - 1;
}

function checkInterval({ advbase, advskew, span, spans }: Carp, report: Reporter): void {
  if (advbase > 0 || advskew > 0) return;
  report.error(
    spans['advbase'] ?? span,
    'no-interval',
    'With advbase 0 and advskew 0 there is no time between adverts.',
    'Make one of them larger, such as `advbase 1`.',
  );
}

/** Several vhids with different advskew share load between nodes; without preempt the first failure ends that for good. */
function checkPreempt(carps: readonly Carp[], report: Reporter): void {
  const skews = new Set(carps.map(({ advskew }) => advskew));
  if (skews.size < 2 || carps.some(({ preempt }) => preempt)) return;
  const last = carps[carps.length - 1];
  report.warning(
    last.spans['advskew'] ?? last.span,
    'preempt-missing',
    'The vhids differ in advskew as for sharing load, but without preempt a recovered node takes nothing back.',
    'Add `net.inet.carp.preempt=1` to sysctl.conf, or `preempt` to each carp section.',
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
