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
import type { DataSettings, FromData, ToData } from './data-messages.ts';
import { LineRing } from './line-ring.ts';
import * as shared from './shared-memory.ts';

/** An idle thread wakes for its heartbeat. */
const BEAT_MS = 200;

const settings = workerData as DataSettings;
const memory = shared.attachSharedMemory(settings.shared, settings.counts);
const line = shared.threadAt(memory, settings.thread);
const port = parentPort as NonNullable<typeof parentPort>;

run();

function run(): void {
  const { reactor, reason } = chooseReactor(
    { ...DEFAULT_COUNTS, wake_fd: settings.wake_fd, onWake: readMessages },
    settings.reactor,
  );
  const proxy = new ProxyThread(settings.config, settings.thread, reactor, memory);
  proxy.log((target) => openSink(target, reactor));
  let drain_until_ms = Number.POSITIVE_INFINITY;
  proxy.listen(settings.listeners);
  tell({ kind: 'running', thread: settings.thread, reactor: reactor.kind, reason });
  Atomics.store(memory.words, line + shared.THREAD_STATE, 1);
  for (let stop = 0; stop !== shared.STOP_HARD; stop = Atomics.load(memory.words, shared.STOP)) {
    Atomics.store(memory.words, line + shared.THREAD_BEAT_MS, reactor.now_ms & 0x7fffffff);
    if (stop === shared.STOP_SOFT && !proxy.draining) {
      proxy.drain();
      drain_until_ms = reactor.now_ms + settings.drain_ms;
    }
    if (proxy.draining && (proxy.client_count === 0 || reactor.now_ms >= drain_until_ms)) break;
    proxy.pass(BEAT_MS);
  }
  reactor.destroy();
  Atomics.store(memory.words, line + shared.THREAD_STATE, 2);
}

function openSink({ to }: LogTarget, reactor: Reactor): Sink {
  if (to.kind === 'udp') return new DatagramSink(reactor, connectUdp(to.endpoint));
  if (to.kind === 'unix') return new DatagramSink(reactor, connectUnixDatagram(to.path));
  const ring = new LineRing(to.kind === 'stdout' ? settings.lines.stdout : settings.lines.stderr);
  const { kind } = to;
  return new RingSink(reactor, ring, () => tell({ kind: 'lines', thread: settings.thread, to: kind }));
}

function readMessages(): void {
  const received = receiveMessageOnPort(port);
  if (received) throw new Error(`a data thread does not know ${(received.message as ToData).kind}`);
}

function tell(message: FromData): void {
  port.postMessage(message);
}
