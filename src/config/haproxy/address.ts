/** `host:port` of bind, server and log lines (manual 11, "Address formats"). */
import type { Endpoint } from '../model.ts';
import { isIPv4, isIPv6 } from '../values.ts';
import type { Word } from '../word.ts';
import type { Context } from './keyword.ts';
import { expandVariables } from './tokenizer.ts';

export type HostAndPorts = {
  readonly host: string;
  readonly first_port: number | undefined;
  readonly last_port: number | undefined;
};

/** Longest port range of one `bind`: each port is a listening socket per thread. */
const LONGEST_RANGE = 256;

/** Splits `host:port`, `:port`, `[v6]:port`, `host:first-last` and plain `host`; IPv6 without brackets ends at its last colon. */
export function parseHostAndPorts(written: Word, context: Context): HostAndPorts | undefined {
  const word = expandVariables(written, context.env, context.report);
  if (isForeignFamily(word, context)) return undefined;
  const text = word.text.replace(/^(ipv4|ipv6|tcp4|tcp6)@/, '');
  const { host, port } = splitPort(text);
  if (port === undefined || port === '') return { host, first_port: undefined, last_port: undefined };
  const [first_port, last_port] = port.split('-').map(Number);
  if (!/^\d{1,5}(-\d{1,5})?$/.test(port) || first_port < 1 || first_port > 65535) return badPort(word, port, context);
  if (last_port === undefined) return { host, first_port, last_port: first_port };
  if (last_port > 65535 || last_port < first_port || last_port - first_port >= LONGEST_RANGE)
    return badPort(word, port, context);
  return { host, first_port, last_port };
}

function splitPort(text: string): { host: string; port: string | undefined } {
  const bracketed = /^\[([^\]]*)\](?::(.*))?$/.exec(text);
  if (bracketed !== null) return { host: bracketed[1], port: bracketed[2] };
  const colon = text.lastIndexOf(':');
  return colon < 0 ? { host: text, port: undefined } : { host: text.slice(0, colon), port: text.slice(colon + 1) };
}

function badPort(word: Word, port: string, { report }: Context): undefined {
  report.error(
    word.span,
    'bad-port',
    `\`${port}\` is not a port.`,
    `Write a number from 1 to 65535, or a range of at most ${LONGEST_RANGE} ports such as \`8000-8003\`.`,
  );
  return undefined;
}

function isForeignFamily(word: Word, { report }: Context): boolean {
  const family =
    /^(unix|abns|abnsz|fd|sockpair|udp4?|udp6|quic4|quic6|rhttp|mptcp4?|mptcp6)@/.exec(word.text)?.[0] ??
    (word.text.startsWith('/') ? '/' : undefined);
  if (family === undefined) return false;
  report.error(
    word.span,
    'unsupported-address',
    `Addresses that begin with \`${family}\` are not supported yet.`,
    'Write an IP address and a port, such as `127.0.0.1:8080`.',
  );
  return true;
}

/** `/path`, `unix@/path` or `abns@name` as the model has them; undefined: another kind of address. */
export function unixAddress(text: string): string | undefined {
  if (text.startsWith('unix@')) return unixAddress(text.slice('unix@'.length));
  if (text.startsWith('abns@') && text.length > 'abns@'.length) return `@${text.slice('abns@'.length)}`;
  return text.startsWith('/') ? text : undefined;
}

/** What the kernel takes as name of a socket, without the closing NUL (unix(7)). */
const LONGEST_UNIX_BYTES = 107;

/** A longer one is reported. */
export function checkUnixAddress(
  address: string,
  { span }: Pick<Word, 'span'>,
  { report }: Pick<Context, 'report'>,
): boolean {
  if (Buffer.byteLength(address) <= LONGEST_UNIX_BYTES) return true;
  const message = `The name of a socket has at most ${LONGEST_UNIX_BYTES} bytes; this one has ${Buffer.byteLength(address)}.`;
  report.error(span, 'bad-address', message, 'Choose a shorter path.');
  return false;
}

/** The number of `fd@N`: a listening socket that the parent process left open. */
export function inheritedDescriptor(text: string): number | undefined {
  const match = /^fd@(\d{1,6})$/.exec(text);
  return match === null ? undefined : Number(match[1]);
}

/** No name is looked up to listen or to log, but this one is the same everywhere. */
const LOCALHOST = '127.0.0.1';

/** '' and '*' are every IPv4 address, as in HAProxy. */
export function listenAddress(host: string): string | undefined {
  if (host === '' || host === '*') return '0.0.0.0';
  if (host === 'localhost') return LOCALHOST;
  return isIPv4(host) || isIPv6(host) ? host : undefined;
}

/** A literal address, or '' for a name that is resolved at start. */
export function literalOrName(host: string): string {
  return isIPv4(host) || isIPv6(host) ? host : '';
}

/** Letters, digits, hyphens and underscores in labels: what a host name can be. */
export function isHostName(host: string): boolean {
  return (
    host.length <= 253 && /^[A-Za-z0-9_]([A-Za-z0-9_-]*)(\.[A-Za-z0-9_-]+)*\.?$/.test(host) && !/^[\d.]+$/.test(host)
  );
}

/** An address literal with an optional port, or undefined after a report. */
export function parseLiteralEndpoint(
  word: Word,
  default_port: number,
  what: string,
  context: Context,
): Endpoint | undefined {
  const parts = parseHostAndPorts(word, context);
  if (parts === undefined) return undefined;
  const address = parts.host === 'localhost' ? LOCALHOST : literalOrName(parts.host);
  if (address !== '') return { address, port: parts.first_port ?? default_port };
  const message = `${what} \`${word.text}\` is not an IP address.`;
  const mend = isHostName(parts.host)
    ? `Names are not looked up here: write the address of \`${parts.host}\`.`
    : 'Write an IP address, such as `127.0.0.1:514`.';
  return context.report.error(word.span, 'bad-address', message, mend);
}
