/**
 * How long each thing may take, derived from the rules. With
 *
 *   I  interval      advbase + advskew / 256, the advskew demoted
 *   T  master-down   3 · advbase + advskew / 256 (undemoted); with advbase 0 three demoted intervals; of a demoted one that tells
 *                    so in byte 4 at least three of the slowest, for it waits for a slow one that is not demoted
 *   D  the longest delay of a frame on this segment        W  how late a timer fires        R  from start to ready
 *   ρ  clocks run up to 1/1000 fast or slow: what a node measures as t takes at most t (1 + 2ρ)
 *
 * hear       A MASTER is heard by whom it can reach:           I + D + W    (it adverts each I). An equal one with both
 *            families of which IPv6 alone arrives: 3 I more, for so long IPv4 is to decide
 * preempt    A BACKUP that is preferred to a MASTER which it hears, and hears nobody it gives way to:   I + I' + D + W
 *            (I' its own: for so long it may believe in one that it heard before); with a preempt delay that and I + D + W more
 * takeover   A BACKUP that no MASTER can reach becomes one:    T + D + W    (an advert may still be on its way for D;
 *            counted from the last one that yielded, which says so); silence over one of its families is enough
 * settle     After the faults stop there is one MASTER, and it stays, after
 *
 *     D' + R + T + 3 I + 6 (D + W)         with I, T the longest of the vhid's nodes and D' the longest delay before
 *
 *   Why: at most D' + R later everybody attends and no old frame is on its way. If nobody is MASTER, somebody is T later.
 *   The preferred one of all MASTERs is heard by everybody within I + D: the others yield, and whoever preempts it (at
 *   the latest by its second advert), or does not wait that long for anybody, is preferred to it and becomes MASTER. Of
 *   those the preferred one is heard D later, as every new MASTER adverts at once. One more I covers nodes (advbase 0)
 *   that had run out of patience just before they could hear the first. After that nobody hears what would move it.
 *   Where sending had failed, the demotion for it ends with the third advert that leaves: 3 I more.
 * held up    A MASTER that stood still for 3 · advbase or 2 I, the longer of them (with advbase 0 for 3 I or 100 ms), or
 *            beyond its lease, listens first.
 * ucarp      hears up to 1 s late (each bound in which it listens grows by that), wakes once an interval, and looks
 *            again at a link that was down after 10 s: its T grows by both.
 * kernels    Two equal MASTERs may both yield: T and I (of the one that waits unevenly) more until all has settled, and
 *            I more for a takeover.
 * hand-over  Two hear each other, one moves: 2 (D + W). After a bow-out somebody is MASTER, and a demoted MASTER has
 *            yielded to a peer that is preferred.
 */
import { DEMOTION_LIMIT, demotedSkew, interval_us, masterDown_us } from '../carp/election.ts';
import { SHORT_STALL_NS } from '../carp/stall.ts';
import { compare, type Group, type Member } from './group.ts';
import { READY_NS, WAKE_NS } from './host.ts';
import { UCARP_BATCH_NS, UCARP_SLEEP_NS } from './peers/ucarp.ts';
import { DRIFT_PPM_MAX } from './scenario.ts';

export const CLOCKS = 1 + (2 * DRIFT_PPM_MAX) / 1e6;
const SEND_SUCCESSES = 3;
/** A removed address is added again this late at most. */
export const ADD_AGAIN_NS = 1e9 * CLOCKS + 2 * WAKE_NS;

/** `listener` reacts to what `master` adverts. */
export function hear_ns(group: Group, master: Member, listener: Member): number {
  // a kernel that is no longer demoted keeps the time of its next advert
  const freebsd_us = master.isKernel ? interval_us(master.settings.advbase, DEMOTION_LIMIT) : 0;
  const tie_us = master.settings.families === 46 && compare(master, listener) === 0 ? 3 * master.interval_us : 0;
  const longest_us = Math.max(master.interval_us, freebsd_us) + tie_us;
  return 1000 * longest_us * CLOCKS + group.segment.delay_ns + 2 * WAKE_NS + late_ns(listener);
}

/** How much later than others a ucarp hears. */
export function late_ns(listener: Member): number {
  return listener.kind === 'ucarp' ? UCARP_BATCH_NS * CLOCKS : 0;
}

/** And how much later it acts on silence: it wakes once an interval, and late after its link was down. */
function sleep_ns({ kind, host, settings }: Member): number {
  if (kind !== 'ucarp') return 0;
  return 1000 * interval_us(settings.advbase, settings.advskew) + (host.had_link_down ? UCARP_SLEEP_NS : 0);
}

export function preempt_ns(group: Group, backup: Member, master: Member): number {
  const own_ns = 1000 * backup.interval_us + sleep_ns(backup);
  const delay_ms = backup.settings.delay_ms ?? 0;
  const delayed_ns = delay_ms === 0 ? 0 : delay_ms * 1e6 * CLOCKS + hear_ns(group, master, backup);
  return hear_ns(group, master, backup) + own_ns * CLOCKS + delayed_ns;
}

export function takeover_ns(group: Group, backup: Member): number {
  // a demotion can make it the equal of a kernel, to which it yields: then it waits unevenly
  const besideKernel = backup.kind === 'carpool' && group.members.some(({ isKernel }) => isKernel);
  const uneven_ns = besideKernel ? 1000 * backup.interval_us : 0;
  return (
    (masterDown_ns(backup) + uneven_ns) * CLOCKS +
    group.segment.worst_delay_ns +
    2 * WAKE_NS +
    late_ns(backup) +
    sleep_ns(backup) * CLOCKS
  );
}

export function handOver_ns(group: Group): number {
  return 2 * (group.segment.delay_ns + WAKE_NS);
}

export function settle_ns(group: Group, send_errors: boolean): number {
  const longest_ns = Math.max(...group.members.map(({ settings }) => 1000 * interval_us(settings.advbase, 255)));
  const patience_ns = Math.max(...group.members.map(masterDown_ns));
  const intervals = 3 + (send_errors ? SEND_SUCCESSES : 0);
  const { worst_delay_ns } = group.segment;
  const ucarp_ns = Math.max(...group.members.map((member) => intervals * late_ns(member) + sleep_ns(member)));
  return (
    ucarp_ns * CLOCKS +
    worst_delay_ns +
    READY_NS +
    (patience_ns + intervals * longest_ns) * CLOCKS +
    3 * handOver_ns(group)
  );
}

/** A MASTER that was silent for so long may have been replaced. */
export function patience_ns({ settings, interval_us }: Member): number {
  if (settings.advbase === 0) return Math.max(3000 * interval_us, SHORT_STALL_NS) * CLOCKS;
  return Math.max(3e9 * settings.advbase, 2000 * interval_us) * CLOCKS;
}

function masterDown_ns({ kind, settings, demotion, group }: Member): number {
  if (kind === 'openbsd') return 3000 * interval_us(settings.advbase, settings.advskew);
  const advskew = settings.advbase === 0 ? demotedSkew(settings.advskew, demotion) : settings.advskew;
  const own_ns = 1000 * masterDown_us(3, settings.advbase, advskew);
  if (!settings.demote_byte || demotion === 0) return own_ns;
  return Math.max(own_ns, ...group.members.map((other) => 3000 * other.interval_us));
}
