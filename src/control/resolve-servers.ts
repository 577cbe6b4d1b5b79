/**
 * Host names of servers -> addresses, once at the start. A name that does not resolve is a warning: its server
 * starts as down (as with HAProxy's `init-addr last,libc,none`) and the others work.
 */
import { lookup } from 'node:dns/promises';
import type { Diagnostic } from '../config/diagnostic.ts';
import type { Backend, Config, Server } from '../config/model.ts';

/** All names together; what has no answer by then counts as unresolved. */
const RESOLVE_MS = 5_000;

/** `earlier`: where a name led before; it still leads there when it does not resolve now. */
export async function resolveServers(
  config: Config,
  earlier?: Config,
): Promise<{ config: Config; diagnostics: readonly Diagnostic[] }> {
  const servers = config.backends.flatMap((backend) => backend.servers).filter(needsAddress);
  if (servers.length === 0) return { config, diagnostics: [] };
  const known = (earlier?.backends ?? [])
    .flatMap((backend) => backend.servers)
    .filter((server) => !needsAddress(server));
  const last = new Map(known.map(({ host, endpoint }) => [host, endpoint.address]));
  const found = await resolveNames([...new Set(servers.map((server) => server.host))]);
  const addresses = new Map([...last, ...found]);
  const fill = (server: Server): Server => {
    const address = needsAddress(server) ? addresses.get(server.host) : undefined;
    return address === undefined ? server : { ...server, endpoint: { ...server.endpoint, address } };
  };
  const backends = config.backends.map((backend): Backend => ({ ...backend, servers: backend.servers.map(fill) }));
  const unresolved = servers.filter((server) => !addresses.has(server.host));
  return { config: { ...config, backends }, diagnostics: unresolved.map(describe) };
}

function needsAddress(server: Server): boolean {
  return server.endpoint.address === '';
}

async function resolveNames(names: readonly string[]): Promise<ReadonlyMap<string, string>> {
  const found = new Map<string, string>();
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

function describe(server: Server): Diagnostic {
  return {
    severity: 'warning',
    code: 'name-not-resolved',
    message: `The name "${server.host}" of server "${server.name}" does not resolve, so this server starts as down.`,
    mend: 'Check the name, or write an IP address.',
    span: server.spans['host'] ?? server.span,
  };
}
