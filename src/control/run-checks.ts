/** The checks thread from the control thread: its start, and what becomes of what it finds out. */
import { isChecked } from '../health/plan.ts';
import { startChecksThread } from '../threads/checks-handle.ts';
import type { FromChecks } from '../threads/checks-messages.ts';
import { THREAD_CHECKS } from '../threads/shared-memory.ts';
import { orderIn, settle } from './administer.ts';
import { type Daemon, type Fail, logLine } from './daemon-state.ts';
import { createExternalChecks, type ExternalChecks } from './external-checks.ts';
import { globalLog, NOTICE } from './global-log.ts';
import { logServerChange, rememberServers } from './server-changes.ts';

const THE_FIRST_CHECKS = 'the first checks';

/** Without a checked server there is no thread, unless it could not be started later: from within a chroot no program is read. */
export function startChecks(daemon: Daemon, fail: Fail): void {
  const { config, memory } = daemon.generation;
  const checked = config.backends.some((backend) => backend.servers.some(isChecked));
  if (!checked && config.global.chroot === undefined) return;
  rememberServers(daemon.generation);
  // without any, for its start: in a chroot it finds none of its files
  daemon.waits_for.add(THE_FIRST_CHECKS);
  const reactor = process.env['CARPOOL_REACTOR'] || undefined;
  const hands: Hands = {
    programs: createExternalChecks(),
    evaluate: onceATurn(() => daemon.generation.demoter.evaluate()),
  };
  const onMessage = (message: FromChecks) => onChecksMessage(daemon, hands, message, fail);
  // its heartbeat is always in the memory of the first generation
  daemon.checks = startChecksThread({ config, memory, process_memory: daemon.memory, reactor, onMessage });
  daemon.threads.push({ name: 'checks', thread: THREAD_CHECKS, wake: daemon.checks.wake });
}

/** Asks the servers of the daemon's present generation from now on. */
export function configureChecks(daemon: Daemon, fail: Fail): void {
  const { config, memory } = daemon.generation;
  if (daemon.checks === undefined) startChecks(daemon, fail);
  else {
    rememberServers(daemon.generation);
    daemon.checks.configure(config, memory);
  }
}

/** What messages lead to. */
type Hands = { readonly programs: ExternalChecks; readonly evaluate: () => void };

/** However often it is called: when thousands of servers change at once, their demotions are looked at once. */
function onceATurn(act: () => void): () => void {
  let is_due = false;
  return () => {
    if (is_due) return;
    is_due = true;
    setImmediate(() => {
      is_due = false;
      act();
    });
  };
}

/** What an agent ordered has been done; what follows from it has not. */
function settleAgent(
  { generation, events, data }: Daemon,
  { backend, server, before, after }: Extract<FromChecks, { kind: 'administrative' }>,
): void {
  const found = generation.servers.find(backend, server);
  if (found === undefined) return;
  settle(generation, { backend, server, backend_index: found.backend, server_index: found.number }, before, after);
  logLine(events, 'info', `the agent of ${backend}/${server} has set it to ${orderIn(after)}`);
  for (const handle of data) handle.wake();
}

function onChecksMessage(daemon: Daemon, { programs, evaluate }: Hands, message: FromChecks, fail: Fail): void {
  const { events } = daemon;
  switch (message.kind) {
    case 'started':
      if (message.checked === 0) daemon.waits_for.delete(THE_FIRST_CHECKS);
      logLine(events, 'info', `checking ${message.checked} servers with ${message.reactor}: ${message.reason}`);
      return;
    case 'server': {
      const { at_ns, backend, server, up, reason } = message;
      daemon.generation.servers.noteReason(backend, server, reason);
      const event = { kind: 'server', at_ns, backend, server, up, reason } as const;
      events.record(event);
      logServerChange(message, daemon.generation);
      evaluate();
      return;
    }
    case 'check':
      daemon.generation.servers.noteCheck(message);
      if (message.line === undefined) return;
      logLine(events, 'notice', message.line);
      globalLog.sayOf(message.backend, message.line, NOTICE);
      return;
    case 'administrative':
      settleAgent(daemon, message);
      evaluate();
      return;
    case 'weight':
      logLine(
        events,
        'notice',
        `the agent of ${message.backend}/${message.server} says weight ${message.weight_percent}%`,
      );
      evaluate();
      return;
    case 'run-program':
      programs.run(message, daemon.generation, (end) => daemon.checks?.programEnded(message.run, end));
      return;
    case 'checked-once':
      daemon.waits_for.delete(THE_FIRST_CHECKS);
      return;
    case 'log':
      events.record({ kind: 'log', at_ns: message.at_ns, level: message.level, text: message.text });
      return;
    case 'fatal':
      fail(`the checks thread failed: ${message.text}`);
      return;
    case 'stopped':
      programs.stop();
      if (!daemon.stopping) fail('the checks thread ended');
      return;
  }
}
