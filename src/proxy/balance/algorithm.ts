/** From a backend's configuration to the function that builds its pickers. */
import type { Backend } from '../../config/model.ts';
import { firstWithRoom } from './first.ts';
import { DEFAULT_HASH } from './hash-functions.ts';
import { mapOf, staticTurns } from './hash-map.ts';
import { Ring, ringOf } from './hash-ring.ts';
import { leastConnections } from './leastconn.ts';
import { WHOLE_SHARE } from './limit.ts';
import type { Candidate, Picker } from './picker.ts';
import { boundedRandomOf, randomOf } from './random.ts';
import { greatestCommonDivisor, roundRobin } from './roundrobin.ts';

export type Algorithm = {
  /**
   * What a candidate's weight is for a server with so many sixteenths of its share. Static algorithms know no slow start, and the
   * number of their places is that of HAProxy's table.
   */
  readonly weigh: (weight: number, share: number) => number;
  /** What a request is hashed by decides which server gets it, as long as there is such a thing. */
  readonly hashes: boolean;
  readonly build: (candidates: readonly Candidate[]) => Picker;
};

/** The servers with the ids and weights that they begin with. */
export function algorithmOf(backend: Backend, servers: readonly Candidate[]): Algorithm {
  const { balance, hash = DEFAULT_HASH, hash_balance_factor } = backend;
  switch (balance.kind) {
    case 'roundrobin':
      return dynamic(roundRobin);
    case 'leastconn':
      return dynamic(leastConnections);
    case 'first':
      return dynamic(firstWithRoom);
    case 'random': {
      if (hash_balance_factor === undefined) return dynamic((candidates) => randomOf(balance.draws, candidates));
      const ring = ringFor(servers);
      return dynamic((candidates) =>
        boundedRandomOf(balance.draws, candidates, ringOf(ring, candidates, hash_balance_factor)),
      );
    }
    case 'static-rr':
      return { weigh: unitsOf(servers), hashes: false, build: staticTurns };
    default: {
      if (hash.method === 'map-based') return { weigh: unitsOf(servers), hashes: true, build: mapOf };
      const ring = ringFor(servers);
      return { ...dynamic((candidates) => ringOf(ring, candidates, hash_balance_factor)), hashes: true };
    }
  }
}

function ringFor(servers: readonly Candidate[]): Ring {
  return new Ring(servers.map((server) => ({ ...server, weight: server.weight * WHOLE_SHARE })));
}

function dynamic(build: Algorithm['build']): Algorithm {
  return { weigh: (weight, share) => weight * share, hashes: false, build };
}

/** Weights in units of what all servers' weights have in common. */
function unitsOf(servers: readonly Candidate[]): Algorithm['weigh'] {
  const unit = servers.reduce((common, { weight }) => greatestCommonDivisor(common, weight), 0) || 1;
  return (weight) => Math.ceil(weight / unit);
}
