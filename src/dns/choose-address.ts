/** Which of a name's addresses each server gets that has this name (manual 5.2: resolve-prefer, resolve-net, resolve-opts). */
import type { Resolution } from '../config/model.ts';
import { isInNetwork } from './network.ts';

/** A server that wants an address; `current` is '' when it has none. */
export type Seeker = {
  readonly current: string;
  readonly wishes: Pick<Resolution, 'prefer' | 'networks' | 'allows_duplicates'>;
};

const IN_FAMILY = 8;
const IN_NETWORK = 4;
const UNUSED = 2;
const KEPT = 1;

/** For each of the servers of one backend and name its address, '' where none is left. Who has a good one keeps it. */
export function chooseAddresses(seekers: readonly Seeker[], addresses: readonly string[]): string[] {
  const owners = new Map<string, number>();
  seekers.forEach(({ current }, seeker) => {
    if (addresses.includes(current) && !owners.has(current)) owners.set(current, seeker);
  });
  return seekers.map((seeker, index) => {
    const best = bestOf(seeker, index, addresses, owners);
    for (const [address, owner] of owners) if (owner === index) owners.delete(address);
    if (best !== '' && !owners.has(best)) owners.set(best, index);
    return best;
  });
}

function bestOf(
  { current, wishes }: Seeker,
  index: number,
  addresses: readonly string[],
  owners: ReadonlyMap<string, number>,
): string {
  let best = '';
  let best_score = -1;
  for (const address of addresses) {
    const unused = (owners.get(address) ?? index) === index;
    if (!unused && !wishes.allows_duplicates) continue;
    const family = address.includes(':') ? 'ipv6' : 'ipv4';
    const near = wishes.networks.some((network) => isInNetwork(address, network));
    const score =
      (family === wishes.prefer ? IN_FAMILY : 0) +
      (near ? IN_NETWORK : 0) +
      (unused ? UNUSED : 0) +
      (address === current ? KEPT : 0);
    if (score <= best_score) continue;
    best = address;
    best_score = score;
  }
  return best;
}
