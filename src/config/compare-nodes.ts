/**
 * The configurations of two nodes side by side: what must be equal for CARP to work, what must differ, and what is
 * merely different. Pure; passwords are compared and never part of the result.
 */
import type { Carp, Config } from './model.ts';

export type Difference = {
  readonly kind: 'must-be-equal' | 'must-differ' | 'different';
  /** `vhid 1 address`, `preempt` */
  readonly what: string;
  /** The two values as text; undefined where they are secret or make no sense side by side. */
  readonly a: string | undefined;
  readonly b: string | undefined;
  readonly sentence: string;
};

export function compareNodes(a: Config, b: Config): readonly Difference[] {
  const pairs = matchVhids(a.carps, b.carps);
  return [
    ...pairs.flatMap(([one, other]) => compareVhid(one, other)),
    ...findAlone(
      a.carps,
      pairs.map(([one]) => one),
      'first',
    ),
    ...findAlone(
      b.carps,
      pairs.map(([, other]) => other),
      'second',
    ),
    ...compareProxies(a, b),
  ];
}

/** By number and interface, else by number; a vhid whose number differs is found by its addresses. */
function matchVhids(first: readonly Carp[], second: readonly Carp[]): (readonly [Carp, Carp])[] {
  const pairs: (readonly [Carp, Carp])[] = [];
  const left = new Set(first);
  const free = new Set(second);
  for (const fits of [sameVhidAndLink, sameVhid, sharesAddress]) {
    for (const one of left) {
      const other = [...free].find((candidate) => fits(one, candidate));
      if (other === undefined) continue;
      left.delete(one);
      free.delete(other);
      pairs.push([one, other]);
    }
  }
  return pairs;
}

function sameVhidAndLink(one: Carp, other: Carp): boolean {
  return one.vhid === other.vhid && one.interface === other.interface;
}

function sameVhid(one: Carp, other: Carp): boolean {
  return one.vhid === other.vhid;
}

function sharesAddress(one: Carp, other: Carp): boolean {
  return one.addresses.some(({ address }) => other.addresses.some((candidate) => candidate.address === address));
}

function compareVhid(a: Carp, b: Carp): Difference[] {
  const of = (what: string) => `vhid ${a.vhid} ${what}`;
  const same_addresses = addressesOf(a) === addressesOf(b);
  return [
    ...compareAspects('must-be-equal', MUST_BE_EQUAL, a, b),
    ...compareUnicast(a, b, of('peers')),
    ...compareSkew(a, b, of('advskew')),
    ...compareSource(a, b, of('source address')),
    ...compareAspects('different', same_addresses ? [...MAY_DIFFER, PREFIXES] : MAY_DIFFER, a, b),
  ];
}

/** Something of a vhid that is compared as text. */
type Aspect = {
  readonly what: string;
  readonly of: (carp: Carp) => string;
  /** What comes of a difference. */
  readonly sentence: string;
  readonly is_secret?: boolean;
};

const MUST_BE_EQUAL: readonly Aspect[] = [
  {
    what: 'number',
    of: ({ vhid }) => `vhid ${vhid}`,
    sentence: 'the same address under two numbers is two groups, and both become MASTER.',
  },
  {
    what: 'pass',
    of: ({ pass }) => pass,
    sentence: 'the passwords are not the same, so neither node hears the other and both become MASTER.',
    is_secret: true,
  },
  {
    what: 'addresses',
    of: addressesOf,
    sentence: 'they are part of the digest, so neither node hears the other.',
  },
  {
    what: 'advbase',
    of: ({ advbase }) => `${advbase} s`,
    sentence: 'the node with the longer one waits longer, and never is preferred.',
  },
  {
    what: 'family of MAC',
    of: ({ mac }) => mac,
    sentence: 'a switch must find the address behind one kind of MAC.',
  },
  {
    what: 'balancing',
    of: ({ balancing }) => balancing,
    sentence: 'all nodes must share load in the same way.',
  },
  {
    what: 'group',
    of: ({ multicast_address }) => multicast_address ?? '224.0.0.18',
    sentence: 'they do not hear each other.',
  },
];

