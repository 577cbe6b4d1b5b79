/**
 * Which of a name's addresses each server gets that has this name (manual 5.2: resolve-prefer, resolve-net, resolve-opts). What
 * decides, the strongest first: the family, the networks, that nobody else has the address, that the server has it already.
 */
import type { Resolution } from '../config/model.ts';
import { isInNetwork } from './network.ts';

type Wishes = Pick<Resolution, 'prefer' | 'networks' | 'allows_duplicates'>;

/** A server that wants an address; `current` is '' when it has none. */
export type Seeker = { readonly current: string; readonly wishes: Wishes };

/** The addresses in the order of somebody's wishes, with the rank of each. */
type Ranking = {
  readonly addresses: readonly string[];
  readonly ranks: ReadonlyMap<string, number>;
  /** Before it nothing is free. */
  start: number;
};

const IN_FAMILY = 2;
const IN_NETWORK = 1;
const NONE = '';

/** For each of the servers of one backend and name its address, '' where none is left. Who has a good one keeps it. */
export function chooseAddresses(seekers: readonly Seeker[], addresses: readonly string[]): string[] {
  const told = new Set(addresses);
  const owners = new Map<string, number>();
  seekers.forEach(({ current }, seeker) => {
    if (told.has(current) && !owners.has(current)) owners.set(current, seeker);
  });
  const rankings = new Map<string, Ranking>();
  return seekers.map((seeker, index) => {
    const own = owners.get(seeker.current) === index ? seeker.current : NONE;
    const best = bestOf(seeker, own, rankingOf(seeker.wishes, told, rankings), owners);
    if (best === own) return best;
    if (owners.delete(own)) for (const ranking of rankings.values()) ranking.start = 0;
    if (best !== NONE && !owners.has(best)) owners.set(best, index);
    return best;
  });
}

/** Servers of one template wish the same, so that there are few rankings. */
function rankingOf(wishes: Wishes, told: ReadonlySet<string>, rankings: Map<string, Ranking>): Ranking {
  const key = JSON.stringify([wishes.prefer, wishes.networks]);
  const known = rankings.get(key);
  if (known) return known;
  const ranks = new Map(Array.from(told, (address) => [address, rankOf(address, wishes)] as const));
  const addresses = [...told].sort((a, b) => ranks.get(b)! - ranks.get(a)!);
  const ranking = { addresses, ranks, start: 0 };
  rankings.set(key, ranking);
  return ranking;
}

function rankOf(address: string, { prefer, networks }: Wishes): number {
  const family = address.includes(':') ? 'ipv6' : 'ipv4';
  const near = networks.some((network) => isInNetwork(address, network));
  return (family === prefer ? IN_FAMILY : 0) + (near ? IN_NETWORK : 0);
}

/** `own`: what it has and nobody else. */
function bestOf(seeker: Seeker, own: string, ranking: Ranking, owners: ReadonlyMap<string, number>): string {
  const { addresses, ranks } = ranking;
  while (ranking.start < addresses.length && owners.has(addresses[ranking.start])) ranking.start++;
  const free = addresses[ranking.start] ?? NONE;
  const rank = (address: string) => ranks.get(address) ?? -1;
  const unshared = rank(own) >= rank(free) ? own : free;
  const top = addresses[0] ?? NONE;
  if (!seeker.wishes.allows_duplicates || rank(unshared) >= rank(top)) return unshared;
  return rank(seeker.current) === rank(top) ? seeker.current : top;
}
