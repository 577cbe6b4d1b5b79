/** Links that go down and come up: the vhids on them, and the demotion of the host's other ones. */
import { onDemote, onUndemote } from './demotions.ts';
import { type Interface, noteDown } from './interfaces.ts';
import { settleAll } from './obstacles.ts';
import type { Engine } from './state.ts';
import { isNews, tell } from './troubles.ts';

const FULL_DEMOTION = 240;

/** The vhids of the link go to INIT, and the host's other ones are demoted: who lost one side should lose the other. */
export function onLink(engine: Engine, name: string, up: boolean, why: string | undefined, now_ns: number): void {
  const link = engine.interfaces.get(name);
  if (!link || link.ignored || (up && link.up)) return;
  const went = link.up && !up;
  link.up = up; // one that was down may be removed as well: that is news, too
  link.why = why ?? `link of ${name} is ${up ? 'up' : 'down'}`;
  if (!engine.started) return;
  if (went) watchFlapping(engine, link, now_ns);
  if (up) onUndemote(engine, linkOwner(name), undefined, now_ns);
  settleAll(engine, link.why, now_ns);
  if (!up) demoteForLink(engine, link, now_ns);
}

/** Once per interface, however many vhids it carries. */
export function demoteForLink(engine: Engine, link: Interface, now_ns: number): void {
  const amount = engine.host.ifdown_demotion_factor ?? FULL_DEMOTION;
  if (amount > 0) onDemote(engine, linkOwner(link.name), amount, link.why, undefined, now_ns);
}

/** The owner of that demotion. */
export function linkOwner(name: string): string {
  return `link down ${name}`;
}

/** Told for one vhid, shown with all of them. */
function watchFlapping(engine: Engine, link: Interface, now_ns: number): void {
  const count = noteDown(link, now_ns);
  if (count === 0) return;
  const text = `the link of ${link.name} is flapping: it went down ${count} times within a minute`;
  const vhids = link.vhids.filter((vhid) => vhid !== undefined);
  const news = vhids.filter((vhid) => isNews(vhid, 'flapping', now_ns));
  if (news.length > 0) tell(engine, news[0], 'flapping', text, now_ns);
  for (const vhid of news.slice(1)) vhid.troubles.set('flapping', { text, at_ns: now_ns, logged_ns: now_ns });
}
