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
import type { AddressChange } from './address-change.ts';
import type { CheckedServers, ChecksSettings, FromChecks, ToChecks } from './checks-messages.ts';
import { Programs } from './checks-programs.ts';
import { ChecksRunner, MOST_IN_FLIGHT, SPARE_SOCKETS } from './checks-runner.ts';
import {
  attachSharedMemory,
  STOP,
  THREAD_BEAT_MS,
  THREAD_CHECKS,
  THREAD_STATE,
  THREAD_WAKE_FD,
  threadAt,
} from './shared-memory.ts';

const PASS_MS = 250;
/** For the last connections to end; they are reset, so this is plenty. */
const CLOSE_MS = 500;
/** Buffers beside those for constant requests: 256 lie with io_uring, every answer is read and given back at once. */
const ANSWER_BUFFERS = 512;
/** Read in one go. */
const MOST_MESSAGES = 64;

const RUNNING = 1;
const STOPPED = 2;

function main(settings: ChecksSettings): void {
  const { words, ...tables } = attachSharedMemory(settings.process_memory, settings.process_counts);
  const at = threadAt({ words, ...tables }, THREAD_CHECKS);
  let told_to_stop = false;
  let next: CheckedServers | undefined;
  /** Of the servers of `next`, or of those that are asked now when nothing is next. */
  let moves: (readonly AddressChange[])[] = [];
  const beat = () => Atomics.store(words, at + THREAD_BEAT_MS, now_ms31());
  const run = (servers: CheckedServers, resumes: boolean): void => {
    const { plans, spread_percent, host_name } = servers;
    const memory = attachSharedMemory(servers.memory, servers.counts);
    const programs = new Programs(plans);
    const options = reactorOptions(programs, settings.wake_fd, () => readMessages(runner));
    const { reactor, reason } = chooseReactor(options, settings.reactor);
    const surroundings = { memory, post: postToControl, spread_percent, host_name, environment: process.env };
    const runner: ChecksRunner = new ChecksRunner({ reactor, plans, programs, resumes, ...surroundings });
    beat();
    Atomics.store(words, at + THREAD_STATE, RUNNING);
    Atomics.store(memory.words, threadAt(memory, THREAD_CHECKS) + THREAD_WAKE_FD, settings.wake_fd);
    postToControl({ kind: 'started', at_ns: now_ns(), reactor: reactor.kind, reason, checked: plans.length });
    runner.start();
    while (!told_to_stop && next === undefined && Atomics.load(words, STOP) === 0) {
      reactor.pass(PASS_MS);
      runner.lookAtTraffic();
      if (moves.length > 0 && next === undefined) heedMoves(runner);
      beat();
    }
    Atomics.store(memory.words, threadAt(memory, THREAD_CHECKS) + THREAD_WAKE_FD, 0);
    close(runner, reactor);
  };
  try {
    run(settings, false);
    while (!told_to_stop && next !== undefined && Atomics.load(words, STOP) === 0) {
      const servers: CheckedServers = next;
      next = undefined;
      run(servers, true);
    }
  } catch (error) {
    const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
    postToControl({ kind: 'fatal', at_ns: now_ns(), text });
  }
  Atomics.store(words, at + THREAD_STATE, STOPPED);
  postToControl({ kind: 'stopped', at_ns: now_ns() });

  function heedMoves(runner: ChecksRunner): void {
    for (const changes of moves) runner.moveServers(changes);
    moves = [];
  }

  function readMessages(runner: ChecksRunner): void {
    for (let count = 0; count < MOST_MESSAGES; count++) {
      const received = receiveMessageOnPort(parentPort!) as { message: ToChecks } | undefined;
      if (!received) return;
      const { message } = received;
      if (message.kind === 'stop') told_to_stop = true;
      else if (message.kind === 'configure') {
        next = message;
        moves = [];
      } else if (message.kind === 'program-ended') runner.programEnded(message.run, message.end);
      else moves.push(message.changes);
    }
  }
}

function reactorOptions(programs: Programs, wake_fd: number, onWake: () => void) {
  const small_count = ANSWER_BUFFERS + programs.buffers_needed + (programs.make_bytes ? MOST_IN_FLIGHT : 0);
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
