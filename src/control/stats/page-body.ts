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

export type NamedVhid = CarpVhidStatus & { readonly name: string };

export function pageBody(
  view: View,
  facts: ProcessFacts,
  vhids: readonly NamedVhid[],
  stats: StatsPage,
  question: PageQuestion,
): { readonly type: string; readonly text: string } {
  const { target, proxy: own } = question;
  const [, scope] = /[?&;]scope=([^&;]*)/.exec(target) ?? [];
  const rows = view.proxies
    .filter(
      ({ name }) =>
        stats.scopes.length === 0 || stats.scopes.includes(name) || (stats.scopes.includes('.') && name === own),
    )
    .filter(({ name }) => scope === undefined || name.includes(decode(scope)))
    .flatMap((proxy) => rowsOf(view, proxy))
    .filter((row) => !target.includes(';up') || isUp(row));
  if (target.includes(';csv')) return { type: 'text/plain', text: renderCsv(rows) };
  if (target.includes(';json')) return { type: 'application/json', text: renderJson(rows) };
  const text = renderPage({ view, facts, vhids, stats, rows, target, admin: question.admission.may_act });
  return { type: 'text/html; charset=utf-8', text };
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
