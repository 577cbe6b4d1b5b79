/** `show sess` and `shutdown session`: the data threads are asked by message, and have a second to answer. */
import type { SessionReport } from '../../proxy/session-list.ts';
import { viewOf } from '../stats/view.ts';
import type { RuntimeCommand, RuntimeDaemon } from './command.ts';
import { findServer } from './lookup.ts';

export const SESSION_COMMANDS: readonly RuntimeCommand[] = [
  {
    words: ['show', 'sess'],
    usage: 'show sess [all|<id>]',
    help: 'the sessions of clients, or one of them in detail',
    level: 'operator',
    run: showSessions,
  },
  {
    words: ['shutdown', 'session'],
    usage: 'shutdown session <id>',
    help: 'end a session',
    level: 'admin',
    run: async ([id], daemon) => {
      if (id === undefined) return "Session pointer expected (use 'show sess').\n";
      return (await end(daemon, { id })) > 0 ? '' : "No such session (use 'show sess').\n";
    },
  },
  {
    words: ['shutdown', 'sessions', 'server'],
    usage: 'shutdown sessions server <backend>/<server>',
    help: 'end all sessions that a server serves',
    level: 'admin',
    run: async ([name], daemon) => {
      const found = findServer(viewOf(daemon.generation()).proxies, name);
      if (typeof found === 'string') return found;
      await end(daemon, { server: found.server.number });
      return '';
    },
  },
];

/** HAProxy's number for an end that is connected. */
const END_ESTABLISHED = 8;
const NO_BUFFER = 'f=0h,i=0,an=00h,rx=,wx=,ax=';

async function end({ data }: RuntimeDaemon, which: { id: string } | { server: number }): Promise<number> {
  const counts = await Promise.all(data().map((handle) => handle.endSessions(which)));
  return counts.reduce<number>((sum, count) => sum + (count ?? 0), 0);
}

async function showSessions([id]: readonly string[], { data }: RuntimeDaemon): Promise<string> {
  const answers = await Promise.all(data().map((handle) => handle.sessions()));
  const late = answers.flatMap((answer, number) =>
    answer === undefined ? [`# data thread ${number} gave no answer\n`] : [],
  );
  const sessions = answers.flatMap((answer) => answer ?? []);
  if (id === undefined) return sessions.map(line).join('') + late.join('');
  if (id === 'all') return sessions.map(detail).join('') + late.join('');
  const found = sessions.find((session) => session.id === id);
  return found ? detail(found) : 'Session not found.\n';
}

/** HAProxy's columns, in its order; nothing stands in those that tell of its inner parts. */
function line(session: SessionReport): string {
  const { id, source, frontend, retries, fd, server_fd, idle } = session;
  const places = `src=${source} fe=${frontend} be=${session.backend ?? '<NONE>'} srv=${session.server ?? '<none>'}`;
  const work = `ts=00 epoch=0 age=${age(session)} calls=${session.requests} rate=0 cpu=0 lat=0`;
  const ends = `scf=[${END_ESTABLISHED},0h,fd=${fd}] scb=[${server_fd < 0 ? 0 : END_ESTABLISHED},0h,fd=${server_fd}]`;
  const rest = `exp= rc=${retries} c_exp= state=${idle ? 'idle' : 'busy'}`;
  return `${id}: proto=${proto(session)} ${places} ${work} rq[${NO_BUFFER}] rp[${NO_BUFFER}] ${ends} ${rest}\n`;
}

function detail(session: SessionReport): string {
  const { id, source, frontend, backend, server, mode } = session;
  return [
    `${id}: [${new Date(Date.now() - session.age_ms).toISOString()}] proto=${proto(session)} source=${source}`,
    `  age=${age(session)}, requests=${session.requests}, conn_retries=${session.retries}, state=${session.idle ? 'idle' : 'busy'}`,
    `  frontend=${frontend} (mode=${mode}), fd=${session.fd}`,
    `  backend=${backend ?? '<NONE>'}`,
    `  server=${server ?? '<NONE>'}`,
    `  bytes_in=${session.bytes_in} bytes_out=${session.bytes_out}\n`,
  ].join('\n');
}

function proto({ source }: SessionReport): string {
  return source.startsWith('[') ? 'tcpv6' : 'tcpv4';
}

/** `3s`, `2m5s` … as HAProxy shortens it. */
function age({ age_ms }: SessionReport): string {
  const all_s = Math.floor(age_ms / 1000);
  const [hours, minutes] = [Math.floor(all_s / 3600), Math.floor(all_s / 60)];
  if (hours > 0) return `${hours}h${minutes % 60}m`;
  return minutes > 0 ? `${minutes}m${all_s % 60}s` : `${all_s}s`;
}
