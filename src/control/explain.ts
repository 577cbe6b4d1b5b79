/**
 * Why a vhid is in its state and what would change that, in plain words: `carpool explain`. Pure: facts in, sentences out.
 *
 *   BACKUP because 10.0.0.11 adverts every 1.00 s and this node would every 1.39 s. Last heard 0.4 s ago; …
 */
import type { HeardAdvert, Prospect, VhidStatus } from '../carp/events.ts';
import { seconds } from '../carp/text.ts';
import { formatAge } from './format-age.ts';

export type ExplainFacts = {
  /** The section's name. */
  readonly name: string;
  readonly status: VhidStatus;
  readonly link_up: boolean;
  /** The listeners accept and every check has run once. */
  readonly ready: boolean;
  /** People took it out of service: who, and for how long yet. */
  readonly maintenance: string | undefined;
  readonly now_ns: number;
};

/** One word for each reason there is to be in a state, for scripts. */
export type Cause =
  | 'starting'
  | 'link-down'
  | 'maintenance'
  | 'held'
  | 'listening'
  | 'slower'
  | 'demoted'
  | 'equal'
  | 'no-preempt'
  | 'preempt-waits'
  | 'master-silent'
  | 'alone'
  | 'preferred'
  | 'demoted-alone'
  | 'contested';

export type Explanation = { readonly cause: Cause; readonly sentences: readonly string[] };

export function explain(facts: ExplainFacts): Explanation {
  const { cause, sentences } = EXPLAIN[facts.status.state](facts);
  return { cause, sentences: [...sentences, ...facts.status.troubles.map(({ text }) => sentence(text))] };
}

/** The explanation as one paragraph: who it is about, then the sentences. */
export function renderExplanation(facts: ExplainFacts): string {
  const { interface: link, vhid, addresses, since_ns } = facts.status;
  const since = formatAge((facts.now_ns - since_ns) / 1e9);
  const head = `${facts.name}: vhid ${vhid} on ${link}, ${addresses.join(' ')}, for ${since}`;
  return `${head}\n${wrap(explain(facts).sentences.join(' '))}\n`;
}

const EXPLAIN = { INIT: explainInit, BACKUP: explainBackup, MASTER: explainMaster };

function explainInit({ status, link_up, ready, maintenance }: ExplainFacts): Explanation {
  const idle = 'Until then it neither holds the address nor waits for it.';
  if (!ready) {
    const start = 'INIT because the daemon is starting: the listeners must accept and every check must have run once.';
    return { cause: 'starting', sentences: [start, `It becomes BACKUP then, or after 10 s at the latest. ${idle}`] };
  }
  if (maintenance !== undefined) {
    const over = 'It stays so even when no other node is there; "carpool ready" brings it back.';
    return { cause: 'maintenance', sentences: [`INIT because it is in maintenance: ${maintenance}.`, over] };
  }
  if (!link_up) {
    const back = `It becomes BACKUP as soon as adverts can leave ${status.interface} again. ${idle}`;
    return { cause: 'link-down', sentences: [`INIT because ${status.reason}.`, back] };
  }
  const over = `It becomes BACKUP when that is over. ${idle}`;
  return { cause: 'held', sentences: [`INIT because of this: ${status.reason}.`, over] };
}