const MAY_DIFFER: readonly Aspect[] = [
  {
    what: 'preempt',
    of: ({ preempt }) => onOff(preempt),
    sentence: 'only the node that has it takes the address from a less preferred one.',
  },
  {
    what: 'deadratio',
    of: ({ deadratio }) => String(deadratio),
    sentence: 'the two wait differently long for a silent master.',
  },
  {
    what: 'interface',
    of: (carp) => carp.interface ?? 'by subnet',
    sentence: 'right where the machines name their interfaces differently.',
  },
  { what: 'demotions', of: rulesOf, sentence: 'the nodes give way for different reasons.' },
];

/** Only worth a word where the addresses are the same. */
const PREFIXES: Aspect = { what: 'prefix length', of: prefixesOf, sentence: 'CARP does not mind.' };

function compareAspects(kind: Difference['kind'], aspects: readonly Aspect[], a: Carp, b: Carp): Difference[] {
  return aspects.flatMap(({ what, of, sentence, is_secret }) => {
    const [one, other] = [of(a), of(b)];
    if (one === other) return [];
    const values = is_secret ? { a: undefined, b: undefined } : { a: one, b: other };
    return [{ kind, what: `vhid ${a.vhid} ${what}`, ...values, sentence }];
  });
}

function compareSkew(a: Carp, b: Carp, what: string): Difference[] {
  const [one, other] = [String(a.advskew), String(b.advskew)];
  if (a.advbase === b.advbase && one === other) {
    const sentence = 'a tie: who is MASTER is an accident, and nobody takes the address back. Make the second one 100.';
    return [{ kind: 'must-differ', what, a: one, b: other, sentence }];
  }
  return [];
}

function compareSource({ source_address: a }: Carp, { source_address: b }: Carp, what: string): Difference[] {
  if (a === undefined || a !== b) return [];
  const sentence = 'a node takes adverts from its own source address for its own and drops them.';
  return [{ kind: 'must-differ', what, a, b, sentence }];
}

function compareUnicast(a: Carp, b: Carp, what: string): Difference[] {
  if (a.peers.length > 0 === b.peers.length > 0) return [];
  const text = ({ peers }: Carp) => (peers.length > 0 ? `unicast to ${peers.join(' ')}` : 'multicast');
  const sentence = 'one sends to its peers alone and the other to everybody; make both the same.';
  return [{ kind: 'must-be-equal', what, a: text(a), b: text(b), sentence }];
}

function findAlone(all: readonly Carp[], paired: readonly Carp[], which: 'first' | 'second'): Difference[] {
  const alone = all.filter((carp) => !paired.includes(carp));
  return alone.map((carp) => {
    const sentence = `only the ${which} node has it (${addressesOf(carp)}), so nobody takes over for it.`;
    return { kind: 'must-be-equal', what: `vhid ${carp.vhid}`, a: undefined, b: undefined, sentence };
  });
}

/** By name only: what a service needs to be the same from either node. */
function compareProxies(a: Config, b: Config): Difference[] {
  const differ = (what: string, one: string, other: string): Difference[] =>
    one === other
      ? []
      : [
          {
            kind: 'different',
            what,
            a: one || 'none',
            b: other || 'none',
            sentence: 'the service changes when the address moves.',
          },
        ];
  return [...differ('frontends', frontendsOf(a), frontendsOf(b)), ...differ('servers', serversOf(a), serversOf(b))];
}

function frontendsOf({ frontends }: Config): string {
  const text = frontends.map(
    ({ name, binds }) => `${name} ${binds.map(({ endpoint }) => `${endpoint.address}:${endpoint.port}`).join(',')}`,
  );
  return text.sort().join('; ');
}

function serversOf({ backends }: Config): string {
  const text = backends.map(
    ({ name, servers }) => `${name} ${servers.map((server) => `${server.host}:${server.endpoint.port}`).join(',')}`,
  );
  return text.sort().join('; ');
}

function addressesOf({ addresses }: Carp): string {
  return [...new Set(addresses.map(({ address }) => address))].sort().join(' ');
}

function prefixesOf({ addresses }: Carp): string {
  return addresses
    .map(({ address, prefix_length }) => `${address}/${prefix_length}`)
    .sort()
    .join(' ');
}

function rulesOf({ demotions }: Carp): string {
  return demotions.map(({ amount, polarity, text }) => `${amount} ${polarity} ${text}`).join('; ') || 'none';
}

function onOff(value: boolean): string {
  return value ? 'on' : 'off';
}
