/**
 * Network interfaces (links), as rtnetlink messages.
 *
 *   ifinfomsg  | family | 0 | type (16) | index | flags | change mask |   then IFLA_* attributes
 *
 *   veth:    LINKINFO { KIND "veth", DATA { PEER { ifinfomsg, IFNAME, NET_NS_FD … } } }
 *   bridge:  LINKINFO { KIND "bridge", DATA { FORWARD_DELAY … } }
 *   macvlan: LINK parent index, ADDRESS, LINKINFO { KIND "macvlan", DATA { MODE } }
 *   sysctls: AF_SPEC { INET { CONF { number: value … } } }, the net.ipv4.conf.NAME.* of one link
 */
import {
  LITTLE_ENDIAN,
  type Message,
  type MessageBuilder,
  NLM_F_ACK,
  NLM_F_CREATE,
  NLM_F_EXCL,
  NLM_F_REQUEST,
  parseAttributes,
  RTM_DELLINK,
  RTM_NEWLINK,
  RTM_SETLINK,
  readText,
  readU32,
} from './netlink-message.ts';

const AF_UNSPEC = 0;
const AF_BRIDGE = 7;

const IFLA_ADDRESS = 1;
const IFLA_IFNAME = 3;
const IFLA_MTU = 4;
const IFLA_LINK = 5;
const IFLA_MASTER = 10;
const IFLA_PROTINFO = 12;
const IFLA_LINKINFO = 18;
const IFLA_IFALIAS = 20;
const IFLA_AF_SPEC = 26;
const IFLA_NET_NS_FD = 28;
const IFLA_INFO_KIND = 1;
const IFLA_INFO_DATA = 2;
const VETH_INFO_PEER = 1;
const IFLA_MACVLAN_MODE = 1;
const MACVLAN_MODE_BRIDGE = 4;
const IFLA_INET_CONF = 1;
const IFLA_INET6_ADDR_GEN_MODE = 8;
const IN6_ADDR_GEN_MODE_NONE = 1;
const AF_INET = 2;
const AF_INET6 = 10;
const IFLA_BR_FORWARD_DELAY = 1;
const IFLA_BR_MCAST_SNOOPING = 23;
const IFLA_BR_MCAST_QUERIER = 25;
const IFLA_BRPORT_STATE = 1;
const IFLA_BRPORT_MODE = 4;
const IFLA_BRPORT_MCAST_FLOOD = 27;
const IFLA_BRPORT_ISOLATED = 33;

const IFF_UP = 1;
const IFF_LOOPBACK = 8;
const IFF_RUNNING = 0x40;

const BODY_LENGTH = 16;
const NEW = NLM_F_REQUEST | NLM_F_ACK | NLM_F_CREATE | NLM_F_EXCL;

export type LinkEnd = {
  readonly name: string;
  /** Six bytes; undefined: the kernel chooses. */
  readonly mac?: Uint8Array;
  /** The network namespace that the interface is born in; undefined: the socket's own. */
  readonly namespace_fd?: number | undefined;
};

/** RTM_NEWLINK for a veth pair: what is sent into one end arrives at the other. */
export function encodeNewVeth(builder: MessageBuilder, sequence: number, end: LinkEnd, peer: LinkEnd): void {
  builder.begin(RTM_NEWLINK, NEW, sequence);
  encodeLinkEnd(builder, end);
  builder.nest(IFLA_LINKINFO, () => {
    builder.attributeText(IFLA_INFO_KIND, 'veth');
    builder.nest(IFLA_INFO_DATA, () => builder.nest(VETH_INFO_PEER, () => encodeLinkEnd(builder, peer)));
  });
  builder.end();
}

/** RTM_NEWLINK for a bridge that forwards from the first moment and floods multicast as a plain switch does. */
export function encodeNewBridge(builder: MessageBuilder, sequence: number, end: LinkEnd): void {
  builder.begin(RTM_NEWLINK, NEW, sequence);
  encodeLinkEnd(builder, end);
  builder.nest(IFLA_LINKINFO, () => {
    builder.attributeText(IFLA_INFO_KIND, 'bridge');
    builder.nest(IFLA_INFO_DATA, () =>
      builder.attributeU32(IFLA_BR_FORWARD_DELAY, 0).attributeU8(IFLA_BR_MCAST_SNOOPING, 0),
    );
  });
  builder.end();
}

/**
 * RTM_NEWLINK for a link with a MAC of its own on `parent`'s cable (mode bridge: the host itself reaches it, too). It
 * is down and gets no IPv6 address by itself, so that nothing leaves from that MAC before it may.
 */
