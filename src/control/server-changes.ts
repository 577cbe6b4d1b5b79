/** Servers that went down or came back, for the log: in HAProxy's words, which people's alerts look for. */
import type { Backend, Server } from '../config/model.ts';
import { describeServerChange } from '../health/log-line.ts';
import type { FromChecks } from '../threads/checks-messages.ts';
import { SERVER_CONNECTIONS, SERVER_QUEUED, serverAt } from '../threads/shared-memory.ts';
import type { Generation } from './generation.ts';
import { ALERT, EMERGENCY, globalLog, NOTICE } from './global-log.ts';

type Change = Pick<Extract<FromChecks, { kind: 'server' }>, 'backend' | 'server' | 'state' | 'why'>;

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
  noteState(generation, change);
  const at = serverAt(generation.memory, numberOf(server, generation));
  const line = describeServerChange({
    backend: backend.name,
    server: server.name,
    backup: server.backup,
    state: change.state,
    why: change.why,
    ...countServers(generation, backend.name),
    connections: Atomics.load(generation.memory.words, at + SERVER_CONNECTIONS),
    queued: Atomics.load(generation.memory.words, at + SERVER_QUEUED),
  });
  globalLog.sayOfServer(backend.name, line, change.state === 'DOWN' ? ALERT : NOTICE);
  if (change.state !== 'UP') tellEmpty(generation, backend.name);
}

/** The log has told it, or need not. */
export function noteState(generation: Generation, { backend, server, state }: Omit<Change, 'why'>): void {
  (told.get(generation) ?? rememberServers(generation)).set(`${backend}/${server}`, state);
}

/** Nobody is left to serve: said when the last one went. */
export function tellEmpty(generation: Generation, name: string): void {
  const { active, backups } = countServers(generation, name);
  const backend = generation.config.backends.find((each) => each.name === name);
  if (backend === undefined || active + backups > 0) return;
  globalLog.sayOfServer(name, `${kindOf(backend)} ${name} has no server available!`, EMERGENCY);
}

/** The servers that take traffic now, as far as the log has told. */
export function countServers(generation: Generation, backend: string): { active: number; backups: number } {
  const states = told.get(generation) ?? rememberServers(generation);
  const numbers = { active: 0, backups: 0 };
  for (const { name, willing, backup } of generation.servers.serversOf(backend) ?? []) {
    if (willing && states.get(`${backend}/${name}`) === 'UP') numbers[backup ? 'backups' : 'active']++;
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
