/**
 * Listens on the vhids' interfaces for a bounded time, as the carp thread does, and asks by ARP who holds the VIPs. It
 * sends nothing but those questions, and they carry no address of this host (RFC 5227), so nobody learns anything wrong.
 */
import { SystemError } from '../../system/errors.ts';
import { parseAddress } from '../../system/ip-address.ts';
import type { Link } from '../../system/netlink.ts';
import { BPF_JUMP_EQUAL, BPF_LOAD_HALF, BPF_RETURN, BPF_WHOLE } from '../../system/packet-filter.ts';
import { CARP_GROUP_IPV4, ETH_P_ARP, ipv4Adverts, ipv6Adverts, PacketSocket } from '../../system/packet-socket.ts';
import type { ArpAnswer, DoctorVhid, HeardFrame, SegmentFacts } from './facts.ts';
import { formatMac, readHeardFrame } from './read-frame.ts';

/** Kept of one run; a segment with more is ill enough to be diagnosed by these. */
const FRAMES_MAX = 4096;
const ANSWERS_MAX = 1024;
const PASS_MS = 50;
/** Questions go out at the start and once more, for one may be lost. */
const ASK_AT_PASS: readonly number[] = [1, 10];
const ARP_REPLY = 2;

export async function listenTo(
  vhids: readonly DoctorVhid[],
  links: readonly Link[],
  listen_ms: number,
): Promise<SegmentFacts> {
  const names = new Set(vhids.map((vhid) => vhid.interface));
  const listened = links.filter((link) => names.has(link.name));
  const ears: Ear[] = [];
  try {
    for (const link of listened) ears.push(openEar(link, vhids));
    return await hear(ears, listen_ms);
  } catch (error) {
    if (!(error instanceof SystemError)) throw error;
    return { listened_s: 0, frames: [], answers: [], late_ms: 0 };
  } finally {
    for (const ear of ears) closeEar(ear);
  }
}

/** One interface: its sockets and what is asked there. */
type Ear = {
  readonly link: string;
  readonly adverts: readonly PacketSocket[];
  readonly arp: PacketSocket;
  readonly questions: readonly Uint8Array[];
  readonly vhids: readonly DoctorVhid[];
};

function openEar(link: Link, vhids: readonly DoctorVhid[]): Ear {
  const here = vhids.filter((vhid) => vhid.interface === link.name);
  const addresses = here.flatMap((vhid) => vhid.addresses.map((text) => parseAddress(text)));
  const arp = new PacketSocket(link.index, ARP_REPLIES);
  const groups = here.flatMap(({ group }) => {
    const bytes = parseAddress(group ?? '');
    return bytes === undefined ? [] : [bytes];
  });
  const adverts = [
    new PacketSocket(link.index, ipv4Adverts([CARP_GROUP_IPV4, ...groups])),
    new PacketSocket(link.index, ipv6Adverts()),
  ];
  const questions = addresses.flatMap((bytes) => (bytes?.length === 4 ? [arpProbe(link.mac, bytes)] : []));
  return { link: link.name, adverts, arp, questions, vhids: here };
}

function closeEar({ adverts, arp }: Ear): void {
  for (const socket of [...adverts, arp]) socket.close();
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

async function hear(ears: readonly Ear[], listen_ms: number): Promise<SegmentFacts> {
  const frames: HeardFrame[] = [];
  const answers: ArpAnswer[] = [];
  const start_ms = performance.now();
  let late_ms = 0;
  for (let pass = 1, due_ms = start_ms + PASS_MS; performance.now() < start_ms + listen_ms; pass++) {
    await new Promise((resolve) => setTimeout(resolve, PASS_MS));
    late_ms = Math.max(late_ms, Math.round(performance.now() - due_ms));
    due_ms = performance.now() + PASS_MS;
    for (const ear of ears) {
      if (ASK_AT_PASS.includes(pass)) for (const question of ear.questions) ear.arp.send(question);
      takeFrames(ear, frames);
      takeAnswers(ear, answers);
    }
  }
  return { listened_s: Math.round((performance.now() - start_ms) / 100) / 10, frames, answers, late_ms };
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

function takeAnswers({ link, arp }: Ear, answers: ArpAnswer[]): void {
  for (let length = arp.receive(); length >= 0 && answers.length < ANSWERS_MAX; length = arp.receive()) {
    if (length < 42) continue;
    const mac = formatMac(arp.frame.subarray(22, 28));
    const address = arp.frame.subarray(28, 32).join('.');
    const known = answers.some((one) => one.interface === link && one.address === address && one.mac === mac);
    if (!known) answers.push({ interface: link, address, mac });
  }
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