export function encodeNewMacvlan(builder: MessageBuilder, sequence: number, end: LinkEnd, parent: number): void {
  builder.begin(RTM_NEWLINK, NEW, sequence);
  encodeLinkEnd(builder, end);
  builder.attributeU32(IFLA_LINK, parent);
  builder.nest(IFLA_LINKINFO, () => {
    builder.attributeText(IFLA_INFO_KIND, 'macvlan');
    builder.nest(IFLA_INFO_DATA, () => builder.attributeU32(IFLA_MACVLAN_MODE, MACVLAN_MODE_BRIDGE));
  });
  builder.end();
}

function encodeLinkEnd(builder: MessageBuilder, end: LinkEnd): void {
  encodeBody(builder, AF_UNSPEC, 0, 0, 0);
  builder.attributeText(IFLA_IFNAME, end.name);
  if (end.mac) builder.attribute(IFLA_ADDRESS, end.mac);
  if (end.namespace_fd !== undefined) builder.attributeU32(IFLA_NET_NS_FD, end.namespace_fd);
}

/** What `encodeSetLink` changes; what is undefined stays. */
export type LinkChange = {
  readonly up?: boolean;
  readonly name?: string;
  /** Six bytes. */
  readonly mac?: Uint8Array;
  readonly mtu?: number;
  /** The index of the bridge that the link becomes a port of; 0 takes it out of its bridge. */
  readonly master?: number;
  /** Moves the link into that network namespace (which takes its addresses away and sets it down). */
  readonly namespace_fd?: number;
  readonly ipv4_conf?: Ipv4Conf;
  /** A note that people see in `ip link`, at most 255 bytes. */
  readonly alias?: string;
  /** The link gets no link-local IPv6 address by itself from now on. */
  readonly no_ipv6_link_local?: boolean;
};

/** Settings of one link under net.ipv4.conf. The kernel uses the greater of a link's value and that of `all`. */
export type Ipv4Conf = { readonly arp_announce?: number; readonly arp_ignore?: number; readonly rp_filter?: number };

/** Their numbers (IPV4_DEVCONF_*). */
const IPV4_CONF = { rp_filter: 8, arp_announce: 18, arp_ignore: 19 } as const;

/** RTM_NEWLINK on an existing link. */
export function encodeSetLink(builder: MessageBuilder, sequence: number, index: number, change: LinkChange): void {
  builder.begin(RTM_NEWLINK, NLM_F_REQUEST | NLM_F_ACK, sequence);
  encodeBody(builder, AF_UNSPEC, index, change.up ? IFF_UP : 0, change.up === undefined ? 0 : IFF_UP);
  if (change.name !== undefined) builder.attributeText(IFLA_IFNAME, change.name);
  if (change.mac) builder.attribute(IFLA_ADDRESS, change.mac);
  if (change.mtu !== undefined) builder.attributeU32(IFLA_MTU, change.mtu);
  if (change.master !== undefined) builder.attributeU32(IFLA_MASTER, change.master);
  if (change.namespace_fd !== undefined) builder.attributeU32(IFLA_NET_NS_FD, change.namespace_fd);
  if (change.alias !== undefined) builder.attribute(IFLA_IFALIAS, new TextEncoder().encode(change.alias));
  if (change.ipv4_conf || change.no_ipv6_link_local) builder.nest(IFLA_AF_SPEC, () => encodeSettings(builder, change));
  builder.end();
}

function encodeSettings(builder: MessageBuilder, { ipv4_conf, no_ipv6_link_local }: LinkChange): void {
  const known = Object.entries(IPV4_CONF) as [keyof Ipv4Conf, number][];
  if (ipv4_conf) {
    builder.nest(AF_INET, () =>
      builder.nest(IFLA_INET_CONF, () => {
        for (const [name, number] of known) {
          const value = ipv4_conf[name];
          if (value !== undefined) builder.attributeU32(number, value);
        }
      }),
    );
  }
  if (no_ipv6_link_local) {
    builder.nest(AF_INET6, () => builder.attributeU8(IFLA_INET6_ADDR_GEN_MODE, IN6_ADDR_GEN_MODE_NONE));
  }
}

/** What `encodeSetBridgePort` changes on a port. */
export type BridgePortChange = {
  /** `disabled` drops every frame both ways while both ends keep their carrier: a dead host behind a live switch. */
  readonly state?: 'disabled' | 'forwarding';
  /** What came in by the port leaves by it, too, as by any other. */
  readonly hairpin?: boolean;
  /** Isolated ports do not reach one another. */
  readonly isolated?: boolean;
  /** False: multicast for which the bridge knows no member does not leave by this port. */
  readonly multicast_flood?: boolean;
};

