/** The statistics page: one self-contained document that is read on a phone as well, vhids first. */
import type { StatsPage } from '../../config/model.ts';
import type { StatRow } from './fields.ts';
import { type ProcessFacts, uptimeText } from './info.ts';
import type { NamedVhid, Wish } from './page-body.ts';
import { carpSection } from './page-carp.ts';
import { STYLE } from './page-style.ts';
import { bytes, duration, escapeHtml, number } from './page-words.ts';
import { seconds } from './rows.ts';
import type { View } from './view.ts';

export type PageContent = {
  readonly view: View;
  readonly facts: ProcessFacts;
  readonly vhids: readonly NamedVhid[];
  readonly stats: StatsPage;
  readonly rows: readonly StatRow[];
  readonly wish: Wish;
  /** With forms that change servers. */
  readonly admin: boolean;
};

export function renderPage(content: PageContent): string {
  const { stats, rows, vhids } = content;
  const title =
    stats.node === undefined ? 'carpool' : `carpool on ${stats.node || content.view.config.global.node || 'this node'}`;
  const proxies = [...new Set(rows.map(({ values }) => String(values['pxname'])))];
  return `<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escapeHtml(title)}</title>
<style>${STYLE}</style>
</head>
<body>
${header(content, title)}
<main>
${outcome(content.wish)}${vhids.length > 0 ? carpSection(vhids, content.view.now_ms) : ''}
${proxies
  .map((name) =>
    proxySection(
      name,
      rows.filter(({ values }) => values['pxname'] === name),
      content,
    ),
  )
  .join('\n')}
</main>
${footer(content)}
</body>
</html>
`;
}

function header(content: PageContent, title: string): string {
  const { stats, facts, view, rows } = content;
  const version = stats.shows_version ? ` <small>${escapeHtml(facts.version)}</small>` : '';
  const clients = rows.filter(({ kind }) => kind === 'F').reduce((sum, { values }) => sum + Number(values['scur']), 0);
  const down = rows.filter(({ kind, values }) => kind === 'S' && /^DOWN/.test(String(values['status']))).length;
  const up_s = seconds(view.now_ms - facts.started_ms);
  const description = stats.description ? `<p>${escapeHtml(stats.description)}</p>` : '';
  return `<header>
<h1>${escapeHtml(title)}${version}</h1>${description}
<dl class="facts">
<div><dt>up</dt><dd>${uptimeText(up_s)}</dd></div>
<div><dt>clients</dt><dd>${clients} of ${view.maxconn}</dd></div>
<div><dt>servers down</dt><dd class="${down > 0 ? 'bad' : ''}">${down}</dd></div>
<div><dt>process</dt><dd>${process.pid}</dd></div>
</dl>
${filter(content)}</header>`;
}

/** Sends the URI's own query again: a form would replace it. */
function filter({ stats, wish }: PageContent): string {
  const [path, query = ''] = stats.uri.split('?');
  const own = query === '' ? [] : query.split('&').map((each) => each.split('='));
  const hidden = own.map(
    ([name, value = '']) => `<input type="hidden" name="${escapeHtml(name)}" value="${escapeHtml(value)}">`,
  );
  return `<form class="filter" role="search" method="get" action="${escapeHtml(path)}">${hidden.join('')}
<input type="search" name="scope" value="${escapeHtml(wish.scope)}" aria-label="sections whose name has" placeholder="sections named …"> <button>Show</button>${
    wish.scope === '' ? '' : ` <a href="${escapeHtml(stats.uri)}">all</a>`
  }</form>
`;
}

const OUTCOMES: Readonly<Record<string, string>> = {
  DONE: 'Done.',
  PART: 'Done for some of them: the others cannot be changed like this.',
  NONE: 'Nothing was changed: no server was chosen, or none that this means something to.',
  DENY: 'You may not change anything here, or the form did not come from this page.',
  ERRP: 'That could not be understood.',
  EXCD: 'That was too much at once.',
};

function outcome({ status }: Wish): string {
  const text = OUTCOMES[status ?? ''];
  return text === undefined ? '' : `<p class="outcome" role="status">${text}</p>\n`;
}

const COLUMNS: readonly (readonly [name: string, help: string, of: (row: StatRow) => string])[] = [
  [
    'Now',
    'sessions now / most / limit',
    ({ values: v }) => `${v['scur']} <small>/ ${v['smax']}${v['slim'] ? ` / ${v['slim']}` : ''}</small>`,
  ],
  [
    'Queue',
    'requests that wait now / most',
    ({ values: v }) => (v['qcur'] === undefined ? '' : `${v['qcur']} <small>/ ${v['qmax']}</small>`),
  ],
  [
    'Rate',
    'sessions in the last second / most',
    ({ values: v }) => (v['rate'] === undefined ? '' : `${v['rate']} <small>/ ${v['rate_max']}</small>`),
  ],
  ['Total', 'sessions since the start', ({ values: v }) => number(v['stot'])],
  ['In', 'bytes of requests', ({ values: v }) => bytes(Number(v['bin']))],
  ['Out', 'bytes of responses', ({ values: v }) => bytes(Number(v['bout']))],
  ['Errors', 'requests / connections / responses', errors],
  ['2xx', 'good responses', ({ values: v }) => (v['hrsp_2xx'] === undefined ? '' : number(v['hrsp_2xx']))],
  [
    '4xx',
    'responses that blame the client',
    ({ values: v }) => (v['hrsp_4xx'] === undefined ? '' : number(v['hrsp_4xx'])),
  ],
  [
    '5xx',
    'responses that blame the server',
    ({ values: v }) => (v['hrsp_5xx'] === undefined ? '' : number(v['hrsp_5xx'])),
  ],
  [
    'Time',
    'mean milliseconds until the response begins',
    ({ values: v }) => (v['rtime'] === undefined ? '' : `${v['rtime']} ms`),
  ],
];

