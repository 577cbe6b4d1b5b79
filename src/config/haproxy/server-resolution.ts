/** Words of a server line that say how its name becomes an address (manual 5.2): init-addr, resolvers, resolve-*. */
import type { InitAddress, Network, Resolution } from '../model.ts';
import { didYouMean } from '../suggest.ts';
import { isIPv4, isIPv6 } from '../values.ts';
import type { Word } from '../word.ts';
import type { ServerSettings } from './drafts.ts';
import type { Context } from './keyword.ts';
import { oneOf, type ServerWord } from './server-word.ts';

/** What one list may hold. */
const LONGEST_LIST = 64;

export const RESOLUTION_WORDS: readonly ServerWord[] = [
  {
    name: 'init-addr',
    help: 'Where the first address comes from, in this order: `last`, `libc`, `none`, an IP address (last,libc,none).',
    field: 'init_addresses',
    takes_value: true,
    parse: (settings, value, context) => {
      const found = parseList(value, parseInitAddress, context);
      if (found) settings.init_addresses = found;
    },
  },
  {
    name: 'resolvers',
    help: 'The `resolvers` section that keeps the address up to date.',
    field: 'resolvers',
    takes_value: true,
    parse: (settings, value) => {
      settings.resolvers = value.text;
    },
  },
  oneOf(
    'resolve-prefer',
    'The family to use where a name has both: `ipv4` or `ipv6` (ipv6).',
    ['ipv4', 'ipv6'],
    (settings, value) => {
      settings.resolution.prefer = value;
    },
  ),
  {
    name: 'resolve-net',
    help: 'Networks, such as `10.0.0.0/8`, whose addresses are used before others.',
    field: 'resolve_net',
    takes_value: true,
    parse: (settings, value, context) => {
      const found = parseList(value, parseNetwork, context);
      if (found) settings.resolution.networks = found;
    },
  },
  {
    name: 'resolve-opts',
    help: '`allow-dup-ip`, `prevent-dup-ip`: may servers of one name share an address; `ignore-weight` of SRV records.',
    field: 'resolve_opts',
    takes_value: true,
    parse: (settings, value, context) => void parseList(value, (word) => parseOption(settings, word, context), context),
  },
];

/** Undefined, and something was reported, when a part of the list is wrong. */
function parseList<Value>(
  { text, span }: Word,
  parse: (word: Word, context: Context) => Value | undefined,
  context: Context,
): Value[] | undefined {
  const parts = text.split(',');
  if (parts.length > LONGEST_LIST)
    return context.report.error(span, 'too-many', `A list has at most ${LONGEST_LIST} parts.`);
  const values = parts.map((part) => parse({ text: part, span }, context));
  return values.some((value) => value === undefined) ? undefined : (values as Value[]);
}

function parseInitAddress({ text, span }: Word, { report }: Context): InitAddress | undefined {
  if (text === 'last' || text === 'libc' || text === 'none') return { kind: text };
  if (isIPv4(text) || isIPv6(text)) return { kind: 'address', address: text };
  const mend = didYouMean(text, ['last', 'libc', 'none']) ?? 'Write `last`, `libc`, `none` or an IP address.';
  return report.error(span, 'unknown-value', `\`${text}\` is not a way to find a first address.`, mend);
}

function parseNetwork({ text, span }: Word, { report }: Context): Network | undefined {
  const [address, length, ...more] = text.split('/');
  const longest = isIPv4(address) ? 32 : isIPv6(address) ? 128 : -1;
  const prefix_length = length === undefined ? longest : /^\d{1,3}$/.test(length) ? Number(length) : longest + 1;
  if (more.length === 0 && longest > 0 && prefix_length <= longest) return { address, prefix_length };
  return report.error(span, 'bad-address', `\`${text}\` is not a network.`, 'Write for example `10.0.0.0/8`.');
}

function parseOption(settings: ServerSettings, { text, span }: Word, { report }: Context): true | undefined {
  const { resolution } = settings;
  if (text === 'allow-dup-ip') resolution.allows_duplicates = true;
  else if (text === 'prevent-dup-ip') resolution.allows_duplicates = false;
  else if (text === 'ignore-weight') resolution.ignores_weight = true;
  else {
    const known = ['allow-dup-ip', 'prevent-dup-ip', 'ignore-weight'];
    const mend = didYouMean(text, known) ?? `Write ${known.map((name) => `\`${name}\``).join(', ')}.`;
    return report.error(span, 'unknown-value', `\`${text}\` is not an option of \`resolve-opts\`.`, mend);
  }
  return true;
}

export function finishResolution({ resolvers, resolution }: ServerSettings): Resolution | undefined {
  return resolvers === undefined ? undefined : { resolvers, ...resolution };
}
