/** What adverts and the answers to ARP and neighbour solicitations tell about one vhid. Pure. */
import type { DoctorVhid, HeardFrame, NeighbourAnswer, SegmentFacts } from './facts.ts';
import { type Finding, finding } from './finding.ts';

/** A MASTER that yields still sends one or two adverts. */
const CLAIMS_MIN = 3;

export function diagnoseSegment(
  vhid: DoctorVhid,
  all: readonly DoctorVhid[],
  segment: SegmentFacts,
  own_macs: ReadonlySet<string>,
): Finding[] {
  if (segment.listened_s === 0) return [];
  const frames = segment.frames.filter((frame) => frame.interface === vhid.interface);
  const mine = frames.filter((frame) => frame.protocol === 'carp' && frame.vhid === vhid.vhid);
  const good = mine.filter(({ authentic, ttl }) => authentic !== false && ttl === 255);
  // of a shared address each node answers a part of the clients, of which this host is one
  const alone = vhid.addresses.filter(
    (address) => !all.some((other) => other !== vhid && other.addresses.includes(address)),
  );
  const answers = segment.answers.filter((one) => one.interface === vhid.interface && !own_macs.has(one.mac));
  return [
    ...findWrongTtl(vhid, mine),
    ...findWrongDigest(vhid, all, frames, mine),
    ...findVrrp(vhid, frames),
    ...findEqual(vhid, good),
    ...findMasters(vhid, good),
    ...findSilence(vhid, good, segment),
    ...alone.flatMap((address) => findAnswers(vhid, address, segment.asked, mine, good, answers)),
  ];
}

function findWrongTtl({ name }: DoctorVhid, mine: readonly HeardFrame[]): Finding[] {
  return firstOfEach(mine.filter(({ ttl }) => ttl !== 255)).map(({ source, ttl }) => {
    const message = `Adverts of ${source} come with TTL ${ttl} and are dropped: an advert that is not forged and crossed no router has 255.`;
    const mend =
      'Look for a router or a tunnel between the nodes; CARP is for one segment, others need a line "peer ADDRESS" for each node.';
    return finding('error', 'ttl', name, message, mend);
  });
}

function findWrongDigest(
  vhid: DoctorVhid,
  all: readonly DoctorVhid[],
  frames: readonly HeardFrame[],
  mine: readonly HeardFrame[],
): Finding[] {
  const good = mine.some(({ authentic }) => authentic === true);
  return firstOfEach(mine.filter(({ authentic }) => authentic === false)).map(({ source }) => {
    const peer = frames.some((frame) => frame.source === source && frame.authentic === true);
    const message = `Adverts of ${source} for vhid ${vhid.vhid} do not authenticate, so the two nodes do not hear each other.`;
    if (good && !peer) {
      const clash = `${source} adverts vhid ${vhid.vhid} too, with another password or other addresses than the nodes of this vhid.`;
      const mend = `It is probably another group in the same segment: choose a vhid that is free${freeVhid(all, frames)}.`;
      return finding('error', 'vhid-clash', vhid.name, clash, mend);
    }
    const mend = `Make "pass", "vhid" and all addresses equal on both nodes ("carpool diff A B" compares the files). If ${source} is no node of this group, choose another vhid.`;
    return finding('error', 'digest', vhid.name, message, mend);
  });
}

/** Some number that nobody was heard to use. */
function freeVhid(all: readonly DoctorVhid[], frames: readonly HeardFrame[]): string {
  const used = new Set([...all, ...frames].map(({ vhid }) => vhid));
  for (let number = 1; number <= 255; number++) if (!used.has(number)) return `, such as ${number}`;
  return '';
}

function findVrrp({ name, vhid, mac }: DoctorVhid, frames: readonly HeardFrame[]): Finding[] {
  const speakers = firstOfEach(frames.filter((frame) => frame.protocol === 'vrrp' && frame.vhid === vhid));
  return speakers.map(({ source }) => {
    const message = `${source} speaks VRRP with the same number ${vhid}: both protocols use the MAC 00:00:5e:00:01:${hex(vhid)}.`;
    const mend = 'Give the CARP group or the VRRP group another number.';
    return finding(mac === 'virtual' ? 'error' : 'warning', 'vrrp-same-id', name, message, mend);
  });
}

function hex(number: number): string {
  return number.toString(16).padStart(2, '0');
}

