/**
 * What HAProxy itself has dropped, and what is written for it today: files made for its versions 1.3 to 1.9 still have it. It is
 * an error here as there, but one that says what to write.
 */
import type { Reporter } from '../reporter.ts';
import type { Word } from '../word.ts';

export type Dropped = {
  readonly name: string;
  /** The version of HAProxy that refused it first. */
  readonly since: string;
  /** One sentence; `…` stands for the words behind the dropped one. */
  readonly mend: string;
};

const dropped = (since: string, mends: Readonly<Record<string, string>>): Dropped[] =>
  Object.entries(mends).map(([name, mend]) => ({ name, since, mend }));

/** `reqadd` and its kind became rules, which are not supported yet. */
const rewriting = (names: string, now: string): Dropped[] =>
  names
    .split(' ')
    .map((name) => ({ name, since: '2.1', mend: `Today this is \`${now}\`, which is not supported yet.` }));

export const DROPPED_KEYWORDS: readonly Dropped[] = [
  ...dropped('2.1', {
    contimeout: 'Write `timeout connect …`.',
    clitimeout: 'Write `timeout client …`.',
    srvtimeout: 'Write `timeout server …`.',
    redispatch: 'Write `option redispatch`.',
    block: 'Today this is `http-request deny …`, which is not supported yet.',
  }),
  ...rewriting('reqadd', 'http-request add-header'),
  ...rewriting('reqdel reqidel', 'http-request del-header'),
  ...rewriting('reqrep reqirep', 'http-request replace-header'),
  ...rewriting('reqdeny reqideny reqallow reqiallow reqpass reqipass', 'http-request deny'),
  ...rewriting('reqtarpit reqitarpit', 'http-request tarpit'),
  ...rewriting('rspadd', 'http-response add-header'),
  ...rewriting('rspdel rspidel', 'http-response del-header'),
  ...rewriting('rsprep rspirep', 'http-response replace-header'),
  ...rewriting('rspdeny rspideny', 'http-response deny'),
  ...dropped('2.5', {
    grace: 'Remove it, or write `grace …` in the global section.',
    nbproc: 'Remove it: threads are used instead; `nbthread` says how many.',
    'monitor-net': 'Write `monitor-uri /alive`, and let the monitor ask for that.',
  }),
  ...dropped('1.6', { appsession: 'Write `cookie NAME prefix`, or `cookie NAME insert`.' }),
];

export const DROPPED_OPTIONS: readonly Dropped[] = [
  ...dropped('2.0', { forceclose: 'Remove it, or write `option httpclose`.' }),
  ...dropped('2.1', { 'http-tunnel': 'Remove it: an upgraded connection becomes a tunnel by itself.' }),
  ...dropped('2.2', { 'http-use-htx': 'Remove it: nothing else is left to choose.' }),
  ...dropped('2.5', { http_proxy: 'A `server` line must name where requests go.' }),
];

/** False when HAProxy never had it, or still has. `rest`: the words behind it. */
export function reportDropped(
  list: readonly Dropped[],
  keyword: Word,
  rest: readonly Word[],
  report: Reporter,
): boolean {
  const found = list.find(({ name }) => name === keyword.text);
  if (found === undefined) return false;
  const shown = list === DROPPED_OPTIONS ? `option ${found.name}` : found.name;
  const values = rest.map(({ text }) => text).join(' ');
  const mend = values === '' ? found.mend.replace(' …', '') : found.mend.replace('…', () => values);
  report.error(
    keyword.span,
    'dropped-keyword',
    `HAProxy has not known \`${shown}\` since version ${found.since}.`,
    mend,
  );
  return true;
}

/** `listen web :80`, as it was written once. False when `words` begin otherwise. */
export function reportAddress(kind: string, [address, ...words]: readonly Word[], report: Reporter): boolean {
  if ((kind !== 'frontend' && kind !== 'listen') || address === undefined || !/:\d/.test(address.text)) return false;
  const line = ['bind', address.text, ...words.map(({ text }) => text)].join(' ');
  const message = `The address of a ${kind} has a line of its own.`;
  report.error(address.span, 'dropped-keyword', message, `Write \`${line}\` below.`);
  return true;
}
