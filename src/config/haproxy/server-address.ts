/** Where a server is: `HOST[:PORT]`, a socket's path, or as the client's connection says (`*:80`, `10.0.0.1`, `10.0.0.1:+100`). */
import { reportPlaceholder } from '../values.ts';
import type { Word } from '../word.ts';
import { checkUnixAddress, isHostName, literalOrName, parseHostAndPorts, unixAddress } from './address.ts';
import type { Context } from './keyword.ts';
import { expandVariables } from './tokenizer.ts';

/** `address` is '' for a name; port 0 is the client's, and `port_offset` more. */
export type ServerAddress = { host: string; address: string; port: number; port_offset: number };

const OFFSET = /:([+-]\d{1,5})$/;

export function parseServerAddress(word: Word, context: Context): ServerAddress | undefined {
  const { text } = expandVariables(word, context.env, context.report);
  const unix = unixAddress(text);
  if (unix !== undefined)
    return checkUnixAddress(unix, word, context) ? { host: unix, address: unix, port: 0, port_offset: 0 } : undefined;
  const offset = OFFSET.exec(text);
  const parts = parseHostAndPorts(offset ? { ...word, text: text.slice(0, offset.index) } : word, context);
  if (parts === undefined) return undefined;
  const host = parts.host === '' || parts.host === '*' ? anyAddress(text) : parts.host;
  if (reportPlaceholder({ text: host, span: word.span }, 'address', context.report)) return undefined;
  const address = literalOrName(host);
  const is_range = parts.first_port !== parts.last_port;
  if (is_range || text === '' || (address === '' && !isHostName(host))) {
    const mend = 'Write an IP address or a host name, and a port: `10.0.0.11:80`.';
    return context.report.error(word.span, 'bad-address', `\`${word.text}\` is not the address of a server.`, mend);
  }
  return { host, address, port: parts.first_port ?? 0, port_offset: Number(offset?.[1] ?? 0) };
}

function anyAddress(text: string): string {
  return /^(ipv6|tcp6)@/.test(text) ? '::' : '0.0.0.0';
}
