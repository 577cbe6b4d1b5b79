/** Servers that went down or came back, for the log: in HAProxy's words, which people's alerts look for. */
import type { Backend, Server } from '../config/model.ts';
import { describeServerChange } from '../health/log-line.ts';
import type { FromChecks } from '../threads/checks-messages.ts';
import { SERVER_CONNECTIONS, SERVER_QUEUED, serverAt } from '../threads/shared-memory.ts';
import type { Generation } from './generation.ts';
import { ALERT, EMERGENCY, globalLog, NOTICE } from './global-log.ts';

type Change = Extract<FromChecks, { kind: 'server' }>;

/** As far as the log has told: shared memory is ahead of it when several go at once. */
const told = new WeakMap<Generation, Map<string, Change['state']>>();

/** Before the generation's first check: who is up. */
export function rememberServers(generation: Generation): Map<string, Change['state']> {
  const states = new Map<string, Change['state']>();
  for (const { name } of generation.config.backends) {
    for (const server of generation.servers.serversOf(name) ?? [])
      states.set(`${name}/${server.name}`, server.up ? 'UP' : 'DOWN');
  }
  told.set(generation, states);
  return states;
}

export function logServerChange(change: Change, generation: Generation): void {
  const backend = generation.config.backends.find(({ name }) => name === change.backend);
  const server = backend?.servers.find(({ name }) => name === change.server);
  if (backend === undefined || server === undefined) return; // of an earlier configuration
  const { active, backups } = count(backend, change, generation);
  const at = serverAt(generation.memory, numberOf(server, generation));
  const line = describeServerChange({
    backend: backend.name,
    server: server.name,
    backup: server.backup,
    state: change.state,
    why: change.why,
    active,
    backups,
    connections: Atomics.load(generation.memory.words, at + SERVER_CONNECTIONS),
    queued: Atomics.load(generation.memory.words, at + SERVER_QUEUED),
  });
  globalLog.sayOfServer(backend.name, line, change.state === 'UP' ? NOTICE : ALERT);
  if (active + backups > 0 || change.state === 'UP') return;
  globalLog.sayOfServer(backend.name, `${kindOf(backend)} ${backend.name} has no server available!`, EMERGENCY);
}

/** The servers that take traffic after this change. */
function count(backend: Backend, change: Change, generation: Generation): { active: number; backups: number } {
  const states = told.get(generation) ?? rememberServers(generation);
  states.set(`${change.backend}/${change.server}`, change.state);
  const numbers = { active: 0, backups: 0 };
  for (const { name, willing, backup } of generation.servers.serversOf(backend.name) ?? []) {
    if (willing && states.get(`${backend.name}/${name}`) === 'UP') numbers[backup ? 'backups' : 'active']++;
  }
  return numbers;
}

/** Servers stand in shared memory in the order of the configuration. */
function numberOf(server: Server, { config }: Generation): number {
  return config.backends.flatMap(({ servers }) => servers).indexOf(server);
}

function kindOf({ kind }: Backend): string {
  return kind === 'listen' ? 'proxy' : 'backend';
}