function explainBackup(facts: ExplainFacts): Explanation {
  const { status, now_ns } = facts;
  const { heard, interval_ns } = status;
  if (heard === undefined) {
    const sentences = ['BACKUP because it listens first; no advert has been heard yet.', takesOver(facts)];
    return { cause: 'listening', sentences: [...sentences, ...demotedBy(status)] };
  }
  if (now_ns - heard.at_ns > status.master_down_ns) return explainSilence(facts, heard);
  const last = `Last heard ${formatAge((now_ns - heard.at_ns) / 1e9)} ago; ${lowerFirst(takesOver(facts))}`;
  const compared = `${heard.node} adverts ${every(heard.interval_ns)} and this node would ${every(interval_ns)}`;
  if (interval_ns > heard.interval_ns) {
    if (configuredInterval_ns(status) >= heard.interval_ns)
      return { cause: 'slower', sentences: [`BACKUP because ${compared}.`, last, ...demotedBy(status)] };
    const sentences = [
      `BACKUP because it is demoted: ${compared}.`,
      last,
      ...demotedBy(status),
      undemoted(status, heard),
    ];
    return { cause: 'demoted', sentences };
  }
  if (interval_ns === heard.interval_ns) {
    const tie = `BACKUP because ${heard.node} is MASTER and both advert ${every(interval_ns)}: nobody takes over from an equal.`;
    const mend = 'Who is MASTER is an accident so; give every node its own advskew.';
    return { cause: 'equal', sentences: [tie, last, ...demotedBy(status), mend] };
  }
  return explainPatience(facts, compared, last);
}

/** A BACKUP that is preferred to the MASTER it hears. */
function explainPatience({ status, now_ns }: ExplainFacts, compared: string, last: string): Explanation {
  if (!status.preempt) {
    const why = `BACKUP although it is preferred (${compared}): preempt is off, so it leaves a working master alone.`;
    const mend = `To move the address here, turn preempt on (in the file, or by -P of ucarp), or ${GIVE_WAY[status.heard?.kind ?? 'carpool']}.`;
    return { cause: 'no-preempt', sentences: [why, last, mend] };
  }
  const at_ns = find(status, 'preempt')?.at_ns;
  const when = at_ns === undefined || at_ns <= now_ns ? 'with its next advert' : `in ${age(at_ns - now_ns)}`;
  const why = `BACKUP for a moment: ${compared}, so this node takes over ${when}.`;
  return { cause: 'preempt-waits', sentences: [why, last] };
}

/** How the other node is told to give way, by what it runs. */
const GIVE_WAY: Readonly<Record<HeardAdvert['kind'], string>> = {
  carpool: 'run "carpool drain" on the other node',
  ucarp: 'send SIGUSR2 to ucarp on the other node',
  kernel: 'run "ifconfig IF vhid N state backup" on the other node',
};

function explainSilence(facts: ExplainFacts, heard: HeardAdvert): Explanation {
  const silent = `BACKUP, and ${heard.node} has been silent for ${age(facts.now_ns - heard.at_ns)}.`;
  return { cause: 'master-silent', sentences: [silent, takesOver(facts), ...demotedBy(facts.status)] };
}

function explainMaster(facts: ExplainFacts): Explanation {
  const { status, now_ns } = facts;
  const { heard } = status;
  if (heard !== undefined && isMasterToo(status, heard, now_ns)) return explainContest(status, heard, now_ns);
  const others = heard === undefined ? 'no other node has been heard' : `${heard.node} gave way and is silent`;
  if (status.demotion > 0) {
    const why = `MASTER although it is demoted, because nobody better is there: ${others}.`;
    return { cause: 'demoted-alone', sentences: [why, ...demotedBy(status), yields(status)] };
  }
  if (heard === undefined) {
    const why = `MASTER because no other node has been heard (${status.reason}).`;
    const silent = 'That does not mean that it is alone, for a BACKUP is silent.';
    return { cause: 'alone', sentences: [why, silent, yields(status)] };
  }
  const compared = ` (${heard.node} adverted ${every(heard.interval_ns)}, this node ${every(status.interval_ns)})`;
  const why = `MASTER: ${status.reason}${status.reason.includes('every') || isBowOut(heard) ? '' : compared}.`;
  const quiet = age(now_ns - heard.at_ns);
  const died = status.since_ns - heard.at_ns > 2 * heard.interval_ns;
  const last = died
    ? `It has been silent for ${quiet}.`
    : `It was heard ${quiet} ago for the last time, as a BACKUP is silent.`;
  return { cause: 'preferred', sentences: [why, last, yields(status)] };
}

