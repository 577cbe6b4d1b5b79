/** One thing that happens to the host that has the address, and what a client and the addresses made of it. */
import { setTimeout as delay } from 'node:timers/promises';
import type { Gap } from '#src/lab/outages.js';
import { longestOutage } from '#src/lab/outages.js';
import { killAllInside } from '#src/lab/processes.js';
import { now_ns } from '#src/system/clock.js';
import { eventually, type Pair } from './pair.ts';

export const HAPPENINGS = ['kill', 'host death', 'graceful stop', 'link down'] as const;
export type Happening = (typeof HAPPENINGS)[number];

export type Trial = {
  /** Between the last probe that was answered before and the first one after. */
  readonly outage_ms: number;
  /** From the deed until the peer has the address. */
  readonly moved_ms: number;
  /** How long both hosts had it. */
  readonly overlap_ms: number;
  /** At the end of the trial both still had it. */
  readonly overlaps_still: boolean;
  /** The slowest TCP connection of those that were begun in the gap; undefined: none was. */
  readonly slowest_connect_ms: number | undefined;
  readonly failed_connects: number;
};

/** Longer than any of the programs needs. */
const MOVE_MS = 20_000;
/** A connection that was begun in the gap sends its SYN again after 1, 3 and 7 s. */
const CONNECTS_MS = 10_500;
/** A probe is given up after 250 ms and told of within 100 ms. */
const PROBES_ARE_DECIDED_MS = 400;
const CALM_MS = 300;
/** The deed happens at any time of an advert interval. */
const LONGEST_INTERVAL_MS = 1000;
/** A probe that was under way when it happened is a part of the outage. */
const UNDER_WAY_MS = 2;

export async function runTrial(pair: Pair, happening: Happening): Promise<Trial> {
  await pair.restore();
  await delay(CALM_MS + Math.random() * (pair.program.fast ? LONGEST_INTERVAL_MS / 10 : LONGEST_INTERVAL_MS));
  pair.connects = [];
  pair.gaps.gaps.length = 0;
  const [first, second] = pair.members;
  const began_ms = now_ns() / 1e6;
  doIt(pair, happening);
  const name = `${pair.program.name}, ${happening}: the peer has the address`;
  const spoken = () => second.daemon?.output.slice(-5).join('\n') ?? '';
  await eventually(name, () => second.holds, spoken, MOVE_MS);
  await eventually(`${name} and answers`, () => isAnswering(pair), spoken, MOVE_MS);
  await delay(PROBES_ARE_DECIDED_MS);
  const end_ms = now_ns() / 1e6;
  const window = { from_ms: began_ms - UNDER_WAY_MS, until_ms: end_ms };
  const gap = longestGap(pair.gaps.all(), window.from_ms);
  const connects = gap ? await connectsIn(pair, gap, end_ms) : [];
  const got_ms = second.presences.at(-1)!.from_ms;
  const lost_ms = happening === 'host death' ? began_ms : (first.presences.at(-1)?.until_ms ?? began_ms);
  return {
    outage_ms: longestOutage(pair.gaps.all(), window, end_ms),
    moved_ms: got_ms - began_ms,
    overlap_ms: Math.max(0, Math.min(lost_ms, end_ms) - got_ms),
    overlaps_still: lost_ms > end_ms,
    slowest_connect_ms:
      connects.length > 0 ? Math.max(...connects.map((one) => one.ended_ms - one.begun_ms)) : undefined,
    failed_connects: connects.filter((one) => !one.succeeded).length,
  };
}

function doIt(pair: Pair, happening: Happening): void {
  const { network, members, program } = pair;
  const [{ link, daemon }] = members;
  switch (happening) {
    case 'kill':
      // keepalived's two processes die together, else the one that is left starts the other again
      if (program.software === 'keepalived') killAllInside(link.namespace_fd);
      else daemon!.signal('SIGKILL');
      return;
    case 'host death':
      network.isolate(link);
      pair.mend = () => network.rejoin(link);
      killAllInside(link.namespace_fd);
      return;
    case 'graceful stop':
      daemon!.signal('SIGTERM');
      return;
    case 'link down':
      network.unplug(link);
      pair.mend = () => network.plug(link);
  }
}

/** What was probed lately was answered. */
function isAnswering({ gaps }: Pair): boolean {
  return gaps.silent_since_ms === undefined && (gaps.last_sent_ms ?? 0) > now_ns() / 1e6 - PROBES_ARE_DECIDED_MS;
}

function longestGap(gaps: readonly Gap[], from_ms: number): Gap | undefined {
  const length = (gap: Gap) => (gap.until_ms ?? Number.POSITIVE_INFINITY) - gap.from_ms;
  return gaps.filter((gap) => gap.lost_ms >= from_ms).sort((a, b) => length(b) - length(a))[0];
}

/** Waits until those that were begun in the gap have come about or failed. */
async function connectsIn(pair: Pair, gap: Gap, end_ms: number) {
  const until_ms = gap.until_ms ?? end_ms;
  const limit_ns = now_ns() + CONNECTS_MS * 1e6;
  const inGap = () => pair.connects.filter((one) => one.begun_ms >= gap.from_ms && one.begun_ms <= until_ms);
  // the slowest of them sent its first SYN within the gap, and its successful one at most 1, 2 or 4 s after its end
  const patience_ms = patienceOfSyn(until_ms - gap.from_ms);
  while (now_ns() / 1e6 < gap.from_ms + patience_ms && now_ns() < limit_ns) await delay(50);
  return inGap();
}

/** After a gap of this length every SYN that was lost in it has been sent again: 1, 3 or 7 s after the first. */
function patienceOfSyn(gap_ms: number): number {
  const again_ms = [1000, 3000, 7000].find((ms) => ms >= gap_ms) ?? 7000;
  return again_ms + gap_ms + PROBES_ARE_DECIDED_MS;
}
