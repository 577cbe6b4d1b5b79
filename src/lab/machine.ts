/** One host of a running scenario, and what can be done to it. */
import { setTimeout as sleep } from 'node:timers/promises';
import { ask } from '../control/control-client.ts';
import { insideNetworkNamespace } from '../system/namespaces.ts';
import { Netlink } from '../system/netlink.ts';
import { AddressWatch } from './address-watch.ts';
import type { Child } from './child.ts';
import { type HostLink, INTERFACE } from './network.ts';
import { deleteTable, replaceTable } from './nft.ts';
import { killAllInside } from './processes.ts';
import { controlSocket, launch, runsUcarp, writeFile } from './programs.ts';
import type { ConfigurationFile, Host, Verb } from './scenario.ts';
import { elapsed_ms, type Stage } from './stage.ts';

/** How long one of our own tools may take to be ready, and a stopped program to end before it is started again. */
const READY_MS = 10_000;
const END_MS = 10_000;
const STEP_MS = 5;
/** How long a daemon is waited for that was told something. */
const TELL_MS = 1000;

export class Machine {
  readonly host: Host;
  children: Child[] = [];
  /** Of programs that ended before the present ones were started. */
  readonly #earlier_output: string[] = [];
  readonly #stage: Stage;
  #link: HostLink;
  #watch: AddressWatch;
  #crashed = false;
  #jammed = false;
  #unplugged = false;
  #isolated = false;

  constructor(stage: Stage, host: Host) {
    this.#stage = stage;
    this.host = host;
    this.#link = stage.network.connect(host.name, host.address);
    this.#watch = this.#watchAddresses();
    if (host.kind === 'node') for (const file of host.files) this.write(file);
  }

