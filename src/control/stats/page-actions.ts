/** What the forms of the statistics page order, where `stats admin` lets them: as runtime commands do. */
import type { StatsPage } from '../../config/model.ts';
import type { PageQuestion, PageReply } from '../../proxy/http/page.ts';
import { ServerChange } from '../runtime/change-server.ts';
import type { RuntimeDaemon } from '../runtime/command.ts';
import { findServer } from '../runtime/lookup.ts';
import { httpReply } from './page-reply.ts';
import type { View } from './view.ts';

const ACTIONS = ['ready', 'drain', 'maint'] as const;

/** May this client change servers? */
export function mayAct({ admin }: StatsPage, { source }: PageQuestion): boolean {
  return admin === 'everybody' || (admin === 'local' && (source === '::1' || /^127\./.test(source ?? '')));
}

/** A form with `s=SERVER` (several), `b=BACKEND` or `b=#IID`, `action=ready|drain|maint`; answered by a redirect to the page. */
export function actOnServers(
  runtime: RuntimeDaemon,
  { proxies }: View,
  stats: StatsPage,
  question: PageQuestion,
): PageReply {
  const form = new URLSearchParams(question.body);
  const action = ACTIONS.find((each) => each === form.get('action'));
  const backend = form.get('b') ?? '';
  const found = form.getAll('s').map((server) => findServer(proxies, `${backend}/${server}`));
  const status = !mayAct(stats, question)
    ? 'DENY'
    : found.length === 0
      ? 'NONE'
      : action === undefined || found.some((each) => typeof each === 'string')
        ? 'ERRP'
        : 'DONE';
  if (status === 'DONE') {
    for (const each of found) if (typeof each !== 'string') new ServerChange(runtime, each).setState(action!);
  }
  return httpReply(question, 303, 'text/plain', '', undefined, `Location: ${stats.uri};st=${status}\r\n`);
}
