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
  const equal = (what: string, one: string, other: string, sentence: string): Difference[] =>
    one === other ? [] : [{ kind: 'must-be-equal', what: of(what), a: one, b: other, sentence }];
  const loose = (what: string, one: string, other: string, sentence: string): Difference[] =>
    one === other ? [] : [{ kind: 'different', what: of(what), a: one, b: other, sentence }];
  return [
    ...equal(
      'number',
      `vhid ${a.vhid}`,
      `vhid ${b.vhid}`,
      'the same address under two numbers is two groups, and both become MASTER.',
    ),
    ...comparePass(a, b, of('pass')),
    ...equal(
      'addresses',
      addressesOf(a),
      addressesOf(b),
      'they are part of the digest, so neither node hears the other.',
    ),
    ...equal(
      'advbase',
      `${a.advbase} s`,
      `${b.advbase} s`,
      'the node with the longer one waits longer, and never is preferred.',
    ),
    ...equal('family of MAC', a.mac, b.mac, 'a switch must find the address behind one kind of MAC.'),
    ...equal('balancing', a.balancing, b.balancing, 'all nodes must share load in the same way.'),
    ...equal(
      'group',
      a.multicast_address ?? '224.0.0.18',
      b.multicast_address ?? '224.0.0.18',
      'they do not hear each other.',
    ),
    ...compareUnicast(a, b, of('peers')),
    ...compareSkew(a, b, of('advskew')),
    ...compareSource(a, b, of('source address')),
    ...loose(
      'preempt',
      onOff(a.preempt),
      onOff(b.preempt),
      'only the node that has it takes the address from a less preferred one.',
    ),
    ...loose(
      'deadratio',
      String(a.deadratio),
      String(b.deadratio),
      'the two wait differently long for a silent master.',
    ),
    ...loose(
      'interface',
      a.interface ?? 'by subnet',
      b.interface ?? 'by subnet',
      'right where the machines name their interfaces differently.',
    ),
    ...(addressesOf(a) === addressesOf(b)
      ? loose('prefix length', prefixesOf(a), prefixesOf(b), 'CARP does not mind.')
      : []),
    ...loose('demotions', rulesOf(a), rulesOf(b), 'the nodes give way for different reasons.'),
  ];
}

function comparePass(a: Carp, b: Carp, what: string): Difference[] {
  if (a.pass === b.pass) return [];
  const sentence = 'the passwords are not the same, so neither node hears the other and both become MASTER.';
  return [{ kind: 'must-be-equal', what, a: undefined, b: undefined, sentence }];
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
