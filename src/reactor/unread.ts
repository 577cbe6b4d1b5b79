/**
 * Clients that nobody reads at present, because their server stalls or they wait for it. A receive would tell that such a client
 * resets; without one the kernel is asked to say that alone, once it lasts: most are read again before, and cost nothing.
 *
 *   read ── receive ended ──▶ NOTED ── look ──▶ LASTING ── look ──▶ watched ── reset ──▶ told
 *     ▲                         └── read again ───┴────────────────────┘
 *
 * What such a client said before is dropped: nobody is left to hear what comes of it. Servers are not watched, for what they said
 * before they reset may still be wanted.
 */
import { OPEN, type Socket } from './socket.ts';

/** Between two looks: whoever is watched was not read for once to twice as long. */
const LOOK_MS = 100;
const NEVER = Number.POSITIVE_INFINITY;

/** What `Socket.unread` says: not in the list, or how many looks it has passed there. */
const NOT_NOTED = 0;
const NOTED = 1;
const LASTING = 2;

export interface WatchingReactor {
  readonly now_ms: number;
  /** The kernel tells of a reset from now on (`hearReset`), also of one that was before. */
  beginWatch(socket: Socket): void;
  /** The reset that was heard of, or else 0; the owner knows then. */
  tellReset(socket: Socket): void;
}

export class Unread {
  /** When to look; Infinity: nobody is noted. */
  next_look_ms = NEVER;
  private readonly reactor: WatchingReactor;
  /** Each socket at most once. */
  private noted: Socket[] = [];
  private looked: Socket[] = [];

  constructor(reactor: WatchingReactor) {
    this.reactor = reactor;
  }

  /** No receive of it is with the kernel any more. */
  note(socket: Socket): void {
    if (!isUnread(socket)) return;
    if (socket.unread === NOT_NOTED) this.noted.push(socket);
    socket.unread = NOTED;
    if (this.next_look_ms === NEVER) this.next_look_ms = this.reactor.now_ms + LOOK_MS;
  }

  /** It broke, says the kernel. Who is read hears of that in its turn. */
  hearReset(socket: Socket): void {
    socket.broken = true;
    if (socket.unread === NOT_NOTED && isUnread(socket)) this.reactor.tellReset(socket);
  }

  look(): void {
    const { now_ms } = this.reactor;
    if (now_ms < this.next_look_ms) return;
    const round = this.noted;
    this.noted = this.looked;
    this.looked = round;
    for (let index = 0; index < round.length; index++) this.lookAt(round[index]);
    round.length = 0;
    this.next_look_ms = this.noted.length > 0 ? now_ms + LOOK_MS : NEVER;
  }

  private lookAt(socket: Socket): void {
    const lasts = socket.unread === LASTING;
    socket.unread = NOT_NOTED;
    if (!isUnread(socket)) return;
    if (!lasts) {
      socket.unread = LASTING;
      this.noted.push(socket);
    } else if (socket.broken || socket.send_error !== 0) this.reactor.tellReset(socket);
    else if (!socket.watching) this.reactor.beginWatch(socket);
  }
}

function isUnread(socket: Socket): boolean {
  return socket.state === OPEN && !socket.armed && !socket.ended && socket.admitted_by !== null;
}
