/**
 * Names that are looked up while the process runs: the clock, the sockets and the log around the directory (dns/directory.ts),
 * which decides everything.
 *
 *   timer ──▶ directory ──▶ ask ──▶ nameservers ──▶ directory ──▶ move, lose, weigh ──▶ server-addresses.ts
 */
import { readFileSync } from 'node:fs';
import type { Resolvers, Server } from '../config/model.ts';
import { isIPv4, isIPv6 } from '../config/values.ts';
import { Directory, type Order, type Section, type Subject } from '../dns/directory.ts';
import type { Service } from '../dns/message.ts';
import { parseResolvConf } from '../dns/resolv-conf.ts';
import { type Daemon, logLine } from './daemon-state.ts';
import { createNameQueries, type NameQueries, type QueryEvent } from './name-queries.ts';
import { outside } from './outside.ts';
import { countAnswer, NO_COUNTS, type ResolverCounts } from './resolver-counts.ts';
import { moveServers, type ServerMove, weighServer } from './server-addresses.ts';

const RESOLV_CONF = '/etc/resolv.conf';
const DNS_PORT = 53;
/** Of one section, those of the host among them. */
const MOST_NAMESERVERS = 24;
/** A clock that is asked too early says so; and nothing is due more often. */
const SHORTEST_WAIT_MS = 5;
const LONGEST_WAIT_MS = 60_000;

export type RunningResolvers = {
  /** What servers stand for that have the name of a service. */
  services(): ReadonlyMap<string, Service>;
  /** By section and nameserver. */
  counts(): ReadonlyMap<string, ReadonlyMap<string, ResolverCounts>>;
  stop(): void;
};

type Nameserver = { readonly name: string; readonly transport: 'udp' | 'tcp'; readonly endpoint: Server['endpoint'] };
type LiveSection = Section & {
  readonly asked: readonly Nameserver[];
  readonly payload_bytes: number;
  /** As many as `asked`. */
  readonly counts: readonly ResolverCounts[];
};

/** For the configuration that holds now; what the one before asked is forgotten. */
export function startResolvers(daemon: Daemon): void {
  const services = daemon.resolvers?.services() ?? new Map<string, Service>();
  daemon.resolvers?.stop();
  daemon.resolvers = undefined;
  const subjects = subjectsOf(daemon, services);
  if (subjects.length === 0) return;
  const wanted = new Set(subjects.map(({ wishes }) => wishes.resolvers));
  const sections = daemon.generation.config.resolvers
    .filter(({ name }) => wanted.has(name))
    .map((section) => openSection(section, daemon));
  daemon.resolvers = run(daemon, sections, subjects);
}

function run(daemon: Daemon, sections: readonly LiveSection[], subjects: readonly Subject[]): RunningResolvers {
  const directory = new Directory(sections, subjects, performance.now());
  const queries = createNameQueries();
  let timer: NodeJS.Timeout | undefined;
  const wait = () => {
    clearTimeout(timer);
    const wait_ms = Math.min(LONGEST_WAIT_MS, Math.max(SHORTEST_WAIT_MS, directory.next_ms - performance.now()));
    timer = setTimeout(onTimer, wait_ms);
  };
  const obey = (orders: readonly Order[]) => {
    for (const order of orders) if (order.kind === 'ask') ask(order, queries, hear);
    change(daemon, orders);
    wait();
  };
  const hear: Hear = ({ name, query, type }, nameserver, answer) => {
    const counts = (name.section as LiveSection).counts[nameserver]!;
    if (directory.awaits(name, query, nameserver)) countAnswer(counts, answer, { name: name.text, type });
    else counts.outdated++;
    const orders = directory.onAnswer(name, query, nameserver, answer, performance.now());
    counts.update += countMoves(daemon, orders);
    obey(orders);
  };
  const onTimer = () => obey(directory.onTime(performance.now()));
  onTimer();
  return {
    services: () => directory.services(),
    counts: () =>
      new Map(
        sections.map(({ name, asked, counts }) => [
          name,
          new Map(asked.map((nameserver, index) => [nameserver.name, counts[index]!])),
        ]),
      ),
    stop() {
      clearTimeout(timer);
      queries.close();
    },
  };
}

type Ask = Extract<Order, { kind: 'ask' }>;
type Hear = (order: Ask, nameserver: number, answer: Parameters<Directory['onAnswer']>[3]) => void;

