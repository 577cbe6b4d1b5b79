/**
 * Listens on the vhids' interfaces for a bounded time, as the carp thread does, and asks by ARP and neighbour
 * solicitations who holds the VIPs. It sends nothing but those questions; those of ARP carry no address of this host (RFC
 * 5227), the others its link-local one, which is where the answers go. So nobody learns anything wrong.
 */
import { ICMPV6, NEIGHBOUR_ADVERTISEMENT, neighbourSolicitation } from '../../carp/announce.ts';
import { GROUP_IPV4 } from '../../carp/frame.ts';
import { findSource6 } from '../../system/carp-sources.ts';
import { SystemError } from '../../system/errors.ts';
import { formatAddress, parseAddress } from '../../system/ip-address.ts';
import {
  decodeAddress,
  GROUP_IPV4_ADDRESS,
  GROUP_IPV6_ADDRESS,
  type InterfaceAddress,
  type Link,
  NetlinkEvents,
} from '../../system/netlink.ts';
import { RTM_DELADDR } from '../../system/netlink-message.ts';
import { BPF_JUMP_EQUAL, BPF_LOAD_BYTE, BPF_LOAD_HALF, BPF_RETURN, BPF_WHOLE } from '../../system/packet-filter.ts';
import { ETH_P_ARP, ETH_P_IPV6, ipv4Adverts, ipv6Adverts, PacketSocket } from '../../system/packet-socket.ts';
import type { DoctorVhid, HeardFrame, NeighbourAnswer, SegmentFacts } from './facts.ts';
import { formatMac, readHeardFrame } from './read-frame.ts';

/** Kept of one run; a segment with more is ill enough to be diagnosed by these. */
const FRAMES_MAX = 4096;
const ANSWERS_MAX = 1024;
const PASS_MS = 50;
/** Questions go out at the start and once more, for one may be lost. */
const ASK_AT_PASS: readonly number[] = [1, 10];
const ARP_REPLY = 2;
const ICMPV6_AT = 54;
/** RFC 4861, 4.4. */
const SOLICITED = 0x40;

export async function listenTo(
  vhids: readonly DoctorVhid[],
  links: readonly Link[],
  addresses: readonly InterfaceAddress[],
  listen_ms: number,
): Promise<SegmentFacts> {
  const names = new Set(vhids.map((vhid) => vhid.interface));
  const listened = links.filter((link) => names.has(link.name));
  const ears: Ear[] = [];
  const removals = new Removals(vhids);
  try {
    for (const link of listened) ears.push(openEar(link, vhids, addresses));
    return await hear(ears, removals, listen_ms);
  } catch (error) {
    if (!(error instanceof SystemError)) throw error;
    return { allowed: false, listened_s: 0, frames: [], asked: [], answers: [], removed: [], late_ms: 0 };
  } finally {
    for (const ear of ears) closeEar(ear);
    removals.close();
  }
}

/** One interface: its sockets and what is asked there. */
type Ear = {
  readonly link: string;
  readonly mac: Uint8Array;
  readonly adverts: readonly PacketSocket[];
  readonly arp: PacketSocket;
  readonly neighbours: PacketSocket;
  readonly questions: readonly Question[];
  readonly vhids: readonly DoctorVhid[];
};

type Question = { readonly address: string; readonly frame: Uint8Array };

function openEar(link: Link, vhids: readonly DoctorVhid[], present: readonly InterfaceAddress[]): Ear {
  const here = vhids.filter((vhid) => vhid.interface === link.name);
  const addresses = here.flatMap((vhid) => vhid.addresses);
  const arp = new PacketSocket(link.index, ARP_REPLIES);
  const neighbours = new PacketSocket(link.index, ADVERTISEMENTS);
  const groups = here.flatMap(({ group }) => {
    const bytes = parseAddress(group ?? '');
    return bytes === undefined ? [] : [bytes];
  });
  const adverts = [
    new PacketSocket(link.index, ipv4Adverts([GROUP_IPV4, ...groups])),
    new PacketSocket(link.index, ipv6Adverts()),
  ];
  const own = present.filter((one) => one.index === link.index && !addresses.includes(one.address));
  const asker = parseAddress(findSource6(own) ?? '');
  const questions = addresses.flatMap((address) => questionFor(address, link.mac, asker) ?? []);
  return { link: link.name, mac: link.mac, adverts, arp, neighbours, questions, vhids: here };
}

/** Undefined for an IPv6 address where there is none to ask from. */
function questionFor(address: string, mac: Uint8Array, asker: Uint8Array | undefined): Question | undefined {
  const bytes = parseAddress(address);
  if (bytes?.length === 4) return { address, frame: arpProbe(mac, bytes) };
  if (bytes === undefined || asker === undefined) return undefined;
  return { address, frame: neighbourSolicitation({ mac, address: asker }, bytes) };
}

function closeEar({ adverts, arp, neighbours }: Ear): void {
  for (const socket of [...adverts, arp, neighbours]) socket.close();
}

const ARP_REPLIES = {
  ethertype: ETH_P_ARP,
  filter: [
    [BPF_LOAD_HALF, 0, 0, 20],
    [BPF_JUMP_EQUAL, 0, 1, ARP_REPLY],
    [BPF_RETURN, 0, 0, BPF_WHOLE],
    [BPF_RETURN, 0, 0, 0],
  ],
  groups: [],
} as const;

