/**
 * Orders about servers (ready, drain, maint), and what follows from them: servers that track them inherit, who comes back from
 * maintenance begins anew, and the log tells it in HAProxy's words.
 *
 *   orders, agents, names without an address ──▶ administrative word ──▶ words of those that track it
 *                                                       └──▶ settle: state, times, counters, log
 */
import type { Config } from '../config/model.ts';
import { describeAdministration } from '../health/log-line.ts';
import { type ServerPlace, type Tracker, trackersIn } from '../health/plan.ts';
import { now_ms31 } from '../system/clock.ts';
import { inherited, type Order, ordered } from '../threads/administrative.ts';
import * as shared from '../threads/shared-memory.ts';
import type { Generation } from './generation.ts';
import { ALERT, globalLog, NOTICE } from './global-log.ts';
import { countServers, logServerChange, noteState, tellEmpty } from './server-changes.ts';

export function orderServer(generation: Generation, place: ServerPlace, order: Order): void {
  change(generation, place, ordered(wordOf(generation, place.server_index), order));
  passOn(generation, place.server_index);
}

/** Whether its name leads to an address. */
export function markResolved(generation: Generation, place: ServerPlace, is_resolved: boolean): void {
  const word = wordOf(generation, place.server_index);
  const after = is_resolved ? word & ~shared.ADMIN_UNRESOLVED : word | shared.ADMIN_UNRESOLVED;
  change(generation, place, after);
  passOn(generation, place.server_index);
}

/** Its state is another one now, or its word is: who tracks it has the same. */
export function passOn(generation: Generation, server_index: number): void {
  for (const tracker of trackersOf(generation.config, server_index)) {
    copyState(generation, tracker);
    change(
      generation,
      tracker,
      inherited(wordOf(generation, tracker.server_index), wordOf(generation, tracker.tracks)),
    );
  }
}

const WORDS = { UP: shared.SERVER_UP, STOPPING: shared.SERVER_STOPPING, DOWN: shared.SERVER_DOWN };

/** Somebody says how a server is, in place of its checks. They may say something else next time. */
export function setServerState(generation: Generation, place: ServerPlace, state: keyof typeof WORDS): void {
  enter(generation, place, state, ', changed from CLI');
  for (const tracker of trackersOf(generation.config, place.server_index))
    enter(generation, tracker, state, ` via ${place.backend}/${place.server}`);
}

function enter(generation: Generation, place: ServerPlace, state: keyof typeof WORDS, why: string): void {
  const { words } = generation.memory;
  const at = shared.serverAt(generation.memory, place.server_index);
  const before = Atomics.exchange(words, at + shared.SERVER_OPERATIONAL, WORDS[state]);
  if (before === WORDS[state]) return;
  const now_ms = now_ms31() || 1;
  Atomics.store(words, at + shared.SERVER_CHANGED_MS, now_ms);
  if (before === shared.SERVER_DOWN) Atomics.store(words, at + shared.SERVER_UP_SINCE_MS, now_ms);
  if (state === 'DOWN') Atomics.add(words, at + shared.SERVER_WENT_DOWN, 1);
  Atomics.add(words, shared.backendAt(generation.memory, place.backend_index) + shared.BACKEND_VERSION, 1);
  const { backend, server } = place;
  generation.servers.noteReason(backend, server, `somebody said so${why.startsWith(',') ? '' : why}`);
  const is_away = (wordOf(generation, place.server_index) & shared.ADMIN_ANY_MAINTENANCE) !== 0;
  if (is_away) noteState(generation, { backend, server, state });
  else logServerChange({ backend, server, state, why }, generation);
}

const known = new WeakMap<Config, (server_index: number) => readonly Tracker[]>();

function trackersOf(config: Config, server_index: number): readonly Tracker[] {
  let find = known.get(config);
  if (find === undefined) {
    find = trackersIn(config);
    known.set(config, find);
  }
  return find(server_index);
}

function copyState({ memory }: Generation, { server_index, tracks, backend_index }: Tracker): void {
  const state = Atomics.load(memory.words, shared.serverAt(memory, tracks) + shared.SERVER_OPERATIONAL);
  const before = Atomics.exchange(
    memory.words,
    shared.serverAt(memory, server_index) + shared.SERVER_OPERATIONAL,
    state,
  );
  if (before !== state) Atomics.add(memory.words, shared.backendAt(memory, backend_index) + shared.BACKEND_VERSION, 1);
}

function wordOf({ memory }: Generation, server_index: number): number {
  return Atomics.load(memory.words, shared.serverAt(memory, server_index) + shared.SERVER_ADMINISTRATIVE);
}

