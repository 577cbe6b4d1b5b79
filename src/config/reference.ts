/** Every keyword that carpool reads, as a table for the reference documentation: made from what the parser uses. */
import { BIND_WORDS } from './haproxy/bind.ts';
import { CARP_KEYWORDS } from './haproxy/carp.ts';
import { GLOBAL_KEYWORDS } from './haproxy/global.ts';
import type { Keyword, SectionKind } from './haproxy/keyword.ts';
import { OPTIONS } from './haproxy/options.ts';
import { PROXY_KEYWORDS, TIMEOUTS } from './haproxy/proxy.ts';
import { SERVER_WORDS } from './haproxy/server.ts';
import { UCARP_OPTIONS } from './ucarp/options.ts';

export type KeywordRow = {
  /** As it is written: `mode`, `option httplog`, `server … check`, `ucarp --vhid`. */
  readonly keyword: string;
  readonly section: SectionKind | 'command line';
  readonly help: string;
  readonly has_effect: boolean;
};

/** One row for each keyword and section that takes it, in the order of the parser's tables. */
export function keywordTable(): KeywordRow[] {
  return [
    ...GLOBAL_KEYWORDS.flatMap((row) => rowsOf(row, row.name)),
    ...PROXY_KEYWORDS.flatMap((row) => rowsOf(row, row.name)),
    ...OPTIONS.flatMap((row) => rowsOf(row, `option ${row.name}`)),
    ...Object.keys(TIMEOUTS).flatMap((name) => rowsOf(proxyKeyword('timeout'), `timeout ${name}`)),
    ...BIND_WORDS.flatMap(({ name, help }) => rowsOf({ ...proxyKeyword('bind'), help }, `bind … ${name}`)),
    ...SERVER_WORDS.flatMap(({ name, help }) => rowsOf({ ...proxyKeyword('server'), help }, `server … ${name}`)),
    ...CARP_KEYWORDS.flatMap((row) => rowsOf(row, row.name)),
    ...UCARP_OPTIONS.map(({ long, help }): KeywordRow => {
      const has_effect = !/^(Accepted without effect|Not supported)/.test(help);
      return { keyword: `ucarp --${long}`, section: 'command line', help, has_effect };
    }),
  ];
}

type Described = Pick<Keyword<unknown>, 'sections' | 'help' | 'has_effect'>;

function rowsOf({ sections, help, has_effect }: Described, keyword: string): KeywordRow[] {
  return sections.map((section) => ({ keyword, section, help, has_effect }));
}

function proxyKeyword(name: string): Described {
  const found = PROXY_KEYWORDS.find((row) => row.name === name);
  if (found === undefined) throw new Error(`no proxy keyword ${name}`);
  return found;
}
