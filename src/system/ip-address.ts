/** IP addresses of both families between text and network-order bytes. */
import { parseIpv4 } from './ipv4-address.ts';
import { formatIpv6, parseIpv6 } from './ipv6-address.ts';

export { parseIpv4 };

/** IPv4 or IPv6 text as 4 or 16 bytes; undefined when it is neither. */
export function parseAddress(text: string): Uint8Array | undefined {
  return text.includes(':') ? parseIpv6(text) : parseIpv4(text);
}

/** The text of 4 or 16 bytes. */
export function formatAddress(bytes: Uint8Array): string {
  return bytes.length === 4 ? bytes.join('.') : formatIpv6(bytes);
}
