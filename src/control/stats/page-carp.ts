/** The vhids of the node, on top of the statistics page: whose addresses they are now, why, and what is wrong. */
import type { NamedVhid } from './page-body.ts';
import { duration, escapeHtml } from './page-words.ts';

/** `now_ms`: monotonic. */
export function carpSection(vhids: readonly NamedVhid[], now_ms: number): string {
  const cards = vhids.map((vhid) => card(vhid, now_ms));
  return `<section aria-label="addresses"><h2>Addresses</h2>\n<ul class="cards">\n${cards.join('\n')}\n</ul></section>`;
}

function card(vhid: NamedVhid, now_ms: number): string {
  const { name, state, reason, addresses, since_ns } = vhid;
  const troubles = vhid.troubles.map(({ text }) => `<p class="bad">${escapeHtml(text)}</p>\n`).join('');
  return `<li class="card ${state.toLowerCase()}">
<h3>${escapeHtml(name)} <span class="badge">${state}</span> <small>${duration(now_ms - since_ns / 1e6)}</small></h3>
<p class="addresses">${addresses.map(escapeHtml).join('<br>')}</p>
<p>${escapeHtml(reason)}</p>
${troubles}<p class="quiet">${escapeHtml(place(vhid))}</p>
</li>`;
}

function place({ vhid, interface: link, state, master, demotion }: NamedVhid): string {
  const elsewhere = state === 'MASTER' ? '' : `; MASTER is ${master ?? 'nobody that is heard'}`;
  return `vhid ${vhid} on ${link}${elsewhere}${demotion > 0 ? `; demoted by ${demotion}` : ''}`;
}
