/**
 * What servers begin with in shared memory: up, as in HAProxy, until a check says otherwise. Where a server of that name
 * was there before a reload, or stands in a server state file, it goes on as it was.
 */
import type { Config, Server } from '../config/model.ts';
import { isChecked, trackersIn } from '../health/plan.ts';
import { inherited } from '../threads/administrative.ts';
import * as shared from '../threads/shared-memory.ts';
import {
  ADMIN_DRAIN,
  ADMIN_MAINTENANCE,
  ADMIN_UNRESOLVED,
  SERVER_ADMINISTRATIVE,
  SERVER_WEIGHT,
  type SharedMemory,
  serverAt,
} from '../threads/shared-memory.ts';
import { isJudged } from './server-report.ts';
import type { KnownServers, LastCheck, ServerState } from './server-table.ts';

/** Why each server is in its first state, and by `backend/server` what was said of it last. */
export type FirstStates = { readonly reasons: Map<Server, string>; readonly last_checks: Map<string, LastCheck> };

export function writeFirstStates(config: Config, memory: SharedMemory, earlier: KnownServers | undefined): FirstStates {
  const reasons = new Map<Server, string>();
  const last_checks = new Map<string, LastCheck>();
  let number = 0;
  for (const backend of config.backends) {
    for (const server of backend.servers) {
      reasons.set(server, writeFirstState(memory, number, server));
      const known = earlier?.stateOf(backend.name, server.name);
      if (known !== undefined) {
        reasons.set(server, carryOver(memory, number, server, known));
        if (isSamePlace(server, known)) {
          carryFindings(memory, number, server, known);
          last_checks.set(`${backend.name}/${server.name}`, known.last_check);
        }
      }
      number++;
    }
  }
  inheritStates(config, memory);
  return { reasons, last_checks };
}

/** Who tracks a server in maintenance or drain begins with it. */
function inheritStates(config: Config, memory: SharedMemory): void {
  const trackers = trackersIn(config);
  const at = (server: number) => serverAt(memory, server) + SERVER_ADMINISTRATIVE;
  for (const [root, { track }] of config.backends.flatMap(({ servers }) => servers).entries()) {
    if (track !== undefined) continue;
    for (const { server_index, tracks } of trackers(root)) {
      const own = Atomics.load(memory.words, at(server_index));
      Atomics.store(memory.words, at(server_index), inherited(own, Atomics.load(memory.words, at(tracks))));
    }
  }
}

/** Returns why the server is in its first state. */
function writeFirstState(memory: SharedMemory, number: number, server: Server): string {
  const at = serverAt(memory, number);
  const unresolved = server.endpoint.address === '';
  const maintenance = (server.disabled ? ADMIN_MAINTENANCE : 0) | (unresolved ? ADMIN_UNRESOLVED : 0);
  Atomics.store(memory.words, at + SERVER_ADMINISTRATIVE, maintenance);
  Atomics.store(memory.words, at + SERVER_WEIGHT, server.weight);
  if (unresolved) return `the name ${server.host} is not resolved`;
  if (server.track) return `it tracks ${server.track.backend}/${server.track.server}`;
  return isChecked(server) ? 'no check has changed its state yet' : 'not checked';
}

function isSamePlace({ endpoint }: Server, known: ServerState): boolean {
  return known.endpoint.address === endpoint.address && known.endpoint.port === endpoint.port;
}

/** What people set at run time stays unless the file says something else now than it did. Returns the reason of its state. */
function carryOver(memory: SharedMemory, number: number, server: Server, known: ServerState): string {
  const at = serverAt(memory, number);
  const before = known.config;
  if (before.maxconn === server.maxconn) {
    Atomics.store(memory.words, at + shared.SERVER_SET_MAXCONN, known.word(shared.SERVER_SET_MAXCONN));
  }
  if (before.weight === server.weight) Atomics.store(memory.words, at + SERVER_WEIGHT, known.weight);
  const unresolved = server.endpoint.address === '' ? ADMIN_UNRESOLVED : 0;
  if (before.disabled === server.disabled) {
    const administrative = (known.administrative & ORDERED) | unresolved;
    Atomics.store(memory.words, at + SERVER_ADMINISTRATIVE, administrative);
  }
  return isSamePlace(server, known) ? known.reason : 'the configuration gave it another address';
}

/** What people set. The rest is found anew. */
const ORDERED = ADMIN_MAINTENANCE | ADMIN_DRAIN;

function carryFindings(memory: SharedMemory, number: number, server: Server, known: ServerState): void {
  const at = serverAt(memory, number);
  const copy = (words: readonly number[]) => {
    for (const word of words) Atomics.store(memory.words, at + word, known.word(word));
  };
  if (isJudged(server) && isJudged(known.config)) copy(WORDS_OF_CHECK);
  if (server.agent && known.config.agent) copy(WORDS_OF_AGENT);
}

/** What its checks have found out, what its agent has said, and what the traffic goes by. */
const WORDS_OF_CHECK: readonly number[] = [
  shared.SERVER_OPERATIONAL,
  shared.SERVER_HEALTH,
  shared.SERVER_UP_SINCE_MS,
  shared.SERVER_CHANGED_MS,
  shared.SERVER_CHECK_CODE,
  shared.SERVER_CHECK_STATUS,
  shared.SERVER_CHECK_DURATION_MS,
];
const WORDS_OF_AGENT: readonly number[] = [
  shared.SERVER_AGENT_MAXCONN,
  shared.SERVER_AGENT_HEALTH,
  shared.SERVER_AGENT_CODE,
  shared.SERVER_AGENT_STATUS,
  shared.SERVER_AGENT_DURATION_MS,
];
