/** Scenarios for fast-check: everything that shrinking should take away is a list or has a quiet first choice. */
import fc from 'fast-check';
import { SECRETS_COUNT } from '#src/simulator/program.js';
import type { Fault, HostSettings, Kind, MemberSettings, Scenario } from '#src/simulator/scenario.js';

const FAULTS_MAX = 12;
const FAULTS_MS = 30_000;
const NAMES = 'abcdefghijklmnopqrstuvwxyz';

export type Scope = {
  readonly kinds?: readonly Kind[];
  readonly hosts_max?: number;
  /** Hosts of one vhid never share an interval: where kernels, who yield to equals, take part. */
  readonly distinct?: boolean;
  readonly advbases?: readonly number[];
  /** Only IPv4, multicast, and no reloads: what the mutations of the plain rules need. */
  readonly plain?: boolean;
  /** Of all members; otherwise one of several is drawn. */
  readonly manner?: Manner;
  /** The preempt delay of all members. */
  readonly delay_ms?: number;
};

/** What all members of all vhids have in common. */
export type Manner = Pick<MemberSettings, 'families' | 'unicast' | 'shared' | 'demote_byte'>;
const PLAIN: Manner = {};
const MANNERS: readonly Manner[] = [
  PLAIN,
  PLAIN,
  { families: 46 },
  { families: 6 },
  { unicast: 'yes' },
  { shared: 'yes' },
  { demote_byte: 'yes' },
];

/** Whoever else's rules: ucarp cannot go below a second, kernels both yield to equals. */
export function mixed(kinds: readonly Kind[]): Scope {
  const distinct = kinds.some((kind) => kind !== 'carpool' && kind !== 'ucarp');
  return { kinds, advbases: [1, 1, 1, 2], distinct, plain: true };
}

export function scenarios(scope: Scope = {}): fc.Arbitrary<Scenario> {
  const { hosts_max = 5 } = scope;
  return fc
    .record({
      count: fc.integer({ min: 2, max: hosts_max }),
      vhids: fc.constantFrom(1, 2),
      segments: fc.constantFrom(1, 2),
      manner: fc.constantFrom(...mannersOf(scope)),
    })
    .chain(({ count, vhids, segments, manner }) =>
      fc.record({
        seed: fc.nat(),
        hosts: fc.tuple(
          ...NAMES.slice(0, count)
            .split('')
            .map((name, i) => host(scope, name, i, vhids, segments, manner)),
        ),
        faults: fc
          .array(fault(scope, NAMES.slice(0, count).split(''), segments, vhids, manner), { maxLength: FAULTS_MAX })
          .map((faults) => [...faults].sort((a, b) => a.at_ms - b.at_ms)),
        calm_ms: fc.integer({ min: FAULTS_MS, max: FAULTS_MS + 5000 }),
      }),
    );
}

function mannersOf({ manner, plain }: Scope): readonly Manner[] {
  if (manner) return [manner];
  return plain ? [PLAIN] : MANNERS;
}

function delaysOf({ delay_ms, plain }: Scope): readonly number[] {
  if (delay_ms !== undefined) return [delay_ms];
  return plain ? [0] : [0, 0, 0, 2500];
}

function host(
  scope: Scope,
  name: string,
  number: number,
  vhids: number,
  segments: number,
  manner: Manner,
): fc.Arbitrary<HostSettings> {
  const places = Array.from({ length: segments }, (_, segment) =>
    Array.from({ length: vhids }, (__, vhid) => member(scope, number, segment, vhid + 1, manner)),
  );
  return fc.record({
    name: fc.constant(name),
    kind: fc.constantFrom(...(scope.kinds ?? (['carpool'] as const))),
    drift_ppm: fc.integer({ min: -1000, max: 1000 }),
    lease_s: fc.constantFrom(4, 3, 2),
    members: fc.tuple(...places.flat()),
  });
}

function member(
  scope: Scope,
  number: number,
  segment: number,
  vhid: number,
  manner: Manner,
): fc.Arbitrary<MemberSettings> {
  const advbases = scope.advbases ?? [1, 1, 1, 1, 2, 0, 10];
  const settings = fc.record({
    vhid: fc.constant(vhid),
    segment: fc.constant(segment),
    advbase: fc.constantFrom(...advbases),
    // advbase 0 needs some; a few values, so that equals happen
    advskew: fc
      .constantFrom(20, 100, 40, 1, 240, 254)
      .map((skew) => (scope.distinct ? 10 * number + (skew % 7) + 1 : skew)),
    preempt: fc.boolean(),
    delay: fc.constantFrom(...delaysOf(scope)),
  });
  // a hundred adverts a second show nothing that ten do not
  return settings.map(({ delay, ...one }) => ({
    ...one,
    ...manner,
    ...(delay > 0 ? { delay_ms: delay } : {}),
    advskew: one.advbase === 0 ? Math.max(one.advskew, 20) : one.advskew,
  }));
}

function fault(
  scope: Scope,
  names: readonly string[],
  segments: number,
  vhids: number,
  { families }: Manner,
): fc.Arbitrary<Fault> {
  const at_ms = fc.integer({ min: 500, max: FAULTS_MS });
  const host = fc.constantFrom(...names);
  const to = fc.constantFrom(...names, '*');
  const segment = fc.nat({ max: segments - 1 });
  const for_ms = fc.integer({ min: 10, max: 12_000 });
  const kind = <K extends Fault['kind']>(...kinds: K[]) => fc.constantFrom(...kinds);
  const reload = fc.record({
    at_ms,
    kind: kind('reload'),
    host,
    secret: fc.integer({ min: -1, max: SECRETS_COUNT - 1 }),
    also: fc.integer({ min: -1, max: SECRETS_COUNT - 1 }),
    advskew: fc.constantFrom(-1, 20, 100),
    absent: fc.constantFrom(-1, -1, ...Array.from({ length: vhids * segments }, (_, index) => index)),
  });
  return fc.oneof(
    fc.record({ at_ms, kind: kind('crash', 'kill', 'stop', 'strip'), host }),
    fc.record({ at_ms, kind: kind('restart'), host }),
    fc.record({ at_ms, kind: kind('stall', 'stall-in-pass'), host, for_ms }),
    fc.record({ at_ms, kind: kind('unsendable'), host, for_ms }),
    fc.record({ at_ms, kind: kind('link'), host, segment, up: fc.constantFrom('yes' as const, 'no' as const) }),
    fc.record({ at_ms, kind: kind('cut'), segment, from: host, to }),
    ...(families === 46
      ? [fc.record({ at_ms, kind: kind('cut'), segment, from: host, to, family: fc.constantFrom(4, 6) })]
      : []),
    fc.record({ at_ms, kind: kind('part', 'heal'), segment, host }),
    fc.record({ at_ms, kind: kind('network'), segment, ...quality }),
    fc.record({ at_ms, kind: kind('demote'), host, amount: fc.constantFrom(240, 100, 10) }),
    fc.record({ at_ms, kind: kind('undemote'), host }),
    ...(scope.plain
      ? []
      : [fc.record({ at_ms, kind: kind('echo'), segment, on: fc.constantFrom('yes', 'no') }), reload]),
  ) as fc.Arbitrary<Fault>;
}

const quality = {
  loss_percent: fc.constantFrom(0, 10, 50, 90),
  duplicate_percent: fc.constantFrom(0, 30),
  delay_ms: fc.constantFrom(1, 20, 500),
};
