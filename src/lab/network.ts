/**
 * A switch and the hosts on it, made of the kernel's own parts:
 *
 *     this process's namespace            a namespace for each host
 *     ┌───────────────────────┐           ┌────────────────────────┐
 *     │  bridge ── port1 ═════╪═══ veth ══╪═══ eth0  10.10.0.11/16 │  node-a
 *     │     └───── port2 ═════╪═══ veth ══╪═══ eth0  10.10.0.12/16 │  node-b
 *     └───────────────────────┘           └────────────────────────┘
 *
 * Where a scenario asks for slow cables, a process stands in the middle of each (cable.ts):
 *
 *     bridge ── port1 ═ veth ═ outer1 │ process │ inner1 ═ veth ═ eth0
 *
 * Nothing has a name outside: when the process ends the kernel takes all of it away.
 */
import { closeSync } from 'node:fs';
import { SystemError } from '../system/errors.ts';
import { parseIpv4 } from '../system/ip-address.ts';
import { createNetworkNamespace, insideNetworkNamespace } from '../system/namespaces.ts';
import { Netlink } from '../system/netlink.ts';
import type { LinkEnd } from '../system/netlink-link.ts';
import type { Cables } from './cables.ts';
import { replaceTable } from './nft.ts';
import { isOfCables, type Network as Subnet, type SwitchChange } from './scenario.ts';
import { SwitchRules } from './switch-rules.ts';

/** One host's place in the network. */
export type HostLink = {
  readonly name: string;
  readonly address: string;
  /** The descriptor of the host's network namespace. */
  readonly namespace_fd: number;
  /** The index of the switch's end of the host's cable. */
  readonly port: number;
  /** The index of what the host itself is plugged into: the same, unless the cable is slow. */
  readonly socket: number;
};

const BRIDGE = 'switch';
const NO_BRIDGE = 0;
/** What every host calls its network interface. */
export const INTERFACE = 'eth0';

export class Network {
  readonly #subnet: Subnet;
  readonly #netlink = new Netlink();
  readonly #bridge: number;
  readonly #rules = new SwitchRules();
  readonly #cables: Cables | undefined;
  /** Hosts that were ever connected. */
  #count = 0;
  #echoes = false;
  #delays = false;
  /** Indexes of the bridge's ports. */
  readonly #ports = new Set<number>();
  readonly #isolated = new Set<number>();
  /** Indexes of sockets. */
  readonly #unplugged = new Set<number>();

  /** `cables`: slow ones. Throws a SystemError with code EPERM where this process may not configure its own network namespace. */
  constructor(subnet: Subnet, cables?: Cables) {
    this.#subnet = subnet;
    this.#cables = cables;
    this.#netlink.createBridge({ name: BRIDGE });
    this.#bridge = this.#netlink.indexOf(BRIDGE);
    this.#netlink.setLink(this.#bridge, { up: true });
  }

