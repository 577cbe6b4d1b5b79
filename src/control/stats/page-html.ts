/** The statistics page: one self-contained document that is read on a phone as well, vhids first. */
import type { StatsPage } from '../../config/model.ts';
import type { StatRow } from './fields.ts';
import { type ProcessFacts, uptimeText } from './info.ts';
import type { NamedVhid } from './page-body.ts';
import { STYLE } from './page-style.ts';
import { seconds } from './rows.ts';
import type { View } from './view.ts';

export type PageContent = {
  readonly view: View;
  readonly facts: ProcessFacts;
  readonly vhids: readonly NamedVhid[];
  readonly stats: StatsPage;
  readonly rows: readonly StatRow[];
  readonly target: string;
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
${outcome(content.target)}${vhids.length > 0 ? carpSection(vhids, content.view) : ''}
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
${footer(stats)}
</body>
</html>
`;
}

export function escapeHtml(text: unknown): string {
  return String(text).replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}

function header({ stats, facts, view, rows }: PageContent, title: string): string {
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
</header>`;
}

const OUTCOMES: Readonly<Record<string, string>> = {
  DONE: 'Done.',
  NONE: 'Nothing was chosen.',
  DENY: 'You may not change anything here.',
  ERRP: 'That could not be understood.',
};

function outcome(target: string): string {
  const text = OUTCOMES[/;st=(\w+)/.exec(target)?.[1] ?? ''];
  return text === undefined ? '' : `<p class="outcome" role="status">${text}</p>\n`;
}

function carpSection(vhids: readonly NamedVhid[], { now_ms }: View): string {
  const card = (vhid: NamedVhid) => `<li class="card ${vhid.state.toLowerCase()}">
<h3>${escapeHtml(vhid.name)} <span class="badge">${vhid.state}</span></h3>
<p>${escapeHtml(vhid.reason)}</p>
<p class="quiet">vhid ${vhid.vhid} on ${escapeHtml(vhid.interface)}, for ${duration(now_ms - vhid.since_ns / 1e6)}; MASTER is ${escapeHtml(
    vhid.state === 'MASTER' ? 'this node' : (vhid.master ?? 'nobody that is heard'),
  )}${vhid.demotion > 0 ? `; demoted by ${vhid.demotion}` : ''}</p>
</li>`;
  return `<section aria-label="addresses"><h2>Addresses</h2>\n<ul class="cards">\n${vhids.map(card).join('\n')}\n</ul></section>`;
}

const COLUMNS: readonly (readonly [name: string, help: string, of: (row: StatRow) => string])[] = [
  [
    'Now',
    'sessions now / most / limit',
    ({ values: v }) => `${v['scur']} <small>/ ${v['smax']}${v['slim'] === undefined ? '' : ` / ${v['slim']}`}</small>`,
  ],
  [
    'Queue',
    'requests that wait now / most',
    ({ values: v }) => (v['qcur'] === undefined ? '' : `${v['qcur']} <small>/ ${v['qmax']}</small>`),
  ],
  ['Rate', 'sessions in the last second / most', ({ values: v }) => `${v['rate']} <small>/ ${v['rate_max']}</small>`],
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
<thead><tr>${forms ? '<th></th>' : ''}<th scope="col" class="left">${escapeHtml(name)}</th><th scope="col" class="left">Status</th>${COLUMNS.map(
    ([column, help]) => `<th scope="col" title="${help}">${column}</th>`,
  ).join('')}</tr></thead>
<tbody>
${rows.map((row) => tableRow(row, forms, stats)).join('\n')}
</tbody></table>`;
  const body = forms
    ? `<form method="post" action="${escapeHtml(stats.uri)}"><input type="hidden" name="b" value="${escapeHtml(name)}">${table}
<p class="actions"><label>chosen servers <select name="action"><option value="ready">ready</option><option value="drain">drain</option><option value="maint">maint</option></select></label> <button>Apply</button></p></form>`
    : table;
  return `<section id="${escapeHtml(name)}"><h2>${escapeHtml(name)} <small>${rows[0]!.values['mode']}</small></h2>\n${body}</section>`;
}

function tableRow(row: StatRow, forms: boolean, stats: StatsPage): string {
  const { kind, values } = row;
  const name = kind === 'S' ? String(values['svname']) : kind === 'F' ? 'clients' : 'all servers';
  const box =
    kind === 'S' ? `<input type="checkbox" name="s" value="${escapeHtml(name)}" aria-label="${escapeHtml(name)}">` : '';
  const cells = COLUMNS.map(([column, , of]) => `<td data-of="${column}">${of(row)}</td>`).join('');
  const legend =
    stats.shows_legends && values['addr'] !== undefined ? `<br><small>${escapeHtml(values['addr'])}</small>` : '';
  const chosen = forms ? `<td class="box">${box}</td>` : '';
  return `<tr class="kind-${kind}">${chosen}<th scope="row">${escapeHtml(name)}${values['bck'] === 1 && kind === 'S' ? ' <small>backup</small>' : ''}${legend}</th><td data-of="Status">${status(row)}</td>${cells}</tr>`;
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

function number(value: unknown): string {
  return Number(value).toLocaleString('en-US').replaceAll(',', '\u202f');
}

function bytes(count: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  const power = count < 1 ? 0 : Math.min(units.length - 1, Math.floor(Math.log2(count) / 10));
  const value = count / 1024 ** power;
  return `${power === 0 ? value : value.toFixed(1)} ${units[power]}`;
}

/** `3d2h`, `4m10s` */
function duration(time_ms: number): string {
  const all_s = seconds(time_ms);
  const [d, h, m, s] = [
    Math.floor(all_s / 86_400),
    Math.floor(all_s / 3600) % 24,
    Math.floor(all_s / 60) % 60,
    all_s % 60,
  ];
  if (d > 0) return `${d}d${h}h`;
  if (h > 0) return `${h}h${m}m`;
  return m > 0 ? `${m}m${s}s` : `${s}s`;
}

function footer({ uri }: StatsPage): string {
  const link = (suffix: string, text: string) => `<a href="${escapeHtml(uri)}${suffix}">${text}</a>`;
  return `<footer>${link('', 'refresh')} ${link(';up', 'only what is up')} ${link(';csv', 'CSV')} ${link(';json', 'JSON')}</footer>`;
}
