/**
 * A new process goes on with the vhids of an old one on the same host, and the addresses never leave:
 *
 *   new ── hand-over vhids ──▶ old      it says what it is MASTER of, again after each move
 *   new: ready, MASTER of the same, renews the leases; closes the connection; signals the old one
 *   old: stops being anything, without a bow-out, and removes nothing of what the new one runs
 *
 * For a moment both advert, the same from the same address, so that the other node hears no silence. When the new process
 * dies first, its names of vhids (vhid-locks.ts) are gone, and the old one stops as always.
 */
import { connect } from 'node:net';
import type { Daemon } from './daemon-state.ts';
import { HAND_OVER_VHIDS } from './hand-over-words.ts';
import { waitUntil } from './shutdown.ts';
import { releaseVhids, secondDaemons } from './vhid-locks.ts';

/** What the old process has, as `1@eth0`, while it answers. */
export type Succession = {
  readonly vhids: () => ReadonlySet<string>;
  readonly masters: () => ReadonlySet<string>;
  /** This process is in place. */
  close(): void;
};

type Offer = { readonly vhids: readonly string[]; readonly masters: readonly string[] };

const ANSWER_MS = 5_000;
const STATUS_MS = 1_000;
const LEAVE_MS = 1_000;
const CLOSE_MS = 100;

// ── the new process ───────────────────────────────────────────────────────────────────────────────────

/** Undefined where the process behind the socket has no vhids to give, or does not know how. */
export function standBy(path: string): Promise<Succession | undefined> {
  return new Promise((resolve) => {
    let offer: Offer = { vhids: [], masters: [] };
    let rest = '';
    const socket = connect(path, () => socket.write(`${HAND_OVER_VHIDS}\n`));
    const timer = setTimeout(() => socket.destroy(), ANSWER_MS);
    const succession: Succession = {
      vhids: () => new Set(offer.vhids),
      masters: () => new Set(offer.masters),
      close: () => socket.destroy(),
    };
    socket.setEncoding('utf8').on('data', (text: string) => {
      const lines = (rest + text).split('\n');
      rest = lines.pop()!;
      const last = lines.findLast((line) => line.startsWith('{'));
      if (last === undefined) return;
      offer = JSON.parse(last);
      clearTimeout(timer);
      resolve(offer.vhids.length > 0 ? succession : undefined);
    });
    socket.on('error', () => {}); // `close` follows
    socket.once('close', () => {
      clearTimeout(timer);
      // it has ended, or said no; what its guardian took away is not ours to go on with
      offer = { vhids: [], masters: [] };
      resolve(undefined);
    });
  });
}

/** Runs the vhids from now on; what the old process, `pid`, is MASTER of this one is then, too. */
export async function goOn(daemon: Daemon, succession: Succession, pid: number): Promise<void> {
  const { carp } = daemon;
  if (carp === undefined) return;
  const reason = `taking over from process ${pid} of this host`;
  const known = succession.vhids();
  const masters = succession.masters();
  daemon.generation.demoter.evaluate();
  carp.post({ kind: 'take-over', adopts: slotsAmong(daemon, known) });
  carp.post({ kind: 'undemote', owner: 'starting' });
  for (const index of slotsAmong(daemon, masters)) carp.post({ kind: 'set-state', index, state: 'MASTER', reason });
  await carp.status(STATUS_MS); // messages are heard in their order
}

function slotsAmong({ node }: Daemon, names: ReadonlySet<string>): number[] {
  return node.slots.flatMap((slot, index) => (slot && names.has(`${slot.vhid}@${slot.interface}`) ? index : []));
}

// ── the old process ───────────────────────────────────────────────────────────────────────────────────

/** Tells what there is to go on with, until the returned function is called: then the new process is in place. */
export function offerVhids(daemon: Daemon, write: (line: string) => void): () => void {
  let is_telling = false;
  const tell = async () => {
    if (is_telling) return;
    is_telling = true;
    const vhids = (await daemon.carp?.status(STATUS_MS))?.vhids ?? [];
    is_telling = false;
    const masters = vhids.filter(({ state }) => state === 'MASTER');
    write(JSON.stringify({ vhids: vhids.map(nameOf), masters: masters.map(nameOf) } satisfies Offer));
  };
  const unfollow = daemon.events.follow((line) => {
    if (line.includes('"transition"')) void tell();
  });
  void tell();
  daemon.successor = 'coming';
  return () => {
    unfollow();
    daemon.successor = 'in place';
  };
}

/** Part of the end: whatever a process that is in place runs is left to it. */
export async function leaveVhids(daemon: Daemon, reason: string): Promise<void> {
  // its signal may be quicker than the end of its connection
  if (daemon.successor === 'coming') await waitUntil(() => daemon.successor === 'in place', CLOSE_MS);
  if (daemon.successor !== 'in place' || daemon.carp === undefined) return;
  const names = new Set(secondDaemons().map(({ name }) => name));
  const leaves = slotsAmong(daemon, names);
  if (leaves.length === 0) return;
  await daemon.carp.stop(reason, LEAVE_MS, leaves);
  releaseVhids();
}

function nameOf(vhid: { readonly vhid: number; readonly interface: string }): string {
  return `${vhid.vhid}@${vhid.interface}`;
}
