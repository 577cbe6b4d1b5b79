/**
 * The way of one request or TCP session to a server.
 *
 *            picked             the owner connects
 *   IDLE ──▶ (pick) ──────────────────────────────▶ ASSIGNED ──▶ IDLE
 *              ▲                                        │ failed
 *              └──── TURN_AROUND ◀── the same again ────┘──▶ another one: pick at once
 */
import type { Backend } from './backend.ts';
import type { ProxyThread } from './proxy-thread.ts';
import type { Server } from './server.ts';

/** HAProxy's turn-around: how long to wait before the same server is tried again. */
const TURN_AROUND_MS = 1_000;

const IDLE = 0;
const ASSIGNED = 1;
const TURN_AROUND = 2;

/** Whoever wants a server. The calls come at once or later, from within the reactor. */
export interface Assignee {
  readonly thread: ProxyThread;
  /** There is room at this server: connect to it. */
  useServer(server: Server): void;
  /** No server takes it; cause and phase are HAProxy's termination state (manual, section 8.5). */
  noServer(cause: string, phase: string): void;
  /** `assignment.onTimer` is to be called after so many milliseconds. */
  wakeIn(after_ms: number): void;
}

export class Assignment {
  backend: Backend | null = null;
  /** Serving now. */
  server: Server | null = null;
  /** The last one that was asked: what the log names. */
  server_seen: Server | null = null;
  retries = 0;
  private readonly assignee: Assignee;
  private state = IDLE;

  constructor(assignee: Assignee) {
    this.assignee = assignee;
  }

  /** Forgets the last request; null: no backend. */
  reset(backend: Backend | null): void {
    this.backend = backend;
    this.server = null;
    this.server_seen = null;
    this.retries = 0;
    this.state = IDLE;
  }

  begin(): void {
    if (this.backend) this.search(null);
    else this.assignee.noServer('S', 'C');
  }

  /** No server is asked at present, but one will be. */
  get waits(): boolean {
    return this.state === TURN_AROUND;
  }

  onTimer(): void {
    if (this.state === TURN_AROUND) this.search(null);
  }

  /** The connection to the server did not come about. */
  failed(timed_out: boolean): void {
    const { server } = this;
    const backend = this.backend as Backend;
    this.leave();
    if (this.retries >= backend.config.retries) {
      this.assignee.noServer(timed_out ? 's' : 'S', 'C');
      return;
    }
    this.retries++;
    this.search(server);
  }

  /** A kept connection broke before the server answered: on a new one, to any server. */
  again(): void {
    this.leave();
    this.retries++;
    this.search(null);
  }

  /** Also when it never came to a server. */
  leave(): void {
    const { server } = this;
    this.server = null;
    this.state = IDLE;
    server?.leave();
  }

  private search(avoid: Server | null): void {
    const backend = this.backend as Backend;
    const server = backend.pick(avoid);
    if (!server) {
      this.assignee.noServer('S', 'C');
    } else if (server === avoid) {
      this.state = TURN_AROUND;
      this.assignee.wakeIn(Math.min(TURN_AROUND_MS, backend.connect_ms));
    } else {
      this.assign(server);
    }
  }

  private assign(server: Server): void {
    this.state = ASSIGNED;
    this.server = server;
    this.server_seen = server;
    server.enter();
    this.assignee.useServer(server);
  }
}
