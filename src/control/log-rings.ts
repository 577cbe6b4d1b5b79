/**
 * The rings of the configuration: the latest lines of their `log` targets, in memory.
 *
 *   data threads ─┐              ┌─▶ show events (and its followers)
 *   the daemon ───┴─▶ LogRing ───┴─▶ RingForwarder: each `server`, over TCP
 *
 * Nobody waits: when a ring is full its oldest lines go, and those that a server has not got by then are counted.
 */
import type { Ring } from '../config/model.ts';
import { RingForwarder } from './ring-forwarder.ts';

/** What a line costs beside its bytes. */
const LINE_OVERHEAD_BYTES = 8;
const NEWLINE = 10;

export class LogRing {
  readonly config: Ring;
  /** Lines that a server did not get. */
  dropped = 0;
  private lines: Uint8Array[] = [];
  private bytes = 0;
  /** How many lines there were before the oldest one. */
  private gone = 0;
  private readonly forwarders: readonly RingForwarder[];
  private readonly followers = new Set<(line: Uint8Array) => void>();

  constructor(config: Ring) {
    this.config = config;
    this.forwarders = config.servers.map((server) => new RingForwarder(this, server));
  }

  /** How many lines there ever were. */
  get count(): number {
    return this.gone + this.lines.length;
  }

  /** By its number from 0; undefined: it is gone, or not there yet. */
  line(number: number): Uint8Array | undefined {
    return this.lines[number - this.gone];
  }

  get oldest(): number {
    return this.gone;
  }

  all(): readonly Uint8Array[] {
    return this.lines;
  }

  /** Without its line feed. */
  put(line: Uint8Array): void {
    this.lines.push(line);
    this.bytes += line.length + LINE_OVERHEAD_BYTES;
    if (this.bytes > this.config.size_bytes) this.makeRoom();
    for (const follow of this.followers) follow(line);
    for (const forwarder of this.forwarders) forwarder.wake();
  }

  private makeRoom(): void {
    let count = 0;
    while (this.bytes > this.config.size_bytes) this.bytes -= this.lines[count++].length + LINE_OVERHEAD_BYTES;
    this.lines = this.lines.slice(count);
    this.gone += count;
  }

  /** Calls for each line from now on, until what it returns is called. */
  follow(act: (line: Uint8Array) => void): () => void {
    this.followers.add(act);
    return () => void this.followers.delete(act);
  }

  /** Sends what it can at once, and goes. */
  close(): void {
    for (const forwarder of this.forwarders) forwarder.close();
  }
}

class LogRings {
  private readonly rings = new Map<string, LogRing>();

  /** A ring that stays as it is keeps its lines and its connections. */
  configure(configs: readonly Ring[]): void {
    const wanted = new Map(configs.map((config) => [config.name, config]));
    for (const [name, ring] of this.rings) {
      const config = wanted.get(name);
      if (config !== undefined && isSame(config, ring.config)) continue;
      ring.close();
      this.rings.delete(name);
    }
    for (const config of configs) {
      if (!this.rings.has(config.name)) this.rings.set(config.name, new LogRing(config));
    }
  }

  /** Lines that each end with a line feed. A ring that a reload took away gets none. */
  put(name: string, lines: Uint8Array): void {
    const ring = this.rings.get(name);
    if (ring === undefined) return;
    for (let start = 0; start < lines.length; ) {
      const feed = lines.indexOf(NEWLINE, start);
      const end = feed < 0 ? lines.length : feed;
      ring.put(lines.slice(start, end));
      start = end + 1;
    }
  }

  named(name: string): LogRing | undefined {
    return this.rings.get(name);
  }

  all(): LogRing[] {
    return [...this.rings.values()];
  }

  get dropped(): number {
    return this.all().reduce((sum, ring) => sum + ring.dropped, 0);
  }

  close(): void {
    for (const ring of this.rings.values()) ring.close();
  }
}

/** Of this process. */
export const logRings = new LogRings();

function isSame(a: Ring, b: Ring): boolean {
  const plain = (ring: Ring) => JSON.stringify(ring, (key, value) => (key === 'span' ? undefined : value));
  return plain(a) === plain(b);
}
