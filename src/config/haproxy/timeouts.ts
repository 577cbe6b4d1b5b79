/** `timeout NAME TIME` (manual 4.2 "timeout"). */
import type { Timeouts } from '../model.ts';
import { parseDuration } from '../values.ts';
import type { Word } from '../word.ts';
import type { ProxyDraft } from './drafts.ts';
import { ALL_PROXIES, BACK, type Context, FRONT, refuseMore, type SectionKind, type Statement } from './keyword.ts';
import { didYouMeanIn, reportWrongSection, sectionsByName } from './wrong-section.ts';

export type TimeoutWord = {
  readonly name: string;
  /** The model's field; undefined for one that has no effect yet. */
  readonly field: keyof Timeouts | undefined;
  readonly sections: readonly SectionKind[];
  readonly help: string;
  readonly has_effect: boolean;
};

const timeout = (
  name: string,
  field: TimeoutWord['field'],
  sections: readonly SectionKind[],
  help: string,
): TimeoutWord => ({ name, field, sections, help, has_effect: field !== undefined });

export const TIMEOUTS: readonly TimeoutWord[] = [
  timeout('connect', 'connect_ms', BACK, 'How long a connection to a server may take.'),
  timeout('client', 'client_ms', FRONT, 'How long a client may be silent.'),
  timeout('server', 'server_ms', BACK, 'How long a server may be silent.'),
  timeout('http-request', 'http_request_ms', ALL_PROXIES, 'How long the head of a request may take.'),
  timeout('http-keep-alive', 'http_keep_alive_ms', ALL_PROXIES, 'How long to wait for the next request.'),
  timeout('check', 'check_ms', BACK, 'How long a check may take once it is connected.'),
  timeout('queue', 'queue_ms', BACK, 'How long a request may wait for a server (`timeout connect`).'),
  timeout(
    'client-fin',
    'client_fin_ms',
    FRONT,
    'How long a client may be silent after one end of a tunnel, or of `mode tcp`, has ended.',
  ),
  timeout('server-fin', 'server_fin_ms', BACK, 'The same for a server.'),
  timeout(
    'tunnel',
    'tunnel_ms',
    BACK,
    'How long both ends may be silent in `mode tcp`, a WebSocket or CONNECT (`timeout client`, `server`).',
  ),
  timeout('tarpit', undefined, ALL_PROXIES, 'Accepted without effect: no rule tarpits.'),
];

export function parseTimeout(draft: ProxyDraft, statement: Statement, { report }: Context): undefined {
  const { keyword, args } = statement;
  const [name, value] = args;
  if (name === undefined || value === undefined) {
    const message = '`timeout` needs a name and a time.';
    return report.error(keyword.span, 'missing-value', message, 'Write for example `timeout connect 5s`.');
  }
  refuseMore(args.slice(2), value, report);
  const known = TIMEOUTS.find((candidate) => candidate.name === name.text);
  if (known === undefined) return reportUnknown(name, draft.kind, report);
  const shown = `timeout ${known.name}`;
  if (!known.sections.includes(draft.kind)) {
    return reportWrongSection(shown, name.span, draft.kind, known.sections, report);
  }
  const time_ms = parseDuration(value, shown, report);
  if (known.field === undefined) {
    return report.warning(name.span, 'no-effect', `\`${shown}\` has no effect yet: the other timeouts still hold.`);
  }
  draft.spans[known.field] = value.span;
  // 0 is "for ever" in HAProxy, the same as not set
  if (time_ms !== undefined) draft.timeouts[known.field] = time_ms === 0 ? undefined : time_ms;
}

function reportUnknown(name: Word, kind: SectionKind, report: Context['report']): undefined {
  const known = sectionsByName(TIMEOUTS.map((each) => [each.name, each.sections] as const));
  const here = [...known.keys()].filter((each) => known.get(each)!.includes(kind));
  const mend = didYouMeanIn(kind, name.text, known) ?? `Write one of ${here.join(', ')}.`;
  return report.error(name.span, 'unknown-keyword', `\`${name.text}\` is not a timeout.`, mend);
}