function findEqual(vhid: DoctorVhid, good: readonly HeardFrame[]): Finding[] {
  const equal = good.filter(({ advbase, advskew }) => advbase === vhid.advbase && advskew === vhid.advskew);
  return firstOfEach(equal).map(({ source }) => {
    const message = `${source} has the same advbase ${vhid.advbase} and advskew ${vhid.advskew} as this node: who is MASTER is an accident.`;
    return finding(
      'warning',
      'equal-settings',
      vhid.name,
      message,
      'Give every node its own advskew; the lower is preferred.',
    );
  });
}

/** More than one that goes on adverting. */
function findMasters({ name, live, unicast, group }: DoctorVhid, good: readonly HeardFrame[]): Finding[] {
  const steady = firstOfEach(good).filter(
    ({ source }) => good.filter((frame) => frame.source === source && frame.advskew < 255).length >= CLAIMS_MIN,
  );
  const masters = steady.map(({ source }) => source);
  if (live?.state === 'MASTER') masters.push('this node');
  if (masters.length < 2) return [];
  const message = `There are several MASTERs: ${masters.join(' and ')}.`;
  const filters = unicast ? 'a firewall, a hypervisor' : 'a firewall, a switch with IGMP snooping, a hypervisor';
  const to = unicast ? '' : ` to ${group ?? '224.0.0.18'}`;
  const mend = `They do not hear each other. Look what filters protocol 112${to} in one direction: ${filters}.`;
  return [finding('error', 'several-masters', name, message, mend)];
}

function findSilence(vhid: DoctorVhid, good: readonly HeardFrame[], segment: SegmentFacts): Finding[] {
  if (good.length > 0 || vhid.live?.state === 'MASTER') return [];
  const message = `No advert for vhid ${vhid.vhid} was heard on ${vhid.interface} in ${segment.listened_s} s${vhid.live ? ', and this node is not MASTER' : ''}.`;
  if (vhid.live === undefined) {
    const mend =
      'No node is MASTER now, or its adverts do not get here: start the daemon, or look for a filter of multicast (224.0.0.18, protocol 112).';
    return [finding('hint', 'no-advert', vhid.name, message, mend)];
  }
  return [finding('warning', 'no-advert', vhid.name, message, '"carpool explain" tells what this node waits for.')];
}

function findAnswers(
  { name, live, interface: link }: DoctorVhid,
  address: string,
  asked: readonly string[],
  mine: readonly HeardFrame[],
  good: readonly HeardFrame[],
  answers: readonly NeighbourAnswer[],
): Finding[] {
  const macs = answers.filter((one) => one.address === address).map(({ mac }) => mac);
  const list = macs.join(' and ');
  if (live?.state === 'MASTER' && macs.length > 0 && mine.length > 0) {
    const message = `${address} is answered for by ${list} on ${link} as well: another node is MASTER at the same time.`;
    const mend =
      good.length > 0
        ? 'Its adverts come through, so it does not hear this node: look what filters IP protocol 112 from here to there.'
        : 'It adverts too: what is wrong with its adverts is told as well.';
    return [finding('error', 'address-twice', name, message, mend)];
  }
  if (live?.state === 'MASTER' && macs.length > 0) {
    const message = `${address} is answered for by ${list} on ${link} as well: another node is MASTER, and its adverts do not get here, or a machine has the address set by hand.`;
    const mend =
      'Look which machine that is. If it is a node, multicast is filtered between the two (224.0.0.18, protocol 112): a firewall, a switch with IGMP snooping, a hypervisor. Where it cannot be opened, name the other nodes with "peer ADDRESS" (unicast).';
    return [finding('error', 'multicast-filtered', name, message, mend)];
  }
  if (macs.length > 1) {
    const message = `${address} is answered for by ${list}: two machines hold it.`;
    return [
      finding(
        'error',
        'address-twice',
        name,
        message,
        'Run "carpool doctor" on both, and look for an address set by hand.',
      ),
    ];
  }
  if (live?.state === 'BACKUP' && good.length > 0 && macs.length === 0 && asked.includes(address)) {
    const message = `${good[0]!.source} is MASTER, but nobody answers ${address.includes(':') ? 'neighbour solicitations' : 'ARP'} for ${address}.`;
    const mend =
      'Look on that node whether the address is on its interface, and at its arp_ignore (doctor there tells).';
    return [finding('error', 'address-unanswered', name, message, mend)];
  }
  return [];
}

/** One frame for each node: a node that adverts over both families is known by its IPv4 source. */
function firstOfEach(frames: readonly HeardFrame[]): HeardFrame[] {
  const first = frames.filter((frame, i) => frames.findIndex(({ source }) => source === frame.source) === i);
  const macs = new Set(first.flatMap(({ source, mac }) => (source.includes(':') ? [] : mac)));
  return first.filter(({ source, mac }) => !source.includes(':') || !macs.has(mac));
}