function change(generation: Generation, place: ServerPlace, after: number): void {
  const { memory } = generation;
  const word = shared.serverAt(memory, place.server_index) + shared.SERVER_ADMINISTRATIVE;
  const before = Atomics.exchange(memory.words, word, after);
  if (before !== after) settle(generation, place, before, after);
}

/** The word has changed: the state that goes with it, and the log. */
export function settle(generation: Generation, place: ServerPlace, before: number, after: number): void {
  const { memory } = generation;
  const at = shared.serverAt(memory, place.server_index);
  const { words } = memory;
  const was_down = Atomics.load(words, at + shared.SERVER_OPERATIONAL) === shared.SERVER_DOWN;
  const was_away = (before & shared.ADMIN_ANY_MAINTENANCE) !== 0;
  const is_away = (after & shared.ADMIN_ANY_MAINTENANCE) !== 0;
  if (was_away !== is_away) {
    Atomics.store(words, at + shared.SERVER_CHANGED_MS, now_ms31() || 1);
    if (!is_away) beginAnew(generation, place);
    else if (!was_down) Atomics.add(words, at + shared.SERVER_WENT_DOWN, 1);
  }
  Atomics.add(words, shared.backendAt(memory, place.backend_index) + shared.BACKEND_VERSION, 1);
  say(generation, place, { before, after, was_down });
}

/** Out of maintenance: up until the next check says otherwise, but for what it tracks and what its agent said last. */
function beginAnew(generation: Generation, { backend, server, server_index }: ServerPlace): void {
  const { words } = generation.memory;
  const at = shared.serverAt(generation.memory, server_index);
  const config = generation.servers.find(backend, server)?.config;
  if (config === undefined || config.track !== undefined) return;
  const agent_up = config.agent === undefined || Atomics.load(words, at + shared.SERVER_AGENT_HEALTH) === 1;
  if (config.check) Atomics.store(words, at + shared.SERVER_HEALTH, config.check.rise);
  if (agent_up) Atomics.store(words, at + shared.SERVER_UP_SINCE_MS, now_ms31() || 1);
  Atomics.store(words, at + shared.SERVER_OPERATIONAL, agent_up ? shared.SERVER_UP : shared.SERVER_DOWN);
  generation.servers.noteReason(backend, server, agent_up ? 'back from maintenance' : 'its agent said so');
  noteState(generation, { backend, server, state: agent_up ? 'UP' : 'DOWN' });
}

type Change = { readonly before: number; readonly after: number; readonly was_down: boolean };

function say(generation: Generation, { backend, server, server_index }: ServerPlace, change: Change): void {
  const config = generation.servers.find(backend, server)?.config;
  const { memory } = generation;
  const at = shared.serverAt(memory, server_index);
  const read = (word: number) => Atomics.load(memory.words, at + word);
  const said = describeAdministration({
    backend,
    server,
    backup: config?.backup ?? false,
    tracks: config?.track && `${config.track.backend}/${config.track.server}`,
    was_down: change.was_down,
    is_down: read(shared.SERVER_OPERATIONAL) === shared.SERVER_DOWN,
    had: bitsOf(change.before),
    has: bitsOf(change.after),
    ...countServers(generation, backend),
    connections: read(shared.SERVER_CONNECTIONS),
    queued: read(shared.SERVER_QUEUED),
  });
  if (said === undefined) return;
  const took_clients = (change.before & shared.ADMIN_ANY_DRAIN) === 0 && !change.was_down;
  const is_loss = (change.after & shared.ADMIN_ANY_MAINTENANCE) !== 0 && took_clients;
  globalLog.sayOfServer(backend, said, is_loss ? ALERT : NOTICE);
  if (change.before === 0) tellEmpty(generation, backend);
}

/** What a word amounts to, for people. */
export function orderIn(word: number): Order {
  if ((word & shared.ADMIN_ANY_MAINTENANCE) !== 0) return 'maint';
  return (word & shared.ADMIN_ANY_DRAIN) === 0 ? 'ready' : 'drain';
}

function bitsOf(word: number) {
  return {
    maintenance: (word & shared.ADMIN_MAINTENANCE) !== 0,
    drain: (word & shared.ADMIN_DRAIN) !== 0,
    unresolved: (word & shared.ADMIN_UNRESOLVED) !== 0,
    inherited_maintenance: (word & shared.ADMIN_INHERITED_MAINTENANCE) !== 0,
    inherited_drain: (word & shared.ADMIN_INHERITED_DRAIN) !== 0,
  };
}