function proxySection(name: string, rows: readonly StatRow[], { admin, stats }: PageContent): string {
  const servers = rows.filter(({ kind }) => kind === 'S').length;
  const forms = admin && servers > 0;
  const table = `<table>
<thead><tr>${forms ? '<th></th>' : ''}<th scope="col" class="left">Name</th><th scope="col" class="left">Status</th>${COLUMNS.map(
    ([column, help]) => `<th scope="col" title="${help}">${column}</th>`,
  ).join('')}</tr></thead>
<tbody>
${rows.map((row) => tableRow(row, forms, stats)).join('\n')}
</tbody></table>`;
  const body = forms
    ? `<form method="post" action="${escapeHtml(stats.uri)}"><input type="hidden" name="b" value="${escapeHtml(name)}">${table}
<p class="actions"><label>chosen servers: <select name="action">${actions(rows)}</select></label> <button>Apply</button></p></form>`
    : table;
  return `<section id="${escapeHtml(name)}"><h2>${escapeHtml(name)} <small>${rows[0]!.values['mode']}</small></h2>\n${body}</section>`;
}

/** Those that mean something to one of the servers; all that a POST may order is in page-actions.ts. */
function actions(rows: readonly StatRow[]): string {
  const some = (field: string) => rows.some(({ kind, values }) => kind === 'S' && values[field] !== undefined);
  const groups = [
    STATES,
    ...(some('check_status') ? [CHECKS] : []),
    ...(some('agent_status') ? [AGENTS] : []),
    SESSIONS,
  ];
  return groups
    .map(({ label, options }) => {
      const texts = options.map(([value, text]) => `<option value="${value}">${text}</option>`);
      return `<optgroup label="${label}">${texts.join('')}</optgroup>`;
    })
    .join('');
}

type Actions = { readonly label: string; readonly options: readonly (readonly [value: string, text: string])[] };

const STATES: Actions = {
  label: 'what people set',
  options: [
    ['ready', 'ready: take clients'],
    ['drain', 'drain: keep those who are there'],
    ['maint', 'maint: nobody'],
  ],
};
const CHECKS: Actions = {
  label: 'checks',
  options: [
    ['hrunn', 'as if checks said up'],
    ['hnolb', 'as if checks said no new clients'],
    ['hdown', 'as if checks said down'],
    ['dhlth', 'stop checking'],
    ['ehlth', 'check again'],
  ],
};
const AGENTS: Actions = {
  label: 'agent',
  options: [
    ['arunn', 'as if the agent said up'],
    ['adown', 'as if the agent said down'],
    ['dagent', 'stop asking the agent'],
    ['eagent', 'ask the agent again'],
  ],
};
const SESSIONS: Actions = { label: 'sessions', options: [['shutdown', 'end them all']] };

function tableRow(row: StatRow, forms: boolean, stats: StatsPage): string {
  const { kind, values } = row;
  const name = kind === 'F' ? 'clients' : kind === 'B' ? 'all servers' : String(values['svname']);
  const box =
    kind === 'S' ? `<input type="checkbox" name="s" value="${escapeHtml(name)}" aria-label="${escapeHtml(name)}">` : '';
  const cells = COLUMNS.map(([column, , of]) => cell(column, of(row))).join('');
  const legend =
    stats.shows_legends && values['addr'] !== undefined ? `<br><small>${escapeHtml(values['addr'])}</small>` : '';
  const chosen = forms ? `<td class="box">${box}</td>` : '';
  return `<tr class="kind-${kind}">${chosen}<th scope="row">${escapeHtml(name)}${values['bck'] === 1 && kind === 'S' ? ' <small>backup</small>' : ''}${legend}</th><td data-of="Status">${status(row)}</td>${cells}</tr>`;
}

/** Where nothing happened is said quietly. */
function cell(column: string, text: string): string {
  const nothing = /^0( B| ms)?( <small>\/ 0<\/small>)?$/.test(text);
  return `<td data-of="${column}"${nothing ? ' class="quiet"' : ''}>${text}</td>`;
}

function status({ values, kind }: StatRow): string {
  const text = String(values['status']);
  const tone = /^(UP|OPEN)/.test(text) ? 'good' : /^(DOWN|STOP)/.test(text) ? 'bad' : 'quiet';
  const age = values['lastchg'] === undefined ? '' : ` <small>${duration(Number(values['lastchg']) * 1000)}</small>`;
  const check =
    kind === 'S' && values['last_chk']
      ? `<br><small>${escapeHtml(values['check_status'])} ${escapeHtml(values['last_chk'])}</small>`
      : '';
  return `<span class="badge ${tone}">${escapeHtml(text)}</span>${age}${check}`;
}

function errors({ values }: StatRow): string {
  const all = ['ereq', 'econ', 'eresp'].map((field) => values[field]).filter((value) => value !== undefined);
  const sum = all.reduce<number>((total, value) => total + Number(value), 0);
  return sum === 0 ? '0' : `<b class="bad" title="${all.join(' / ')}">${number(sum)}</b>`;
}

function footer({ stats, wish }: PageContent): string {
  const scope = wish.scope === '' ? '' : `;scope=${encodeURIComponent(wish.scope)}`;
  const link = (suffix: string, text: string) => `<a href="${escapeHtml(stats.uri)}${suffix}${scope}">${text}</a>`;
  const up = wish.up ? link('', 'also what is down') : link(';up', 'only what is up');
  return `<footer>${link(wish.up ? ';up' : '', 'refresh')} ${up} ${link(';csv', 'CSV')} ${link(';json', 'JSON')}</footer>`;
}