  /** On its disk, which outlives it. */
  write(file: ConfigurationFile): void {
    writeFile(this.#stage, this.host, file);
  }

  /** Does it and returns when it is done, which for `start` of a node, `stop` and `reload` is before they have effect. */
  async act(verb: Verb): Promise<void> {
    if (verb === 'start') return this.#start();
    if (verb === 'crash') return this.#crash();
    if (verb === 'unplug' || verb === 'plug' || verb === 'isolate' || verb === 'rejoin') return this.#rewire(verb);
    if (verb === 'down' || verb === 'up') return this.#setInterface(verb === 'up');
    if (verb === 'strip') return this.#strip();
    if (verb === 'jam' || verb === 'unjam') return this.#jam(verb === 'jam');
    if (verb === 'reload') void this.#reload();
    else this.children[0]?.signal(SIGNALS[verb]);
  }

  /** What the daemon has against it; undefined: nothing, or it stands still and will hear of it later. */
  async tell(command: string): Promise<string | undefined> {
    const paths = { candidates: [controlSocket(this.#stage, this.host)], named: true };
    const told = ask(paths, command, () => {}).then((result) => {
      if (result.kind === 'refused') return result.sentence;
      return result.kind === 'absent' ? 'nobody is there to be told' : undefined;
    });
    return Promise.race([told, sleep(TELL_MS, undefined, { ref: false })]);
  }

  /** The last lines that its programs wrote. */
  get output(): readonly string[] {
    return [...this.#earlier_output, ...this.children.flatMap((child) => child.output)];
  }

  /** Takes news of its addresses from the kernel. */
  readAddresses(): void {
    this.#watch.read();
  }

  /** Asks our own tools to finish, and waits a bounded time until they did. What died before measured nothing. */
  async finish(within_ms: number): Promise<void> {
    const dead = this.children.find((child) => child.ended !== undefined);
    const last = dead?.output.slice(-5).join(' / ');
    if (dead) throw new Error(`${this.host.name} ended too early (${dead.ended}): ${last}`);
    for (const child of this.children) child.finish();
    await this.#untilEnded(within_ms);
  }

  killAll(): void {
    for (const child of this.children) child.killed = true;
    killAllInside(this.#link.namespace_fd);
  }

  async #start(): Promise<void> {
    await this.#untilEnded(END_MS);
    if (this.children.some((child) => child.ended === undefined)) {
      throw new Error(`${this.host.name} still runs ${END_MS / 1000} s after it should have ended`);
    }
    if (this.#crashed) this.#reboot();
    this.#earlier_output.push(...this.children.flatMap((child) => child.output));
    this.children = launch(this.#stage, this.host, this.#link);
    if (this.host.kind !== 'node') await this.#untilReady();
  }

  /** SIGHUP would end a daemon that is not yet there to heed it. */
  async #reload(): Promise<void> {
    const [daemon] = this.children;
    for (let waited = 0; waited < READY_MS && daemon?.heard === false && !daemon.ended; waited += STEP_MS)
      await sleep(STEP_MS);
    daemon?.signal('SIGHUP');
  }

  #rewire(verb: 'unplug' | 'plug' | 'isolate' | 'rejoin'): void {
    if (verb === 'unplug' || verb === 'plug') this.#unplugged = verb === 'unplug';
    else this.#isolated = verb === 'isolate';
    // a crashed host is off the network anyhow
    if (!this.#crashed) this.#stage.network[verb](this.#link);
  }

  /** A foreign hand takes every shared address: those that are a whole host, as no address of a network is. */
  #strip(): void {
    insideNetworkNamespace(this.#link.namespace_fd, () => {
      const netlink = new Netlink();
      const index = netlink.indexOf(INTERFACE);
      const shared = netlink
        .listAddresses()
        .filter((one) => one.index === index && one.prefix_length === 8 * one.bytes.length);
      for (const address of shared) netlink.deleteAddress(address);
      netlink.close();
    });
  }

  /** What it sends does not leave its interface, and whoever sends by a packet socket gets ENOBUFS. */
  #jam(jammed: boolean): void {
    this.#jammed = jammed;
    const chain = `chain out {\ntype filter hook egress device "${INTERFACE}" priority 0; policy drop;\n}`;
    insideNetworkNamespace(this.#link.namespace_fd, () =>
      jammed ? replaceTable('netdev', 'jam', chain) : deleteTable('netdev', 'jam'),
    );
  }

  /** As ifdown and ifup: ucarp ends with its interface, and ifup's hook starts it again. */
  async #setInterface(up: boolean): Promise<void> {
    insideNetworkNamespace(this.#link.namespace_fd, () => {
      const netlink = new Netlink();
      netlink.setLink(netlink.indexOf(INTERFACE), { up });
      netlink.close();
    });
    const { host } = this;
    if (up && host.kind === 'node' && runsUcarp(host) && this.children.length > 0) await this.#start();
  }

  /** The switch stops hearing it first, so that nothing it does while dying is seen. */
  #crash(): void {
    this.#stage.network.isolate(this.#link);
    for (const child of this.children) child.killed = true;
    killAllInside(this.#link.namespace_fd);
    this.#stage.history.noteCrash(this.host.name);
    this.#crashed = true;
  }

  /** Everything that the host held in memory is gone: addresses, routes, neighbours. Its cable is as it was. */
  #reboot(): void {
    this.#watch.close();
    this.#stage.network.remove(this.#link);
    this.#link = this.#stage.network.connect(this.host.name, this.host.address);
    this.#watch = this.#watchAddresses();
    this.#crashed = false;
    if (this.#jammed) this.#jam(true);
    if (this.#unplugged) this.#rewire('unplug');
    if (this.#isolated) this.#rewire('isolate');
  }

  #watchAddresses(): AddressWatch {
    const { name, kind } = this.host;
    return new AddressWatch(this.#link.namespace_fd, (address, present) => {
      if (kind !== 'node' || this.#crashed) return;
      const at_ms = elapsed_ms(this.#stage);
      this.#stage.history.noteAddress(name, address, present, at_ms);
      this.#stage.timeline.event(at_ms, name, present ? `has ${address}` : `${address} is gone`);
    });
  }

  async #untilReady(): Promise<void> {
    for (let waited = 0; waited < READY_MS; waited += STEP_MS) {
      if (this.children.every((child) => child.output.includes('"ready"'))) return;
      const dead = this.children.find((child) => child.ended !== undefined);
      if (dead) throw new Error(`${this.host.name} did not start (${dead.ended}): ${dead.output.join(' / ')}`);
      await sleep(STEP_MS);
    }
    throw new Error(`${this.host.name} was not ready after ${READY_MS / 1000} s`);
  }

  async #untilEnded(within_ms: number): Promise<void> {
    for (let waited = 0; waited < within_ms; waited += STEP_MS) {
      if (this.children.every((child) => child.ended !== undefined)) return;
      await sleep(STEP_MS);
    }
  }
}

const SIGNALS = { stop: 'SIGTERM', kill: 'SIGKILL', freeze: 'SIGSTOP', thaw: 'SIGCONT' } as const;

/** How the timeline tells it. */
export const PAST: Readonly<Record<Verb, string>> = {
  start: 'started',
  stop: 'stopped (SIGTERM)',
  kill: 'killed (SIGKILL)',
  crash: 'crashed (its port is cut, all its processes are killed)',
  freeze: 'frozen (SIGSTOP)',
  thaw: 'thawed (SIGCONT)',
  unplug: 'unplugged',
  plug: 'plugged in again',
  down: 'set its interface down',
  up: 'set its interface up',
  isolate: 'isolated (its port is cut)',
  rejoin: 'on the network again',
  strip: 'stripped (somebody deletes its shared addresses)',
  jam: 'jammed (nothing that it sends leaves)',
  unjam: 'free to send again',
  reload: 'reloaded (SIGHUP)',
};
