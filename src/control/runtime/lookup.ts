/** Names in commands: `app/web1`, `#3/#1`, with HAProxy's sentences about what is not there. */
import type { NumberedServer, StatProxy } from '../stats/objects.ts';

export type FoundServer = { readonly proxy: StatProxy; readonly server: NumberedServer };

/** A sentence when there is none. */
export function findServer(proxies: readonly StatProxy[], name: string | undefined): FoundServer | string {
  const [backend_name, server_name] = name?.split('/') ?? [];
  if (!backend_name || !server_name) return "Require 'backend/server'.\n";
  const proxy = findBackend(proxies, backend_name);
  if (proxy === undefined) return 'No such backend.\n';
  const server = proxy.backend?.servers.find((each) => isNamed(each.config.name, each.sid, server_name));
  return server === undefined ? 'No such server.\n' : { proxy, server };
}

export function findBackend(proxies: readonly StatProxy[], name: string): StatProxy | undefined {
  return proxies.find((proxy) => proxy.backend && isNamed(proxy.name, proxy.iid, name));
}

export function findFrontend(proxies: readonly StatProxy[], name: string): StatProxy | undefined {
  return proxies.find((proxy) => proxy.frontend && isNamed(proxy.name, proxy.iid, name));
}

function isNamed(name: string, number: number, asked: string): boolean {
  return name === asked || `#${number}` === asked;
}
