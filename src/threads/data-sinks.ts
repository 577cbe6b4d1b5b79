/** The ways of one data thread to the log targets: those that log to the same one share it, across configurations. */
import type { LogTarget } from '../config/model.ts';
import { DatagramSink, RingSink, type Sink } from '../proxy/log/sink.ts';
import type { Reactor } from '../reactor/reactor.ts';
import { connectUdp, connectUnixDatagram } from '../system/log-socket.ts';
import { type FromData, type LineKey, type LineTarget, lineKey } from './data-messages.ts';
import { LineRing } from './line-ring.ts';

/** Lost lines are told of at most so often. */
const DROPPED_MS = 1_000;

export class DataSinks {
  private readonly reactor: Reactor;
  private readonly thread: number;
  private readonly tell: (message: FromData) => void;
  private readonly byTarget = new Map<string, Sink>();
  private readonly all: Sink[] = [];
  private readonly rings = new Map<LineKey, SharedArrayBuffer>();
  private told = 0;
  private told_ms = 0;

  constructor(reactor: Reactor, thread: number, tell: (message: FromData) => void) {
    this.reactor = reactor;
    this.thread = thread;
    this.tell = tell;
  }

  /** Before `sinkFor` of what goes there. */
  addLines(lines: readonly LineTarget[]): void {
    for (const { key, ring } of lines) if (!this.rings.has(key)) this.rings.set(key, ring);
  }

  sinkFor({ to }: LogTarget): Sink {
    const key = JSON.stringify(to);
    const known = this.byTarget.get(key);
    if (known) return known;
    const sink = this.open(to);
    this.byTarget.set(key, sink);
    this.all.push(sink);
    return sink;
  }

  private open(to: LogTarget['to']): Sink {
    const { reactor, thread } = this;
    if (to.kind === 'udp') return new DatagramSink(reactor, () => connectUdp(to.endpoint), false);
    if (to.kind === 'unix') return new DatagramSink(reactor, () => connectUnixDatagram(to.path), true);
    const key = lineKey(to) as LineKey;
    const ring = new LineRing(this.rings.get(key) as SharedArrayBuffer);
    return new RingSink(reactor, ring, () => this.tell({ kind: 'lines', thread, key }));
  }

  /** Lines leave together, at the end of a pass. */
  flush(): void {
    for (let index = 0; index < this.all.length; index++) this.all[index].flush();
  }

  /** A target that takes no line costs the line and no time; main says how many. Once a second at most. */
  tellDropped(): void {
    const { now_ms } = this.reactor;
    if (now_ms < this.told_ms + DROPPED_MS) return;
    this.told_ms = now_ms;
    let lines = 0;
    for (const sink of this.all) lines += sink.dropped;
    if (lines === this.told) return;
    this.tell({ kind: 'dropped', thread: this.thread, lines: lines - this.told });
    this.told = lines;
  }
}
