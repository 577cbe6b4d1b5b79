/**
 * The checks thread: health checks of all servers on a reactor of their own.
 *
 *   control ── stop word or message, eventfd ──▶ pass ──▶ beat ──▶ pass …
 *
 * It sleeps in the kernel until a connection, an answer or a timer is there, at most 250 ms, and beats after every pass.
 */
import { parentPort, receiveMessageOnPort, workerData } from 'node:worker_threads';
import { chooseReactor } from '../reactor/choose.ts';
import type { Reactor } from '../reactor/reactor.ts';
import { now_ms31, now_ns } from '../system/clock.ts';
import type { ChecksSettings, FromChecks, ToChecks } from './checks-messages.ts';
import { ChecksRunner, MOST_IN_FLIGHT, SPARE_SOCKETS } from './checks-runner.ts';
import { attachSharedMemory, STOP, THREAD_BEAT_MS, THREAD_CHECKS, THREAD_STATE, threadAt } from './shared-memory.ts';

const PASS_MS = 250;
/** For the last connections to end; they are reset, so this is plenty. */
const CLOSE_MS = 500;
/** Buffers beside those for requests: 256 lie with io_uring, and every answer is read and given back at once. */
const ANSWER_BUFFERS = 512;
/** Read in one go. */
const MOST_MESSAGES = 64;

const RUNNING = 1;
const STOPPED = 2;

function main(settings: ChecksSettings): void {
  const { words, ...tables } = attachSharedMemory(settings.process_memory, settings.process_counts);
  const at = threadAt({ words, ...tables }, THREAD_CHECKS);
  let told_to_stop = false;
  let next: Servers | undefined;
  const beat = () => Atomics.store(words, at + THREAD_BEAT_MS, now_ms31());
  const run = (servers: Servers, resumes: boolean): void => {
    const { reactor, reason } = chooseReactor(
      reactorOptions(servers, settings.wake_fd, readMessages),
      settings.reactor,
    );
    const memory = attachSharedMemory(servers.memory, servers.counts);
    const runner = new ChecksRunner({ reactor, plans: servers.plans, memory, post: postToControl });
    beat();
    Atomics.store(words, at + THREAD_STATE, RUNNING);
    postToControl({ kind: 'started', at_ns: now_ns(), reactor: reactor.kind, reason, checked: servers.plans.length });
    runner.start(resumes);
    while (!told_to_stop && next === undefined && Atomics.load(words, STOP) === 0) {
      reactor.pass(PASS_MS);
      beat();
    }
    close(runner, reactor);
  };
  try {
    run(settings, false);
    while (!told_to_stop && next !== undefined && Atomics.load(words, STOP) === 0) {
      const servers: Servers = next;
      next = undefined;
      run(servers, true);
    }
  } catch (error) {
    const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
    postToControl({ kind: 'fatal', at_ns: now_ns(), text });
  }
  Atomics.store(words, at + THREAD_STATE, STOPPED);
  postToControl({ kind: 'stopped', at_ns: now_ns() });

  function readMessages(): void {
    for (let count = 0; count < MOST_MESSAGES; count++) {
      const received = receiveMessageOnPort(parentPort!) as { message: ToChecks } | undefined;
      if (!received) return;
      if (received.message.kind === 'stop') told_to_stop = true;
      else next = received.message;
    }
  }
}

/** Whom to ask, and where to write what they say. */
type Servers = Pick<ChecksSettings, 'plans' | 'memory' | 'counts'>;

function reactorOptions({ plans }: Servers, wake_fd: number, onWake: () => void) {
  const requests = new Set(plans.map((plan) => JSON.stringify(plan.method))).size;
  const small_count = ANSWER_BUFFERS + requests;
  const socket_count = MOST_IN_FLIGHT + SPARE_SOCKETS;
  return { small_count, large_count: 0, reserve: 0, pipe_count: 0, socket_count, wake_fd, onWake };
}

function close(runner: ChecksRunner, reactor: Reactor): void {
  runner.stop();
  const end_ms = reactor.now_ms + CLOSE_MS;
  while (!runner.idle && reactor.now_ms < end_ms) reactor.pass(PASS_MS);
  reactor.pass(0); // closes what is left to be closed
  reactor.destroy();
}

function postToControl(message: FromChecks): void {
  parentPort!.postMessage(message);
}

main(workerData as ChecksSettings);
