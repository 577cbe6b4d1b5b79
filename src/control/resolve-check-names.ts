/**
 * The addresses behind names in `addr` and `agent-addr`: looked up by the system's resolver when the configuration is read, as in
 * HAProxy. A reload that cannot ask any more (in a chroot there is no resolver) keeps the address that was found before.
 */
import { isIP } from 'node:net';
import { onePerLine } from '../config/check/names.ts';
import type { Diagnostic } from '../config/diagnostic.ts';
import type { Backend, Config, Server } from '../config/model.ts';
import { resolveNames } from './resolve-servers.ts';

/** What names stood for last. */
const found_before = new Map<string, string>();

export async function resolveCheckNames(
  config: Config,
): Promise<{ readonly config: Config; readonly diagnostics: readonly Diagnostic[] }> {
  const names = new Set(config.backends.flatMap(({ servers }) => servers.flatMap(namesIn)));
  if (names.size === 0) return { config, diagnostics: [] };
  for (const [name, address] of await resolveNames([...names])) found_before.set(name, address);
  const unresolved: (Server & { readonly host: string })[] = [];
  const fill = (server: Server): Server => {
    const own = namesIn(server);
    const missing = own.find((name) => !found_before.has(name));
    if (missing !== undefined) unresolved.push({ ...server, host: missing });
    return own.length === 0 ? server : withAddresses(server);
  };
  const backends = config.backends.map((backend): Backend => ({ ...backend, servers: backend.servers.map(fill) }));
  return { config: { ...config, backends }, diagnostics: onePerLine(unresolved).map(describe) };
}

function namesIn({ check, agent }: Server): string[] {
  const written = [check?.endpoint?.address ?? '', agent?.address ?? ''];
  return written.filter((address) => address !== '' && isIP(address) === 0);
}

function withAddresses(server: Server): Server {
  const { check, agent } = server;
  const addressOf = (name: string) => found_before.get(name) ?? name;
  return {
    ...server,
    check: check?.endpoint
      ? { ...check, endpoint: { ...check.endpoint, address: addressOf(check.endpoint.address) } }
      : check,
    agent: agent && { ...agent, address: addressOf(agent.address) },
  };
}

function describe({ host, name, span, spans }: Server): Diagnostic {
  return {
    severity: 'error',
    code: 'name-not-resolved',
    message: `The name "${host}", where server "${name}" is to be checked, does not resolve.`,
    mend: 'Check the name, or write an IP address.',
    span: spans['check_address'] ?? spans['agent_address'] ?? span,
  };
}
