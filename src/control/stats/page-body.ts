/** What a request for the statistics page gets: HTML, or CSV and JSON as `show stat` has them. */
import type { StatsPage } from '../../config/model.ts';
import type { PageQuestion } from '../../proxy/http/page.ts';
import type { CarpVhidStatus } from '../../threads/carp-messages.ts';
import type { StatRow } from './fields.ts';
import { renderCsv, renderJson } from './formats.ts';
import type { ProcessFacts } from './info.ts';
import { renderPage } from './page-html.ts';
import { rowsOf } from './rows.ts';
import type { View } from './view.ts';

/** With what its configuration says. */
export type NamedVhid = CarpVhidStatus & { readonly name: string; readonly addresses: readonly string[] };

export function pageBody(
  view: View,
  facts: ProcessFacts,
  vhids: readonly NamedVhid[],
  stats: StatsPage,
  question: PageQuestion,
): { readonly type: string; readonly text: string } {
  const { target, proxy: own } = question;
  const wish = wishOf(target);
  const rows = view.proxies
    .filter(
      ({ name }) =>
        stats.scopes.length === 0 || stats.scopes.includes(name) || (stats.scopes.includes('.') && name === own),
    )
    .filter(({ name }) => name.includes(wish.scope))
    .flatMap((proxy) => rowsOf(view, proxy))
    .filter((row) => !wish.up || isUp(row));
  if (target.includes(';csv')) return { type: 'text/plain', text: renderCsv(rows) };
  if (target.includes(';json')) return { type: 'application/json', text: renderJson(rows) };
  const text = renderPage({ view, facts, vhids, stats, rows, wish, admin: question.admission.may_act });
  return { type: 'text/html; charset=utf-8', text };
}

/** What the reader asked for behind the page's URI. */
export type Wish = {
  /** What is in the names of the sections to be shown; '': all. */
  readonly scope: string;
  /** Without servers that are down or in maintenance. */
  readonly up: boolean;
  /** How an order went. */
  readonly status: string | undefined;
};

function wishOf(target: string): Wish {
  const [, scope = ''] = /[?&;]scope=([^&;?]*)/.exec(target) ?? [];
  return { scope: decode(scope.replaceAll('+', ' ')), up: /;up\b/.test(target), status: /;st=(\w+)/.exec(target)?.[1] };
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

function isUp({ kind, values }: StatRow): boolean {
  return kind !== 'S' || !/^(DOWN|MAINT)/.test(String(values['status']));
}
