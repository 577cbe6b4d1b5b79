/**
 * A few engines on one wire under a virtual clock. Frames take 0.1 ms; a node can be crashed, paused and cut off.
 * Everything happens in the order of time, then of node, so a run is always the same run.
 */
import { createEngine, type Engine, nextDeadline_ns, step } from '#src/carp/engine.js';
import type { Effect, Event, State, VhidSettings } from '#src/carp/events.js';
import { vhidSettings } from './peer.js';

const LATENCY_NS = 1e5;
const STEPS_MAX = 100_000;

export type Move = { at_s: number; node: string; vhid: number; from: State; to: State; reason: string };

type Node = {
  readonly name: string;
  readonly engine: Engine;
  alive: boolean;
  /** Paused: no timers, and frames wait. */
  paused: boolean;
  reachable: boolean;
  readonly inbox: Uint8Array[];
  readonly addresses: Set<string>;
};

type Delivery = { readonly at_ns: number; readonly to: Node; readonly frame: Uint8Array };

export class Network {
  now_ns = 0;
  readonly moves: Move[] = [];
  readonly logs: string[] = [];
  /** A switch that sends frames back to where they came from. */
  reflecting = false;
  readonly #nodes: Node[] = [];
  #wire: Delivery[] = [];

  /** Node number n sends from 10.0.0.n; without vhids it has the everyday one. */
  add(name: string, ...vhids: Partial<VhidSettings>[]): void {
    const number = this.#nodes.length + 1;
    const given = vhids.length > 0 ? vhids : [{}];
    const settings = given.map((vhid) => vhidSettings({ source_address: `10.0.0.${number}`, ...vhid }));
    const seed = Uint32Array.of(number, 2, 3, 4);
    const engine = createEngine({ vhids: settings, seed, lease_s: 4, wait_for_ready: false });
    this.#nodes.push({ name, engine, alive: true, paused: false, reachable: true, inbox: [], addresses: new Set() });
  }

  start(...names: string[]): void {
    for (const node of this.#nodes)
      if (names.length === 0 || names.includes(node.name)) this.event(node.name, { kind: 'start' });
  }

  event(name: string, event: Event): void {
    this.#step(this.#node(name), event);
  }

  /** The machine is gone: nothing in, nothing out, no bow-out. */
  crash(name: string): void {
    this.#node(name).alive = false;
  }

  pause(name: string): void {
    this.#node(name).paused = true;
  }

  /** As the shell does it: the stall first, then the frames that waited, then the timers. */
  resume(name: string): void {
    const node = this.#node(name);
    node.paused = false;
    this.#step(node, { kind: 'stall', late_ns: Math.max(0, this.now_ns - nextDeadline_ns(node.engine)) });
    for (const frame of node.inbox.splice(0)) this.#receive(node, frame);
  }

  setReachable(name: string, reachable: boolean): void {
    this.#node(name).reachable = reachable;
  }

  runUntil(end_s: number): void {
    const end_ns = end_s * 1e9;
    for (let count = 0; count < STEPS_MAX; count++) {
      const next_ns = Math.min(...this.#wire.map((one) => one.at_ns), ...this.#nodes.map(deadlineOf_ns));
      if (next_ns > end_ns) {
        this.now_ns = end_ns;
        return;
      }
      this.now_ns = Math.max(this.now_ns, next_ns);
      this.#deliver();
      for (const node of this.#nodes) if (deadlineOf_ns(node) <= this.now_ns) this.#step(node, { kind: 'timer' });
    }
    throw new Error('the network never comes to rest');
  }

  /** Who is MASTER of a vhid now. */
  masters(vhid = 1): string[] {
    return this.#nodes.filter((node) => node.alive && stateOf(node.engine, vhid) === 'MASTER').map((node) => node.name);
  }

  /** Who has the address now; a crashed node has none that anybody could reach. */
  holders(address = '10.0.0.1'): string[] {
    return this.#nodes.filter((node) => node.alive && node.addresses.has(address)).map((node) => node.name);
  }

  movesOf(name: string): string[] {
    return this.moves.filter((move) => move.node === name).map((move) => `${move.from} -> ${move.to}`);
  }

  engineOf(name: string): Engine {
    return this.#node(name).engine;
  }

  #node(name: string): Node {
    return this.#nodes.find((node) => node.name === name)!;
  }

  #deliver(): void {
    const due = this.#wire.filter((one) => one.at_ns <= this.now_ns);
    this.#wire = this.#wire.filter((one) => one.at_ns > this.now_ns);
    for (const { to, frame } of due) {
      if (!to.alive || !to.reachable) continue;
      if (to.paused) to.inbox.push(frame);
      else this.#receive(to, frame);
    }
  }

  #receive(node: Node, bytes: Uint8Array): void {
    this.#step(node, { kind: 'frame', interface: 'eth0', bytes, length: bytes.length });
  }

  #step(node: Node, event: Event): void {
    const effects = [...step(node.engine, event, this.now_ns)];
    for (const effect of effects) this.#perform(node, effect);
    for (const effect of effects)
      if (effect.kind === 'send') this.#step(node, { kind: 'sent', index: effect.index, error: null });
  }

  #perform(node: Node, effect: Effect): void {
    if (effect.kind === 'send') this.#send(node, effect.frame);
    if (effect.kind === 'log') this.logs.push(`${node.name}: ${effect.text}`);
    if (effect.kind === 'add-addresses') for (const address of effect.addresses) node.addresses.add(address);
    if (effect.kind === 'remove-addresses') for (const address of effect.addresses) node.addresses.delete(address);
    if (effect.kind === 'transition') {
      const { vhid, from, to, reason } = effect;
      this.moves.push({ at_s: this.now_ns / 1e9, node: node.name, vhid, from, to, reason });
    }
  }

  #send(from: Node, frame: Uint8Array): void {
    if (!from.reachable) return;
    for (const to of this.#nodes)
      if (to !== from || this.reflecting)
        this.#wire.push({ at_ns: this.now_ns + LATENCY_NS, to, frame: frame.slice() });
  }
}

function deadlineOf_ns(node: Node): number {
  return node.alive && !node.paused ? nextDeadline_ns(node.engine) : Number.POSITIVE_INFINITY;
}

function stateOf(engine: Engine, vhid: number): State | undefined {
  return engine.vhids.find((one) => one.settings.vhid === vhid)?.state;
}
