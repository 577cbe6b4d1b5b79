/** What statistics and the runtime API are told of the daemon, and the second hand of its tallies. */
import { now_ns } from '../system/clock.ts';
import {
  ADMIN_ANY_MAINTENANCE,
  SERVER_ADMINISTRATIVE,
  SERVER_DOWN,
  SERVER_OPERATIONAL,
  serverAt,
  THREAD_BEAT_MS,
  threadAt,
} from '../threads/shared-memory.ts';
import { type Daemon, type Fail, logLine } from './daemon-state.ts';
import { statusOf } from './daemon-status.ts';
import { configureChecks } from './run-checks.ts';
import { allDataThreads } from './run-data.ts';
import type { RuntimeDaemon } from './runtime/command.ts';
import { moveServers } from './server-addresses.ts';
import { shutFrontend } from './shut-frontend.ts';
import { isBackendUp } from './stats/rows.ts';
import { viewOf } from './stats/view.ts';
import { placeOf } from './stats-sockets.ts';

export function runtimeOf(daemon: Daemon, fail: Fail): RuntimeDaemon {
  return {
    generation: () => daemon.generation,
    status: () => statusOf(daemon),
    shutFrontend: (name) => shutFrontend(daemon, name, fail),
    resolverCounts: () => daemon.resolvers?.counts(),
    facts: () => ({
      version: daemon.version,
      started_ms: daemon.started_ns / 1e6,
      stopping: daemon.stopping,
      lost_log_lines: daemon.lost_lines.total,
      idle_percent: 100 - load.percent,
    }),
    data: () => allDataThreads(daemon),
    beats: () =>
      daemon.data.map(({ place }) =>
        Atomics.load(daemon.memory.words, threadAt(daemon.memory, place) + THREAD_BEAT_MS),
      ),
    sockets: () =>
      daemon.generation.config.global.stats_sockets.map(({ to, level }) => ({
        name: to.kind === 'tcp' ? `ipv4@${placeOf(to)}` : to.kind === 'unix' ? `unix@${to.path}` : placeOf(to),
        level,
      })),
    serversChanged(restart_checks) {
      if (restart_checks) configureChecks(daemon, fail);
      daemon.generation.demoter.evaluate();
    },
    moveServer: (backend, server, endpoint) =>
      moveServers(daemon, [{ backend, server, endpoint, origin: 'runtime', reason: undefined }]),
    log: (text, level = 'notice') => logLine(daemon.events, level, text),
  };
}

/** How much of its cores the process used in the last second. */
const load = { percent: 0, cpu_us: 0, at_ms: 0 };

/** Called once a second. */
export function tickStatistics({ generation, data }: Daemon): void {
  const now_ms = now_ns() / 1e6;
  const { user, system } = process.cpuUsage();
  const used_ms = (user + system - load.cpu_us) / 1000;
  if (load.at_ms > 0)
    load.percent = Math.min(100, Math.round((used_ms * 100) / (now_ms - load.at_ms) / Math.max(1, data.length)));
  load.cpu_us = user + system;
  load.at_ms = now_ms;
  const view = viewOf(generation);
  const backends = new Map(view.proxies.flatMap(({ backend }) => (backend ? [[backend.number, backend]] : [])));
  generation.tally.tick(now_ms, (table, number) => {
    if (table === 'backends') return isBackendUp(view, backends.get(number)!);
    const { words } = generation.memory;
    const at = serverAt(generation.memory, number);
    const is_away = (Atomics.load(words, at + SERVER_ADMINISTRATIVE) & ADMIN_ANY_MAINTENANCE) !== 0;
    return !is_away && Atomics.load(words, at + SERVER_OPERATIONAL) !== SERVER_DOWN;
  });
}