/** Its last advert came after it should have given way, and not long ago. A bow-out is no claim. */
function isMasterToo(status: VhidStatus, heard: HeardAdvert, now_ns: number): boolean {
  if (isBowOut(heard)) return false;
  const settled_ns = status.since_ns + 2 * status.interval_ns;
  return heard.at_ns > settled_ns && now_ns - heard.at_ns < 3 * heard.interval_ns;
}

function isBowOut({ advbase, advskew }: HeardAdvert): boolean {
  return advskew === 255 && advbase === 255;
}

function explainContest(status: VhidStatus, heard: HeardAdvert, now_ns: number): Explanation {
  const why = `MASTER, but ${heard.node} is MASTER as well (last heard ${age(now_ns - heard.at_ns)} ago).`;
  const slower = heard.interval_ns > status.interval_ns;
  const rule = slower
    ? `It adverts ${every(heard.interval_ns)} and this node ${every(status.interval_ns)}, so it should give way: it probably does not hear this node.`
    : `Both advert ${every(heard.interval_ns)}; the tie goes to this node's address. Give every node its own advskew.`;
  const mend = 'Look what filters adverts (IP protocol 112) from here to there; "carpool doctor" helps.';
  return { cause: 'contested', sentences: [why, rule, ...(slower ? [mend] : []), ...demotedBy(status)] };
}

/** `It takes over in 2.6 s if it hears nothing, at once when the master bows out.` */
function takesOver({ status, now_ns }: ExplainFacts): string {
  const at_ns = find(status, 'silence')?.at_ns ?? (status.heard?.at_ns ?? status.since_ns) + status.master_down_ns;
  const silent = status.heard === undefined ? 'it hears nothing' : 'the master stays silent';
  return `It takes over in ${age(Math.max(0, at_ns - now_ns))} if ${silent}, and at once when the master bows out.`;
}

function yields({ interval_ns, advbase, advskew, demotion }: VhidStatus): string {
  const least = advbase <= 1 && advskew === 0 && demotion === 0 && interval_ns >= 1e9;
  const faster = `It gives way to a node that adverts more often than ${every(interval_ns)}`;
  return least ? `${faster}, to a demotion, and when its link goes down.` : `${faster}, and when its link goes down.`;
}

/** What would be without the demotion. */
function undemoted(status: VhidStatus, heard: HeardAdvert): string {
  const without = `Without that it would advert ${every(configuredInterval_ns(status))}`;
  if (status.preempt) return `${without} and take the address from ${heard.node}.`;
  return `${without}, but leave the address to ${heard.node} all the same, as preempt is off.`;
}

function demotedBy({ demotions }: VhidStatus): string[] {
  return demotions.map(({ owner, amount, reason }) => `Demoted by ${amount} (${owner}): ${closed(reason)}`);
}

function configuredInterval_ns({ advbase, advskew }: VhidStatus): number {
  return advbase * 1e9 + Math.floor((advskew * 1e6) / 256) * 1000;
}

function find(status: VhidStatus, when: Prospect['when']): Prospect | undefined {
  return status.outlook.find((prospect) => prospect.when === when);
}

function every(interval_ns: number): string {
  return `every ${seconds(interval_ns)}`;
}

function age(duration_ns: number): string {
  return duration_ns < 1e8 ? `${Math.max(0, Math.round(duration_ns / 1e6))} ms` : formatAge(duration_ns / 1e9);
}

function sentence(text: string): string {
  return closed(text.charAt(0).toUpperCase() + text.slice(1));
}

function closed(text: string): string {
  return /[.!?]$/.test(text) ? text : `${text}.`;
}

function lowerFirst(text: string): string {
  return text.charAt(0).toLowerCase() + text.slice(1);
}

const WIDTH = 96;

/** Lines of at most that many characters, two spaces in. A number stays beside its unit. */
function wrap(text: string): string {
  const lines: string[] = [];
  let line = ' ';
  for (const word of text.split(/(?<!\d) | (?!(?:ms|s|min|h|d)\b)/)) {
    if (line.length + 1 + word.length > WIDTH && line !== ' ') {
      lines.push(line);
      line = ' ';
    }
    line += ` ${word}`;
  }
  return [...lines, line].join('\n');
}
