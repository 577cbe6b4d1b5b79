/** `show …`: statistics, servers, the process. */

import { KINDS, type StatRow } from '../stats/fields.ts';
import { renderCsv, renderJson, renderTyped } from '../stats/formats.ts';
import { infoValues, renderInfo } from '../stats/info.ts';
import { rowsOf } from '../stats/rows.ts';
import { viewOf } from '../stats/view.ts';
import { renderVhids } from '../status-text.ts';
import { renderActivity } from './activity.ts';
import type { RuntimeCommand, RuntimeDaemon } from './command.ts';
import { showErrors } from './errors.ts';
import { findBackend } from './lookup.ts';
import { showResolvers } from './resolvers.ts';
import { renderSchema } from './schema.ts';
import { renderServerConnections, renderServerStates } from './server-lists.ts';

export const SHOW_COMMANDS: readonly RuntimeCommand[] = [
  {
    words: ['show', 'info'],
    usage: 'show info [desc|json|typed|float]*',
    help: 'facts about the process',
    level: 'user',
    run: (args, daemon) => showInfo(args, daemon),
  },
  {
    words: ['show', 'stat'],
    usage: 'show stat [<px> <type> <sid>] [desc|json|no-maint|typed|up]*',
    help: 'the counters of frontends, servers and backends',
    level: 'user',
    run: (args, daemon) => showStat(args, daemon),
  },
  {
    words: ['show', 'servers', 'state'],
    usage: 'show servers state [<backend>]',
    help: 'how each server stands, in the form of a state file',
    level: 'user',
    run: ([name], daemon) => ofBackends(daemon, name, renderServerStates),
  },
  {
    words: ['show', 'servers', 'conn'],
    usage: 'show servers conn [<backend>]',
    help: 'connections to each server',
    level: 'user',
    run: ([name], daemon) => ofBackends(daemon, name, renderServerConnections),
  },
  {
    words: ['show', 'backend'],
    usage: 'show backend',
    help: 'the names of the backends',
    level: 'user',
    run: (_args, daemon) => {
      const backends = viewOf(daemon.generation()).proxies.filter(({ backend }) => backend);
      return `# name\n${backends.map(({ name }) => `${name}\n`).join('')}`;
    },
  },
  {
    words: ['show', 'activity'],
    usage: 'show activity',
    help: 'what each data thread does',
    level: 'user',
    run: (_args, daemon) => renderActivity(viewOf(daemon.generation()), daemon.beats()),
  },
  {
    words: ['show', 'schema', 'json'],
    usage: 'show schema json',
    help: 'what the JSON of show info and show stat looks like, as a JSON schema',
    level: 'user',
    run: renderSchema,
  },
  {
    words: ['show', 'version'],
    usage: 'show version',
    help: 'the version that runs',
    level: 'user',
    run: (_args, daemon) => `${daemon.facts().version}\n`,
  },
  {
    words: ['show', 'carp'],
    usage: 'show carp [json]',
    help: 'the vhids: who holds which address, since when and why',
    level: 'user',
    run: async ([form], daemon) => {
      const { vhids } = await daemon.status();
      if (form === 'json') return `${JSON.stringify(vhids)}\n`;
      return vhids.length === 0 ? 'There are no vhids.\n' : renderVhids(vhids);
    },
  },
  {
    words: ['show', 'resolvers'],
    usage: 'show resolvers [id]',
    help: 'what came of the questions to each nameserver',
    level: 'user',
    run: showResolvers,
  },
  {
    words: ['show', 'errors'],
    usage: 'show errors [<px>] [request|response]',
    help: 'the last invalid request and response of each proxy, with their bytes',
    level: 'operator',
    run: showErrors,
  },
  {
    words: ['show', 'env'],
    usage: 'show env [<name>]',
    help: "the process's environment",
    level: 'operator',
    run: ([name]) => showEnvironment(name),
  },
  {
    words: ['show', 'cli', 'level'],
    usage: 'show cli level',
    help: 'what this session may do',
    level: 'user',
    run: (_args, _daemon, session) => `${session.level}\n`,
  },
  {
    words: ['show', 'cli', 'sockets'],
    usage: 'show cli sockets',
    help: 'the stats sockets and their levels',
    level: 'user',
    run: (_args, { sockets }) =>
      `# socket lvl processes\n${sockets()
        .map(({ name, level }) => `${name} ${level} all\n`)
        .join('')}`,
  },
];

