/**
 * IP addresses on interfaces, as rtnetlink messages.
 *
 *   ifaddrmsg  | family | prefix length | flags | scope | interface index |   then IFA_* attributes
 *   cacheinfo  | preferred s | valid s | created | updated |                  the address's lifetime
 */
import { formatAddress } from './ip-address.ts';
import {
  LITTLE_ENDIAN,
  type Message,
  type MessageBuilder,
  NLM_F_ACK,
  NLM_F_CREATE,
  NLM_F_EXCL,
  NLM_F_REPLACE,
  NLM_F_REQUEST,
  parseAttributes,
  RTM_DELADDR,
  RTM_NEWADDR,
  readText,
  readU32,
} from './netlink-message.ts';

export const AF_INET = 2;
export const AF_INET6 = 10;

const IFA_ADDRESS = 1;
const IFA_LOCAL = 2;
const IFA_LABEL = 3;
const IFA_CACHEINFO = 6;
const IFA_FLAGS = 8;

const IFA_F_NODAD = 0x02;
const IFA_F_DADFAILED = 0x08;
const IFA_F_TENTATIVE = 0x40;
const IFA_F_NOPREFIXROUTE = 0x200;
const BODY_LENGTH = 8;
export const FOREVER_S = 0xffffffff;

export type NewAddress = {
  readonly index: number;
  /** Network order, 4 or 16 bytes. */
  readonly bytes: Uint8Array;
  readonly prefix_length: number;
  /** The kernel removes the address that long after the last message that renewed it; undefined: never. */
  readonly lifetime_s?: number | undefined;
  /** Do not add a route for the prefix (so that removing the address cannot remove the network's route). */
  readonly noprefixroute?: boolean;
  /** Never a source address of the host's own connections unless a program asks for it (preferred lifetime 0). */
  readonly deprecated?: boolean;
  /** IPv6: ask the neighbours first whether somebody has the address (the kernel may then refuse to use it for ever). */
  readonly dad?: boolean;
  /** Renew or take over an address that is there already, instead of EEXIST. */
  readonly replace?: boolean;
};

/** RTM_NEWADDR. IPv6 addresses skip duplicate detection unless told to: CARP decided who owns the address. */
export function encodeNewAddress(builder: MessageBuilder, sequence: number, address: NewAddress, ack = true): void {
  const how = address.replace ? NLM_F_REPLACE : NLM_F_EXCL;
  builder.begin(RTM_NEWADDR, NLM_F_REQUEST | acknowledged(ack) | NLM_F_CREATE | how, sequence);
  encodeBody(builder, address);
  const nodad = address.bytes.length === 16 && !address.dad;
  const flags = (address.noprefixroute ? IFA_F_NOPREFIXROUTE : 0) | (nodad ? IFA_F_NODAD : 0);
  builder.attributeU32(IFA_FLAGS, flags);
  const lifetime = address.lifetime_s ?? FOREVER_S;
  builder
    .u16(20)
    .u16(IFA_CACHEINFO)
    .u32(address.deprecated ? 0 : lifetime)
    .u32(lifetime)
    .u32(0)
    .u32(0);
  builder.end();
}

/** RTM_DELADDR. */
export function encodeDeleteAddress(
  builder: MessageBuilder,
  sequence: number,
  address: { readonly index: number; readonly bytes: Uint8Array; readonly prefix_length: number },
  ack = true,
): void {
  builder.begin(RTM_DELADDR, NLM_F_REQUEST | acknowledged(ack), sequence);
  encodeBody(builder, address);
  builder.end();
}

/** Without it the kernel answers what it refuses only. */
function acknowledged(ack: boolean): number {
  return ack ? NLM_F_ACK : 0;
}

function encodeBody(
  builder: MessageBuilder,
  address: { readonly index: number; readonly bytes: Uint8Array; readonly prefix_length: number },
): void {
  const family = address.bytes.length === 4 ? AF_INET : AF_INET6;
  builder.u8(family).u8(address.prefix_length).u8(0).u8(0).u32(address.index);
  builder.attribute(IFA_LOCAL, address.bytes).attribute(IFA_ADDRESS, address.bytes);
}

/** One address of one interface, as the kernel tells it. */
export type InterfaceAddress = {
  readonly family: number;
  readonly index: number;
  readonly address: string;
  readonly bytes: Uint8Array;
  readonly prefix_length: number;
  readonly label: string;
  readonly flags: number;
  readonly noprefixroute: boolean;
  /** IPv6: duplicate detection has not ended, or ended badly. */
  readonly tentative: boolean;
  /** IPv6: it ended badly, as another node has the address. */
  readonly duplicate: boolean;
  /** Seconds left, FOREVER_S when it has no end. A source of the host's own connections for the first. */
  readonly preferred_s: number;
  readonly valid_s: number;
};

/** Reads RTM_NEWADDR and RTM_DELADDR; undefined for a message that is neither or carries no address. */
export function decodeAddress(message: Message): InterfaceAddress | undefined {
  if (message.type !== RTM_NEWADDR && message.type !== RTM_DELADDR) return undefined;
  if (message.body.length < BODY_LENGTH) return undefined;
  const attributes = parseAttributes(message.body, BODY_LENGTH);
  const bytes = attributes.get(IFA_LOCAL) ?? attributes.get(IFA_ADDRESS);
  if (!bytes) return undefined;
  const view = new DataView(message.body.buffer, message.body.byteOffset, message.body.byteLength);
  const flags = readU32(attributes.get(IFA_FLAGS)) ?? view.getUint8(2);
  return {
    family: view.getUint8(0),
    index: view.getUint32(4, LITTLE_ENDIAN),
    address: formatAddress(bytes),
    bytes: bytes.slice(),
    prefix_length: view.getUint8(1),
    label: readText(attributes.get(IFA_LABEL)) ?? '',
    flags,
    tentative: (flags & (IFA_F_TENTATIVE | IFA_F_DADFAILED)) !== 0,
    duplicate: (flags & IFA_F_DADFAILED) !== 0,
    noprefixroute: (flags & IFA_F_NOPREFIXROUTE) !== 0,
    preferred_s: readU32(attributes.get(IFA_CACHEINFO)) ?? FOREVER_S,
    valid_s: readU32(attributes.get(IFA_CACHEINFO)?.subarray(4)) ?? FOREVER_S,
  };
}