function ask(order: Ask, queries: NameQueries, hear: Hear): void {
  const { asked, payload_bytes, retry_ms, counts } = order.name.section as LiveSection;
  const question = { name: order.name.text, type: order.type };
  asked.forEach(({ transport, endpoint }, index) => {
    const onAnswer = (answer: Parameters<Hear>[2]) => hear(order, index, answer);
    const onEvent = (event: QueryEvent) => void counts[index]![event]++;
    queries.ask({ transport, nameserver: endpoint, question, payload_bytes, timeout_ms: retry_ms, onAnswer, onEvent });
  });
}

/** Those whose line has a name and a section that looks it up. */
function subjectsOf({ generation }: Daemon, services: ReadonlyMap<string, Service>): Subject[] {
  const { config, servers } = generation;
  return config.backends.flatMap(({ name: backend, servers: all }) =>
    all.flatMap((server): Subject[] => {
      const { host, resolution: wishes, name } = server;
      if (wishes === undefined || isIPv4(host) || isIPv6(host)) return [];
      const endpoint = servers.endpointOf(server);
      return [{ backend, server: name, host, wishes, endpoint, service: services.get(`${backend}/${name}`) }];
    }),
  );
}

function openSection(section: Resolvers, daemon: Daemon): LiveSection {
  const asked = section.nameservers.flatMap((nameserver): Nameserver[] =>
    nameserver.kind === 'address' ? [nameserver] : systemNameservers(daemon),
  );
  const limited = asked.slice(0, MOST_NAMESERVERS);
  const counts = limited.map(() => ({ ...NO_COUNTS }));
  return { ...section, asked: limited, counts, nameservers: limited.map(({ name }) => name) };
}

/** Named by their addresses, as in HAProxy. */
function systemNameservers({ events }: Daemon): Nameserver[] {
  try {
    const addresses = parseResolvConf(outside((root) => readFileSync(`${root}${RESOLV_CONF}`, 'utf8')));
    return addresses.map((name) => ({ name, transport: 'udp', endpoint: { address: name, port: DNS_PORT } }));
  } catch (error) {
    logLine(events, 'warning', `${RESOLV_CONF} cannot be read: ${(error as Error).message}`);
    return [];
  }
}

/** Servers that get another address. */
function countMoves({ generation }: Daemon, orders: readonly Order[]): number {
  return orders.filter((order) => {
    if (order.kind !== 'move') return false;
    const { backend, server } = order.subject;
    return generation.servers.find(backend, server)?.endpoint.address !== order.endpoint.address;
  }).length;
}

// ── what becomes of servers ─────────────────────────────────────────────────────────────────────

function change(daemon: Daemon, orders: readonly Order[]): void {
  const moves: ServerMove[] = [];
  const lost: string[] = [];
  for (const order of orders) {
    if (order.kind === 'ask') continue;
    const { backend, server, host } = order.subject;
    const found = daemon.generation.servers.find(backend, server);
    if (found === undefined) continue;
    const shown = `${backend}/${server}`;
    const before = found.endpoint.address;
    if (order.kind === 'weigh') weighServer(daemon, backend, server, order.weight);
    else if (order.kind === 'rename') {
      if (order.from !== '')
        logLine(
          daemon.events,
          'notice',
          `${shown} changed its FQDN from ${order.from} to ${order.to} by 'SRV record'.`,
        );
    } else if (order.kind === 'lose') {
      moves.push({
        backend,
        server,
        endpoint: { ...found.endpoint, address: '' },
        origin: 'none',
        reason: `${host}: ${order.why}`,
      });
      if (before !== '') lost.push(`Server ${shown} is going DOWN for maintenance (${order.why}).`);
    } else {
      const { endpoint, by } = order;
      const reason = before === '' ? `${host} resolves` : undefined;
      moves.push({ backend, server, endpoint, origin: by, reason });
      if (before !== endpoint.address)
        logLine(
          daemon.events,
          'notice',
          `${shown} changed its IP from ${before || '(none)'} to ${endpoint.address} by ${by}.`,
        );
      if (before === '') logLine(daemon.events, 'notice', `Server ${shown} ('${host}') is UP/READY (resolves again).`);
    }
  }
  moveServers(daemon, moves);
  for (const text of lost) logLine(daemon.events, 'warning', text);
}