function showInfo(args: readonly string[], daemon: RuntimeDaemon): string {
  const has = (word: string) => args.includes(word);
  const form = has('json') ? 'json' : has('typed') ? 'typed' : 'text';
  const values = infoValues(viewOf(daemon.generation()), daemon.facts());
  return renderInfo(values, { form, describes: has('desc'), floats: has('float') });
}

function showStat(args: readonly string[], daemon: RuntimeDaemon): string {
  const view = viewOf(daemon.generation());
  const named = args.filter((word) => !FORMS.includes(word));
  const words = named.length < FILTER_WORDS ? [] : named; // as HAProxy: part of a filter is none
  const proxy = words[0];
  const kinds = asMask(words[1]);
  const sid = Number(words[2] ?? -1);
  if (
    proxy !== undefined &&
    !/^-?\d+$/.test(proxy) &&
    view.proxies.every(({ name, iid }) => name !== proxy && `#${iid}` !== proxy)
  ) {
    return 'No such proxy.\n';
  }
  const rows = view.proxies
    .filter(
      ({ iid, name }) => proxy === undefined || ['-1', '0', name, `#${iid}`].includes(proxy) || Number(proxy) === iid,
    )
    .flatMap((each) => (args.includes('up') || args.includes('no-maint') ? countServers : asIs)(rowsOf(view, each)))
    .filter((row) => (KINDS[row.kind].mask & kinds) !== 0 && (sid < 0 || row.sid === sid))
    .filter((row) => isWanted(row, args));
  if (args.includes('json')) return renderJson(rows);
  return args.includes('typed') ? renderTyped(rows, args.includes('desc')) : renderCsv(rows);
}

const FORMS = ['json', 'typed', 'up', 'no-maint', 'desc', 'domain', 'dns'];
/** `<px> <type> <sid>` */
const FILTER_WORDS = 3;
const EVERY_KIND = 15;

function asMask(word: string | undefined): number {
  const number = Number(word ?? -1);
  return number < 0 ? EVERY_KIND : number;
}

const asIs = (rows: readonly StatRow[]) => rows;

/** Where servers are left out, their backend says how many of all are up: `UP (2/3)`. */
function countServers(rows: readonly StatRow[]): readonly StatRow[] {
  const servers = rows.filter(({ kind }) => kind === 'S');
  const up = servers.filter(({ values }) => !/^(DOWN|MAINT)/.test(String(values['status'])));
  return rows.map((row) =>
    row.kind === 'B'
      ? { ...row, values: { ...row.values, status: `${row.values['status']} (${up.length}/${servers.length})` } }
      : row,
  );
}

/** `up` leaves out servers that are down or in maintenance, `no-maint` the latter only. */
function isWanted({ kind, values }: StatRow, args: readonly string[]): boolean {
  const status = String(values['status']);
  if (kind !== 'S') return true;
  if (args.includes('up') && /^(DOWN|MAINT)/.test(status)) return false;
  return !(args.includes('no-maint') && status.startsWith('MAINT'));
}

function ofBackends(
  daemon: RuntimeDaemon,
  name: string | undefined,
  render: (view: ReturnType<typeof viewOf>, proxies: ReturnType<typeof viewOf>['proxies']) => string,
): string {
  const view = viewOf(daemon.generation());
  if (name === undefined) return render(view, view.proxies);
  const found = findBackend(view.proxies, name);
  return found ? render(view, [found]) : "Can't find backend.\n";
}

function showEnvironment(name: string | undefined): string {
  if (name !== undefined && process.env[name] === undefined) return 'Variable not found\n';
  return Object.entries(process.env)
    .filter(([key]) => name === undefined || key === name)
    .map(([key, value]) => `${key}=${value}\n`)
    .join('');
}
