/** Names: sections that servers refer to, and words that mean nothing where there is no name to resolve. */
import type { Config, Resolvers, Server } from '../model.ts';
import type { Reporter } from '../reporter.ts';
import { didYouMean } from '../suggest.ts';
import { checkUnique, onePerLine } from './names.ts';

export function checkResolvers({ resolvers, backends }: Config, report: Reporter): void {
  checkUnique(resolvers, 'resolvers section', report);
  for (const section of resolvers) checkNameservers(section, report);
  for (const { servers } of backends) for (const server of onePerLine(servers)) checkServer(server, resolvers, report);
}

function checkNameservers({ name, nameservers, span }: Resolvers, report: Reporter): void {
  if (nameservers.length > 0) return;
  const message = `The resolvers \`${name}\` have no \`nameserver\`, so nobody is asked.`;
  report.warning(span, 'no-nameserver', message, 'Add `nameserver dns1 ADDRESS:53`, or `parse-resolv-conf`.');
}

function checkServer(server: Server, resolvers: readonly Resolvers[], report: Reporter): void {
  const { resolution, name, host, endpoint, spans, span } = server;
  if (resolution === undefined) {
    if (!host.startsWith('_') || endpoint.address !== '') return;
    const message = `\`${host}\` of server \`${name}\` is the name of a service, and only \`resolvers\` look those up.`;
    report.warning(spans['host'] ?? span, 'service-without-resolvers', message, 'Add `resolvers` and a section.');
    return;
  }
  const at = spans['resolvers'] ?? span;
  if (!resolvers.some((section) => section.name === resolution.resolvers)) {
    const names = resolvers.map((section) => section.name);
    const mend = didYouMean(resolution.resolvers, names) ?? `Add a section \`resolvers ${resolution.resolvers}\`.`;
    report.error(at, 'unknown-resolvers', `There is no section \`resolvers ${resolution.resolvers}\`.`, mend);
  }
}
