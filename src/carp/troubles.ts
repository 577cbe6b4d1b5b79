/**
 * What is wrong on the segment, named in a sentence: in the log once a minute at most, in the status as long as it was
 * seen in the last minute.
 *
 *     if (isNews(vhid, 'deaf', now_ns)) tell(engine, vhid, 'deaf', `…`, now_ns);
 */
import type { Trouble } from './events.ts';
import type { Engine, Vhid } from './state.ts';

const SHOWN_NS = 60e9;
const LOG_EVERY_NS = 60e9;

/** Notes that it was seen now. True when it has to be told, so that nobody builds a sentence for nothing. */
export function isNews(vhid: Vhid, kind: Trouble['kind'], now_ns: number): boolean {
  const trouble = vhid.troubles.get(kind);
  if (!trouble) return true;
  trouble.at_ns = now_ns;
  // equal settings are a mistake of configuration: they stay, and were told
  return kind !== 'equal' && now_ns - trouble.logged_ns >= LOG_EVERY_NS;
}

export function tell(engine: Engine, vhid: Vhid, kind: Trouble['kind'], text: string, now_ns: number): void {
  vhid.troubles.set(kind, { text, at_ns: now_ns, logged_ns: now_ns });
  engine.effects.push({ kind: 'log', level: 'warning', text });
}

/** The present ones, the latest first. */
export function troublesOf(vhid: Vhid, now_ns: number): readonly Trouble[] {
  return [...vhid.troubles]
    .filter(([, { at_ns }]) => now_ns - at_ns < SHOWN_NS)
    .map(([kind, { text, at_ns }]) => ({ kind, text, at_ns }))
    .sort((a, b) => b.at_ns - a.at_ns);
}