  /** A new host, connected, with one address. */
  connect(name: string, address: string): HostLink {
    const namespace_fd = createNetworkNamespace();
    this.#count += 1;
    const port_name = `port${this.#count}`;
    const host_end = { name: INTERFACE, namespace_fd, mac: hardwareAddress(address) };
    const socket = this.#cables
      ? this.#layCable(name, port_name, host_end, this.#cables)
      : this.#lay(port_name, host_end);
    const port = this.#netlink.indexOf(port_name);
    this.#rules.setPort(name, port_name);
    if (this.#rules.drops) this.#applyRules();
    this.#putIn(port);
    this.#netlink.setLink(port, { up: true });
    insideNetworkNamespace(namespace_fd, () => configureHost(address, this.#subnet.prefix_length));
    return { name, address, namespace_fd, port, socket };
  }

  /** A cable between two ends; returns the index of the first. */
  #lay(name: string, far: LinkEnd): number {
    this.#netlink.createVeth({ name }, far);
    return this.#netlink.indexOf(name);
  }

  /** Two cables and a process between them; returns the index of the end that the host is plugged into. */
  #layCable(host: string, port_name: string, host_end: LinkEnd, cables: Cables): number {
    const [outer_name, inner_name] = [`outer${this.#count}`, `inner${this.#count}`];
    this.#lay(port_name, { name: outer_name });
    const inner = this.#lay(inner_name, host_end);
    const outer = this.#netlink.indexOf(outer_name);
    for (const index of [outer, inner]) this.#netlink.setLink(index, { up: true, no_ipv6_link_local: true });
    cables.connect(host, outer, inner);
    return inner;
  }

  /** The switch drops all that the host sends or should get; neither side sees its carrier go. */
  isolate({ port, socket }: HostLink): void {
    this.#isolated.add(port);
    if (this.#unplugged.has(socket)) this.#takeOut(port);
    else this.#netlink.setBridgePort(port, { state: 'disabled' });
  }

  rejoin({ port, socket }: HostLink): void {
    this.#isolated.delete(port);
    if (!this.#ports.has(port)) this.#putIn(port);
    else if (!this.#unplugged.has(socket)) this.#forward(port);
  }

  #putIn(port: number): void {
    this.#netlink.setLink(port, { master: this.#bridge });
    this.#ports.add(port);
    if (this.#echoes) this.#netlink.setBridgePort(port, { hairpin: true });
  }

  #takeOut(port: number): void {
    this.#netlink.setLink(port, { master: NO_BRIDGE });
    this.#ports.delete(port);
  }

  #forward(port: number): void {
    try {
      this.#netlink.setBridgePort(port, { state: 'forwarding' });
    } catch (error) {
      // it has just been plugged in: the bridge enables it by itself once it has its carrier
      if (!(error instanceof SystemError) || error.code !== 'ENETDOWN') throw error;
    }
  }

  /** From now on the switch and its cables do so. @throws Error with what nft says */
  change(change: SwitchChange): void {
    if (change.kind === 'delay') this.#delays = change.up_to_ms > 0;
    if (isOfCables(change)) this.#cables!.change(change);
    else if (change.kind === 'echo') this.#echo(change.on);
    else {
      this.#rules.change(change);
      this.#applyRules();
    }
  }

  /** Some of all frames get lost or are late, each by chance. */
  get isUnsteady(): boolean {
    return this.#rules.loses || this.#delays;
  }

  #echo(on: boolean): void {
    this.#echoes = on;
    for (const port of this.#ports) this.#netlink.setBridgePort(port, { hairpin: on });
  }

  /** The switch gives no multicast to that host any more, as one that snoops wrongly; ARP still gets through. */
  filterMulticast(link: HostLink): void {
    this.#netlink.setBridgePort(link.port, { multicast_flood: false });
  }

  /** Pulls the cable: both sides lose their carrier. */
  unplug({ port, socket }: HostLink): void {
    this.#unplugged.add(socket);
    this.#netlink.setLink(socket, { up: false });
    // the bridge enables each port that comes up
    if (this.#isolated.has(port)) this.#takeOut(port);
  }

  plug({ socket }: HostLink): void {
    this.#unplugged.delete(socket);
    this.#netlink.setLink(socket, { up: true });
  }

  #applyRules(): void {
    replaceTable('bridge', BRIDGE, String(this.#rules));
  }

  /** The host is gone with its interface, its addresses and its namespace (once nothing runs in it). */
  remove(link: HostLink): void {
    const { port, socket } = link;
    this.#cables?.remove(link.name);
    for (const index of new Set([port, socket])) this.#netlink.deleteLink(index);
    this.#ports.delete(port);
    this.#isolated.delete(port);
    this.#unplugged.delete(socket);
    closeSync(link.namespace_fd);
  }
}

/** A host keeps it over a reboot. Locally administered: 02:00, then the IPv4 address. */
function hardwareAddress(address: string): Uint8Array {
  return Uint8Array.of(2, 0, ...parseIpv4(address)!);
}

/** In the host's own namespace: loopback and eth0 up, the address on eth0. */
function configureHost(address: string, prefix_length: number): void {
  const netlink = new Netlink();
  try {
    netlink.setLink(netlink.indexOf('lo'), { up: true });
    const index = netlink.indexOf(INTERFACE);
    netlink.addAddress({ index, bytes: parseIpv4(address)!, prefix_length });
    netlink.setLink(index, { up: true });
  } finally {
    netlink.close();
  }
}
