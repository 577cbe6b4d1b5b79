/**
 * A data thread: a reactor and the proxy on it, in one synchronous loop for ever. No promise, timer or stream runs here;
 * main wakes it by the eventfd.
 */
import { parentPort, receiveMessageOnPort, workerData } from 'node:worker_threads';
import type { LogTarget } from '../config/model.ts';
import { DatagramSink, RingSink, type Sink } from '../proxy/log/sink.ts';
import { ProxyThread } from '../proxy/proxy-thread.ts';
import { chooseReactor } from '../reactor/choose.ts';
import { DEFAULT_COUNTS } from '../reactor/options.ts';
import type { Reactor } from '../reactor/reactor.ts';
import { connectUdp, connectUnixDatagram } from '../system/log-socket.ts';
import { type DataSettings, type FromData, type LineTarget, lineDescriptor, type ToData } from './data-messages.ts';
import { LineRing } from './line-ring.ts';
import * as shared from './shared-memory.ts';

/** An idle thread wakes for its heartbeat. */
const BEAT_MS = 200;
/** Lost log lines are told of at most so often. */
const DROPPED_MS = 1_000;

const settings = workerData as DataSettings;
const memory = shared.attachSharedMemory(settings.shared, settings.counts);
const line = shared.threadAt(memory, settings.thread);
const port = parentPort as NonNullable<typeof parentPort>;

const sinks = new Map<string, Sink>();
let dropped_told = 0;
let dropped_told_ms = 0;

run();

function run(): void {
  const { reactor, reason } = chooseReactor(
    { ...DEFAULT_COUNTS, wake_fd: settings.wake_fd, onWake: readMessages },
    settings.reactor,
  );
  const proxy = new ProxyThread(settings.config, settings.thread, reactor, memory);
  proxy.log((target) => sinkFor(target, reactor));
  let drain_until_ms = Number.POSITIVE_INFINITY;
  proxy.listen(settings.listeners);
  tell({ kind: 'running', thread: settings.thread, reactor: reactor.kind, reason });
  Atomics.store(memory.words, line + shared.THREAD_WAKE_FD, settings.wake_fd);
  Atomics.store(memory.words, line + shared.THREAD_STATE, 1);
  for (let stop = 0; stop !== shared.STOP_HARD; stop = Atomics.load(memory.words, shared.STOP)) {
    Atomics.store(memory.words, line + shared.THREAD_BEAT_MS, reactor.now_ms & 0x7fffffff);
    if (stop === shared.STOP_SOFT && !proxy.draining) {
      proxy.drain();
      drain_until_ms = reactor.now_ms + settings.drain_ms;
    }
    if (proxy.draining && (proxy.client_count === 0 || reactor.now_ms >= drain_until_ms)) break;
    proxy.pass(BEAT_MS);
    tellDropped(reactor.now_ms);
  }
  Atomics.store(memory.words, line + shared.THREAD_WAKE_FD, 0);
  proxy.destroy();
  reactor.destroy();
  Atomics.store(memory.words, line + shared.THREAD_STATE, 2);
}

/** Those that log to the same target share a sink. */
function sinkFor({ to }: LogTarget, reactor: Reactor): Sink {
  const key = JSON.stringify(to);
  const sink = sinks.get(key) ?? openSink(to, reactor);
  sinks.set(key, sink);
  return sink;
}

function openSink(to: LogTarget['to'], reactor: Reactor): Sink {
  if (to.kind === 'udp') return new DatagramSink(reactor, () => connectUdp(to.endpoint), false);
  if (to.kind === 'unix') return new DatagramSink(reactor, () => connectUnixDatagram(to.path), true);
  const fd = lineDescriptor(to);
  const target = settings.lines.find((lines) => lines.fd === fd) as LineTarget;
  return new RingSink(reactor, new LineRing(target.ring), () => tell({ kind: 'lines', thread: settings.thread, fd }));
}

/** A target that takes no line costs the line and no time; main says how many. */
function tellDropped(now_ms: number): void {
  if (now_ms < dropped_told_ms + DROPPED_MS) return;
  dropped_told_ms = now_ms;
  let lines = 0;
  for (const sink of sinks.values()) lines += sink.dropped;
  if (lines === dropped_told) return;
  tell({ kind: 'dropped', thread: settings.thread, lines: lines - dropped_told });
  dropped_told = lines;
}

function readMessages(): void {
  const received = receiveMessageOnPort(port);
  if (received) throw new Error(`a data thread does not know ${(received.message as ToData).kind}`);
}

function tell(message: FromData): void {
  port.postMessage(message);
}