/** RTM_SETLINK in the bridge family. */
export function encodeSetBridgePort(
  builder: MessageBuilder,
  sequence: number,
  index: number,
  change: BridgePortChange,
): void {
  builder.begin(RTM_SETLINK, NLM_F_REQUEST | NLM_F_ACK, sequence);
  encodeBody(builder, AF_BRIDGE, index, 0, 0);
  builder.nest(IFLA_PROTINFO, () => {
    if (change.state) builder.attributeU8(IFLA_BRPORT_STATE, change.state === 'forwarding' ? 3 : 0);
    if (change.hairpin !== undefined) builder.attributeU8(IFLA_BRPORT_MODE, change.hairpin ? 1 : 0);
    if (change.multicast_flood !== undefined)
      builder.attributeU8(IFLA_BRPORT_MCAST_FLOOD, change.multicast_flood ? 1 : 0);
    if (change.isolated !== undefined) builder.attributeU8(IFLA_BRPORT_ISOLATED, change.isolated ? 1 : 0);
  });
  builder.end();
}

/** RTM_DELLINK; the other end of a veth pair goes with it. */
export function encodeDeleteLink(builder: MessageBuilder, sequence: number, index: number): void {
  builder.begin(RTM_DELLINK, NLM_F_REQUEST | NLM_F_ACK, sequence);
  encodeBody(builder, AF_UNSPEC, index, 0, 0);
  builder.end();
}

function encodeBody(builder: MessageBuilder, family: number, index: number, flags: number, change: number): void {
  builder.u8(family).u8(0).u16(0).u32(index).u32(flags).u32(change);
}

export type Link = {
  readonly index: number;
  readonly name: string;
  readonly flags: number;
  readonly up: boolean;
  /** IFF_RUNNING: up and with carrier. */
  readonly running: boolean;
  readonly loopback: boolean;
  readonly mac: Uint8Array;
  readonly mtu: number;
  /** The bridge's index, 0 when the link is no port. */
  readonly master: number;
  /** The index of the link that this one stands on (a macvlan's parent), 0 for none. */
  readonly parent: number;
  readonly kind: string;
  /** Whether a bridge forwards multicast to members only (`snoops`), and whether it asks who is one. */
  readonly bridge: { readonly snoops: boolean; readonly queries: boolean } | undefined;
  readonly alias: string;
  readonly ipv4_conf: Required<Ipv4Conf>;
};

/** Reads RTM_NEWLINK and RTM_DELLINK; undefined for other messages (a bridge's view of its ports is one of them). */
export function decodeLink(message: Message): Link | undefined {
  if (message.type !== RTM_NEWLINK && message.type !== RTM_DELLINK) return undefined;
  if (message.body.length < BODY_LENGTH || message.body[0] !== AF_UNSPEC) return undefined;
  const view = new DataView(message.body.buffer, message.body.byteOffset, message.body.byteLength);
  const attributes = parseAttributes(message.body, BODY_LENGTH);
  const flags = view.getUint32(8, LITTLE_ENDIAN);
  const info = attributes.get(IFLA_LINKINFO);
  return {
    index: view.getUint32(4, LITTLE_ENDIAN),
    name: readText(attributes.get(IFLA_IFNAME)) ?? '',
    flags,
    up: (flags & IFF_UP) !== 0,
    running: (flags & IFF_RUNNING) !== 0,
    loopback: (flags & IFF_LOOPBACK) !== 0,
    mac: attributes.get(IFLA_ADDRESS)?.slice() ?? new Uint8Array(6),
    mtu: readU32(attributes.get(IFLA_MTU)) ?? 0,
    master: readU32(attributes.get(IFLA_MASTER)) ?? 0,
    parent: readU32(attributes.get(IFLA_LINK)) ?? 0,
    kind: (info && readText(parseAttributes(info).get(IFLA_INFO_KIND))) ?? '',
    bridge: info && decodeBridge(parseAttributes(info)),
    alias: readText(attributes.get(IFLA_IFALIAS)) ?? '',
    ipv4_conf: decodeIpv4Conf(attributes.get(IFLA_AF_SPEC)),
  };
}

function decodeBridge(info: ReadonlyMap<number, Uint8Array>): Link['bridge'] {
  const data = info.get(IFLA_INFO_DATA);
  if (data === undefined || readText(info.get(IFLA_INFO_KIND)) !== 'bridge') return undefined;
  const settings = parseAttributes(data);
  const isOn = (number: number): boolean => (settings.get(number)?.[0] ?? 0) !== 0;
  return { snoops: isOn(IFLA_BR_MCAST_SNOOPING), queries: isOn(IFLA_BR_MCAST_QUERIER) };
}

/** The kernel writes the settings as one array of numbers, the first of them setting 1. */
function decodeIpv4Conf(af_spec: Uint8Array | undefined): Required<Ipv4Conf> {
  const inet = af_spec && parseAttributes(af_spec).get(AF_INET);
  const values = inet && parseAttributes(inet).get(IFLA_INET_CONF);
  const read = (number: number): number => readU32(values?.subarray(4 * (number - 1))) ?? 0;
  return {
    arp_announce: read(IPV4_CONF.arp_announce),
    arp_ignore: read(IPV4_CONF.arp_ignore),
    rp_filter: read(IPV4_CONF.rp_filter),
  };
}
