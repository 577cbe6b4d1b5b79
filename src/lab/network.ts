/**
 * A switch and the hosts on it, made of the kernel's own parts:
 *
 *     this process's namespace            a namespace for each host
 *     ┌───────────────────────┐           ┌────────────────────────┐
 *     │  bridge ── port1 ═════╪═══ veth ══╪═══ eth0  10.10.0.11/16 │  node-a
 *     │     └───── port2 ═════╪═══ veth ══╪═══ eth0  10.10.0.12/16 │  node-b
 *     └───────────────────────┘           └────────────────────────┘
 *
 * Nothing has a name outside: when the process ends the kernel takes all of it away.
 */
import { closeSync } from 'node:fs';
import { parseIpv4 } from '../system/ip-address.ts';
import { createNetworkNamespace, insideNetworkNamespace } from '../system/namespaces.ts';
import { Netlink } from '../system/netlink.ts';
import { replaceTable } from './nft.ts';
import type { Network as Subnet, SwitchChange } from './scenario.ts';
import { SwitchRules } from './switch-rules.ts';

/** One host's place in the network. */
export type HostLink = {
  readonly name: string;
  readonly address: string;
  /** The descriptor of the host's network namespace. */
  readonly namespace_fd: number;
  /** The index of the switch's end of the host's cable. */
  readonly port: number;
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
  #ports = 0;
  /** Indexes of ports. */
  readonly #isolated = new Set<number>();
  readonly #unplugged = new Set<number>();

  /** Throws a SystemError with code EPERM where this process may not configure its own network namespace. */
  constructor(subnet: Subnet) {
    this.#subnet = subnet;
    this.#netlink.createBridge({ name: BRIDGE });
    this.#bridge = this.#netlink.indexOf(BRIDGE);
    this.#netlink.setLink(this.#bridge, { up: true });
  }

  /** A new host, connected, with one address. */
  connect(name: string, address: string): HostLink {
    const namespace_fd = createNetworkNamespace();
    this.#ports += 1;
    const port_name = `port${this.#ports}`;
    this.#netlink.createVeth({ name: port_name }, { name: INTERFACE, namespace_fd, mac: hardwareAddress(address) });
    const port = this.#netlink.indexOf(port_name);
    this.#rules.setPort(name, port_name);
    if (this.#rules.drops) this.#applyRules();
    this.#netlink.setLink(port, { master: this.#bridge, up: true });
    insideNetworkNamespace(namespace_fd, () => configureHost(address, this.#subnet.prefix_length));
    return { name, address, namespace_fd, port };
  }

  /** The switch drops all that the host sends or should get; neither side sees its carrier go. */
  isolate({ port }: HostLink): void {
    this.#isolated.add(port);
    if (this.#unplugged.has(port)) this.#netlink.setLink(port, { master: NO_BRIDGE });
    else this.#netlink.setBridgePort(port, { state: 'disabled' });
  }

  rejoin({ port }: HostLink): void {
    this.#isolated.delete(port);
    this.#netlink.setLink(port, { master: this.#bridge });
    if (!this.#unplugged.has(port)) this.#netlink.setBridgePort(port, { state: 'forwarding' });
  }

  /** From now on the switch drops what it is to drop. @throws Error with what nft says */
  change(change: SwitchChange): void {
    this.#rules.change(change);
    this.#applyRules();
  }

  /** The switch gives no multicast to that host any more, as one that snoops wrongly; ARP still gets through. */
  filterMulticast(link: HostLink): void {
    this.#netlink.setBridgePort(link.port, { multicast_flood: false });
  }

  /** Pulls the cable: both sides lose their carrier. */
  unplug({ port }: HostLink): void {
    this.#unplugged.add(port);
    this.#netlink.setLink(port, { up: false });
    // the bridge enables each port that comes up
    if (this.#isolated.has(port)) this.#netlink.setLink(port, { master: NO_BRIDGE });
  }

  plug({ port }: HostLink): void {
    this.#unplugged.delete(port);
    this.#netlink.setLink(port, { up: true });
  }

  #applyRules(): void {
    replaceTable('bridge', BRIDGE, String(this.#rules));
  }

  /** The host is gone with its interface, its addresses and its namespace (once nothing runs in it). */
  remove(link: HostLink): void {
    this.#netlink.deleteLink(link.port);
    this.#isolated.delete(link.port);
    this.#unplugged.delete(link.port);
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