const ADVERTISEMENTS = {
  ethertype: ETH_P_IPV6,
  filter: [
    [BPF_LOAD_BYTE, 0, 0, 20],
    [BPF_JUMP_EQUAL, 0, 3, ICMPV6],
    [BPF_LOAD_BYTE, 0, 0, ICMPV6_AT],
    [BPF_JUMP_EQUAL, 0, 1, NEIGHBOUR_ADVERTISEMENT],
    [BPF_RETURN, 0, 0, BPF_WHOLE],
    [BPF_RETURN, 0, 0, 0],
  ],
  groups: [],
} as const;

/** The VIPs that go from this host, as the kernel tells. */
class Removals {
  readonly found: string[] = [];
  readonly #news = new NetlinkEvents(GROUP_IPV4_ADDRESS | GROUP_IPV6_ADDRESS, 'no host addresses');
  readonly #vips: ReadonlySet<string>;

  constructor(vhids: readonly DoctorVhid[]) {
    this.#vips = new Set(vhids.flatMap(({ addresses }) => addresses));
  }

  take(): void {
    this.#news.read({
      message: (message) => {
        const gone = message.type === RTM_DELADDR ? decodeAddress(message)?.address : undefined;
        if (gone !== undefined && this.#vips.has(gone) && this.found.length < ANSWERS_MAX) this.found.push(gone);
      },
      lost: () => {},
    });
  }

  close(): void {
    this.#news.close();
  }
}

async function hear(ears: readonly Ear[], removals: Removals, listen_ms: number): Promise<SegmentFacts> {
  const frames: HeardFrame[] = [];
  const answers: NeighbourAnswer[] = [];
  const asked = ears.flatMap(({ questions }) => questions.map(({ address }) => address));
  const start_ms = performance.now();
  let late_ms = 0;
  let due_ms = start_ms + PASS_MS;
  const look = () => {
    late_ms = Math.max(late_ms, Math.round(performance.now() - due_ms));
    due_ms = performance.now() + PASS_MS;
  };
  for (let pass = 1; performance.now() < start_ms + listen_ms; pass++) {
    await new Promise((resolve) => setTimeout(resolve, PASS_MS));
    look();
    for (const ear of ears) {
      if (ASK_AT_PASS.includes(pass)) askAll(ear);
      takeFrames(ear, frames);
      takeAnswers(ear, answers);
    }
    removals.take();
  }
  look(); // the last pass may have been the long one
  const listened_s = Math.round((performance.now() - start_ms) / 100) / 10;
  return { allowed: true, listened_s, frames, asked, answers, removed: removals.found, late_ms };
}

function askAll({ questions, arp, neighbours }: Ear): void {
  for (const { address, frame } of questions) (address.includes(':') ? neighbours : arp).send(frame);
}

function takeFrames({ link, adverts, vhids }: Ear, frames: HeardFrame[]): void {
  const authOf = (number: number) => vhids.find(({ vhid }) => vhid === number)?.auth;
  for (const socket of adverts) {
    for (let length = socket.receive(); length >= 0 && frames.length < FRAMES_MAX; length = socket.receive()) {
      const frame = readHeardFrame(link, socket.frame.subarray(0, length), authOf);
      if (frame !== undefined) frames.push(frame);
    }
  }
}

/** Only what was said to us: a MASTER announces its addresses to everybody, even where the host would not answer for them. */
function takeAnswers({ link, mac: own, arp, neighbours }: Ear, answers: NeighbourAnswer[]): void {
  const take = (address: Uint8Array, mac: Uint8Array): void => {
    const answer = { interface: link, address: formatAddress(address), mac: formatMac(mac) };
    const known = answers.some(
      (one) => one.interface === link && one.address === answer.address && one.mac === answer.mac,
    );
    if (!known && answers.length < ANSWERS_MAX) answers.push(answer);
  };
  for (let count = 0, length = arp.receive(); length >= 0 && count < ANSWERS_MAX; count++, length = arp.receive())
    if (length >= 42 && own.every((byte, index) => arp.frame[32 + index] === byte))
      take(arp.frame.slice(28, 32), arp.frame.subarray(22, 28));
  // the MAC is the sender's: an option with it need not be there
  for (
    let count = 0, length = neighbours.receive();
    length >= 0 && count < ANSWERS_MAX;
    count++, length = neighbours.receive()
  )
    if (length >= ICMPV6_AT + 24 && (neighbours.frame[ICMPV6_AT + 4]! & SOLICITED) !== 0)
      take(neighbours.frame.slice(ICMPV6_AT + 8, ICMPV6_AT + 24), neighbours.frame.subarray(6, 12));
}

/** "Who has this address?", from nobody (RFC 5227). */
function arpProbe(mac: Uint8Array, address: Uint8Array): Uint8Array {
  const nobody = [0, 0, 0, 0];
  const request = [0, 1, 8, 0, 6, 4, 0, 1];
  return Uint8Array.of(
    ...Array(6).fill(255),
    ...mac,
    8,
    6,
    ...request,
    ...mac,
    ...nobody,
    ...Array(6).fill(0),
    ...address,
  );
}
