/** Netmasks, as ifconfig reads and writes them. */
import { isIPv4 } from '../values.ts';

/** `255.255.0.0` or `0xffff0000` -> 16; undefined for what is no netmask. */
export function prefixOfMask(text: string): number | undefined {
  const hexadecimal = /^0x([0-9a-fA-F]{1,8})$/.exec(text);
  if (hexadecimal === null && !isIPv4(text)) return undefined;
  const mask =
    hexadecimal === null
      ? text.split('.').reduce((sum, part) => sum * 256 + Number(part), 0)
      : Number.parseInt(hexadecimal[1], 16);
  const bits = mask.toString(2).padStart(32, '0');
  return /^1+0*$/.test(bits) ? bits.lastIndexOf('1') + 1 : undefined;
}

/** 16 -> 0xffff0000 as a number. */
function maskOfPrefix(prefix_length: number): number {
  return prefix_length === 0 ? 0 : (0xffff_ffff << (32 - prefix_length)) >>> 0;
}

/** 16 -> `0xffff0000` */
export function hexadecimalMask(prefix_length: number): string {
  return `0x${maskOfPrefix(prefix_length).toString(16).padStart(8, '0')}`;
}

/** 16 -> `255.255.0.0` */
export function dottedMask(prefix_length: number): string {
  return dotted(maskOfPrefix(prefix_length));
}

/** `10.10.0.1`, 16 -> `10.10.255.255` */
export function broadcastOf(address: string, prefix_length: number): string {
  const number = address.split('.').reduce((sum, part) => sum * 256 + Number(part), 0);
  return dotted((number | ~maskOfPrefix(prefix_length)) >>> 0);
}

function dotted(number: number): string {
  return [24, 16, 8, 0].map((shift) => (number >>> shift) & 255).join('.');
}
