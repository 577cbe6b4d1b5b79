/** A received frame of protocol 112 as the doctor sees it: everything that it says, right or wrong. Pure. */
import { type Auth, verify } from '../../carp/auth.ts';
import { createPdu, decodePdu } from '../../carp/packet.ts';
import { formatAddress } from '../../system/ip-address.ts';
import type { HeardFrame } from './facts.ts';

const ETHERNET_BYTES = 14;
const VERSION_CARP_OR_VRRP2 = 0x21;
const VERSION_VRRP3 = 0x31;
const CARP_BYTES = 36;
const CARP_AUTHLEN = 7;

const pdu = createPdu();

export function readHeardFrame(
  link: string,
  bytes: Uint8Array,
  authOf: (vhid: number) => Auth | undefined,
): HeardFrame | undefined {
  const v6 = bytes[12] === 0x86;
  const header = v6 ? 40 : (bytes[ETHERNET_BYTES] & 15) * 4;
  const at = ETHERNET_BYTES + header;
  if (bytes.length < at + 8) return undefined;
  const source = v6 ? bytes.slice(22, 38) : bytes.slice(26, 30);
  const total = v6 ? header + ((bytes[18] << 8) | bytes[19]) : (bytes[16] << 8) | bytes[17];
  const length = Math.min(total - header, bytes.length - at);
  const common = {
    interface: link,
    source: formatAddress(source),
    mac: formatMac(bytes.subarray(6, 12)),
    ttl: bytes[v6 ? 21 : 22],
    vhid: bytes[at + 1],
  };
  const nothing = { advbase: 0, advskew: 0, authentic: undefined };
  const version = bytes[at];
  // VRRPv2 has the very same first byte; its fourth is a count of addresses, and seven of them are longer than 36 bytes
  const carp = version === VERSION_CARP_OR_VRRP2 && length === CARP_BYTES && bytes[at + 3] === CARP_AUTHLEN;
  if (!carp) {
    const vrrp = version === VERSION_CARP_OR_VRRP2 || version === VERSION_VRRP3;
    return { ...common, ...nothing, protocol: vrrp ? 'vrrp' : 'garbage' };
  }
  if (decodePdu(bytes, at, length, pdu) !== null) return { ...common, ...nothing, protocol: 'garbage' };
  const auth = authOf(pdu.vhid);
  const authentic = auth === undefined ? undefined : verify(auth, pdu.counter_high, pdu.counter_low, pdu.hmac);
  return { ...common, protocol: 'carp', advbase: pdu.advbase, advskew: pdu.advskew, authentic };
}

/** `02:00:0a:2c:00:01` */
export function formatMac(bytes: Uint8Array): string {
  return [...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join(':');
}
