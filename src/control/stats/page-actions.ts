/**
 * What the forms of the statistics page order, where `stats admin` lets them: as runtime commands do. A form has `s=SERVER`
 * (several), `b=BACKEND` or `b=#IID`, and `action=…`; it is answered by a redirect to the page, `;st=` saying how it went.
 */
import type { StatsPage } from '../../config/model.ts';
import type { PageQuestion, PageReply } from '../../proxy/http/page.ts';
import { ServerChange } from '../runtime/change-server.ts';
import { disableAgent, disableHealth, enableAgent, enableHealth } from '../runtime/check-switch.ts';
import type { RuntimeDaemon } from '../runtime/command.ts';
import { type FoundServer, findBackend, findServer } from '../runtime/lookup.ts';
import { httpReply } from './page-reply.ts';
import { isForeign } from './same-origin.ts';
import type { View } from './view.ts';

export type Status = 'DONE' | 'PART' | 'NONE' | 'ERRP' | 'EXCD' | 'DENY';

export function actOnServers(runtime: RuntimeDaemon, view: View, stats: StatsPage, question: PageQuestion): PageReply {
  const status = act(runtime, view, question);
  const [, scope] = /[?&;](scope=[^&;]*)/.exec(question.target) ?? [];
  const up = question.target.includes(';up') ? ';up' : '';
  const place = `${stats.uri};st=${status}${up}${scope ? `?${scope}` : ''}`;
  return httpReply(question, 303, 'text/plain', '', undefined, `Location: ${place}\r\n`);
}

function act(runtime: RuntimeDaemon, { proxies }: View, question: PageQuestion): Status {
  if (!question.admission.may_act || isForeign(question)) return 'DENY';
  if (!question.body_is_whole) return 'EXCD';
  const form = new URLSearchParams(question.body);
  const asked = form.getAll('s');
  if (asked.length === 0) return 'NONE';
  const [named, backend] = [form.get('action') ?? '', form.get('b') ?? ''];
  if (named === '' || backend === '') return 'NONE';
  const action = ACTIONS.get(named);
  if (action === undefined || findBackend(proxies, backend) === undefined) return 'ERRP';
  const found = asked.map((name) => findServer(proxies, `${backend}/${name}`));
  if (found.every((each) => typeof each === 'string')) return 'ERRP';
  const changed = found.filter((each) => typeof each !== 'string' && action(runtime, each));
  if (changed.length === 0) return 'NONE';
  return changed.length < found.length ? 'PART' : 'DONE';
}

/** False: the server has nothing that this could change. */
type Action = (runtime: RuntimeDaemon, found: FoundServer) => boolean;

/** The names that HAProxy's page has for them, and those that older ones had. */
const ACTIONS: ReadonlyMap<string, Action> = new Map([
  ['ready', always((server) => server.setState('ready'))],
  ['drain', always((server) => server.setState('drain'))],
  ['maint', always((server) => server.setState('maint'))],
  ['enable', always((server) => server.setState('ready'))],
  ['disable', always((server) => server.setState('maint'))],
  ['start', always((server) => server.setState('ready'))],
  ['stop', always((server) => server.setState('drain'))],
  ['dhlth', onServer((server) => disableHealth(server) === '')],
  ['ehlth', onServer((server) => enableHealth(server) === '')],
  ['hrunn', always((server) => server.setHealth('up'))],
  ['hnolb', always((server) => server.setHealth('stopping'))],
  ['hdown', always((server) => server.setHealth('down'))],
  ['dagent', onServer((server) => server.config.agent !== undefined && disableAgent(server) === '')],
  ['eagent', onServer((server) => enableAgent(server) === '')],
  ['arunn', onServer((server) => speakForAgent(server, 'up'))],
  ['adown', onServer((server) => speakForAgent(server, 'down'))],
  ['shutdown', endSessions],
]);

function onServer(change: (server: ServerChange) => boolean): Action {
  return (runtime, found) => change(new ServerChange(runtime, found));
}

function always(change: (server: ServerChange) => void): Action {
  return onServer((server) => {
    change(server);
    return true;
  });
}

function speakForAgent(server: ServerChange, state: 'up' | 'down'): boolean {
  if (!server.config.agent) return false;
  server.setAgent(state);
  return true;
}

function endSessions({ data }: RuntimeDaemon, { server }: FoundServer): boolean {
  for (const handle of data()) void handle.endSessions({ server: server.number });
  return true;
}
