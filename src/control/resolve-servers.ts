/**
 * The first address of every server whose line has a name (`init-addr`, manual 5.2): once at the start, and for names that
 * are new at a reload. What has no address then is in maintenance until its `resolvers` find one.
 *
 *   last       where the server was in the configuration before, or in the server state file
 *   libc       the system's resolver; all names together, a bounded time
 *   ADDRESS    this one
 *   none       no address
 */
import { lookup } from 'node:dns/promises';
import { onePerLine } from '../config/check/names.ts';
import type { Diagnostic } from '../config/diagnostic.ts';
import type { Backend, Config, Endpoint, InitAddress, Server } from '../config/model.ts';
import { INIT_ADDRESSES } from '../config/model-defaults.ts';
import type { KnownServers, Origins } from './server-table.ts';

/** All names together; what has no answer by then counts as unresolved. */
const RESOLVE_MS = 5_000;
const NO_ADDRESS = '';
const NOWHERE_YET: Endpoint = { address: NO_ADDRESS, port: 0 };

export type ResolvedServers = {
  readonly config: Config;
  readonly origins: Origins;
  readonly diagnostics: readonly Diagnostic[];
};

/** `earlier`: the servers of the configuration before. */
export async function resolveServers(config: Config, earlier?: KnownServers): Promise<ResolvedServers> {
  const named = config.backends.flatMap((backend) =>
    backend.servers.filter(needsAddress).map((server) => ({ key: `${backend.name}/${server.name}`, backend, server })),
  );
  const origins = new Map<string, string>();
  if (named.length === 0) return { config, origins, diagnostics: [] };
  const last = ({ backend, server }: (typeof named)[number]) => {
    const known = earlier?.stateOf(backend.name, server.name);
    return known?.config.host === server.host ? known.endpoint : NOWHERE_YET;
  };
  const asked = named.filter((each) => asksSystem(each.server, last(each).address)).map(({ server }) => server.host);
  const found = await resolveNames([...new Set(asked)]);
  const endpoints = new Map<Server, Endpoint>();
  for (const each of named) {
    const { address, port } = last(each);
    const first = firstAddress(each.server, address, found.get(each.server.host) ?? NO_ADDRESS);
    if (first === undefined) continue;
    // the port of a service is as it was found, too
    const is_service = first.origin === 'last' && each.server.host.startsWith('_');
    endpoints.set(each.server, { address: first.address, port: is_service ? port : each.server.endpoint.port });
    origins.set(each.key, first.origin);
  }
  const fill = (server: Server): Server => {
    const endpoint = endpoints.get(server);
    return endpoint === undefined ? server : { ...server, endpoint };
  };
  const backends = config.backends.map((backend): Backend => ({ ...backend, servers: backend.servers.map(fill) }));
  const unresolved = named.filter(({ server }) => !endpoints.has(server)).map(({ server }) => server);
  return { config: { ...config, backends }, origins, diagnostics: onePerLine(unresolved).flatMap(describe) };
}

function needsAddress(server: Server): boolean {
  return server.endpoint.address === NO_ADDRESS;
}

function methodsOf({ init_addresses, host }: Server): readonly InitAddress[] {
  const methods = init_addresses ?? INIT_ADDRESSES;
  // the system does not look services up
  return host.startsWith('_') ? methods.filter(({ kind }) => kind !== 'libc') : methods;
}

/** Whether the system's resolver comes before anything that is there already. */
function asksSystem(server: Server, last: string): boolean {
  const first = methodsOf(server).find(({ kind }) => kind !== 'last' || last !== NO_ADDRESS);
  return first?.kind === 'libc';
}

/** Undefined: none of the methods gives one. */
function firstAddress(server: Server, last: string, libc: string): { address: string; origin: string } | undefined {
  for (const method of methodsOf(server)) {
    if (method.kind === 'none') return undefined;
    if (method.kind === 'address') return { address: method.address, origin: 'init-addr' };
    const address = method.kind === 'last' ? last : libc;
    if (address !== NO_ADDRESS) return { address, origin: method.kind };
  }
  return undefined;
}

/** Those that the system's resolver knows, each with its first address. */
export async function resolveNames(names: readonly string[]): Promise<ReadonlyMap<string, string>> {
  const found = new Map<string, string>();
  if (names.length === 0) return found;
  const lookups = names.map(async (name) => {
    try {
      found.set(name, (await lookup(name, { verbatim: true })).address);
    } catch {
      // unresolved: the diagnostic says so
    }
  });
  let timer: NodeJS.Timeout | undefined;
  const limit = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, RESOLVE_MS);
  });
  await Promise.race([Promise.all(lookups), limit]);
  clearTimeout(timer);
  return new Map(found);
}

/** A name that its `resolvers` are still to look up is nothing to speak of where `init-addr` says so. */
function describe(server: Server): Diagnostic[] {
  const methods = methodsOf(server);
  const may_be_none = methods.some(({ kind }) => kind === 'none');
  const was_asked = methods.some(({ kind }) => kind === 'libc');
  if (server.resolution !== undefined && may_be_none && !was_asked) return [];
  const state = may_be_none ? 'so this server is in maintenance' : 'and `init-addr` has no `none`';
  const later = server.resolution && may_be_none ? ' until its resolvers find it' : '';
  return [
    {
      severity: may_be_none ? 'warning' : 'error',
      code: 'name-not-resolved',
      message: `The name "${server.host}" of server "${server.name}" does not resolve, ${state}${later}.`,
      mend: may_be_none ? 'Check the name, or write an IP address.' : 'Check the name, or add `none` to `init-addr`.',
      span: server.spans['host'] ?? server.span,
    },
  ];
}
