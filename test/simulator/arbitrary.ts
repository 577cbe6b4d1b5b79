/** Scenarios for fast-check: everything that shrinking should take away is a list or has a quiet first choice. */
import fc from 'fast-check';
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
};

/** Whoever else's rules: ucarp cannot go below a second, kernels both yield to equals. */
export function mixed(kinds: readonly Kind[]): Scope {
  return { kinds, advbases: [1, 1, 1, 2], distinct: kinds.some((kind) => kind === 'freebsd' || kind === 'openbsd') };
}

export function scenarios(scope: Scope = {}): fc.Arbitrary<Scenario> {
  const { hosts_max = 5 } = scope;
  return fc
    .record({
      count: fc.integer({ min: 2, max: hosts_max }),
      vhids: fc.constantFrom(1, 2),
      segments: fc.constantFrom(1, 2),
    })
    .chain(({ count, vhids, segments }) =>
      fc.record({
        seed: fc.nat(),
        hosts: fc.tuple(
          ...NAMES.slice(0, count)
            .split('')
            .map((name, i) => host(scope, name, i, vhids, segments)),
        ),
        faults: fc
          .array(fault(NAMES.slice(0, count).split(''), segments), { maxLength: FAULTS_MAX })
          .map((faults) => [...faults].sort((a, b) => a.at_ms - b.at_ms)),
        calm_ms: fc.integer({ min: FAULTS_MS, max: FAULTS_MS + 5000 }),
      }),
    );
}

function host(scope: Scope, name: string, number: number, vhids: number, segments: number): fc.Arbitrary<HostSettings> {
  const places = Array.from({ length: segments }, (_, segment) =>
    Array.from({ length: vhids }, (__, vhid) => member(scope, number, segment, vhid + 1)),
  );
  return fc.record({
    name: fc.constant(name),
    kind: fc.constantFrom(...(scope.kinds ?? (['carpool'] as const))),
    drift_ppm: fc.integer({ min: -1000, max: 1000 }),
    lease_s: fc.constantFrom(4, 3, 2),
    members: fc.tuple(...places.flat()),
  });
}

function member(scope: Scope, number: number, segment: number, vhid: number): fc.Arbitrary<MemberSettings> {
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
  });
  // a hundred adverts a second show nothing that ten do not
  return settings.map((one) => (one.advbase === 0 && one.advskew < 20 ? { ...one, advskew: 20 } : one));
}

function fault(names: readonly string[], segments: number): fc.Arbitrary<Fault> {
  const at_ms = fc.integer({ min: 500, max: FAULTS_MS });
  const host = fc.constantFrom(...names);
  const to = fc.constantFrom(...names, '*');
  const segment = fc.nat({ max: segments - 1 });
  const for_ms = fc.integer({ min: 10, max: 12_000 });
  const kind = <K extends Fault['kind']>(...kinds: K[]) => fc.constantFrom(...kinds);
  return fc.oneof(
    fc.record({ at_ms, kind: kind('crash', 'kill', 'stop', 'strip'), host }),
    fc.record({ at_ms, kind: kind('restart'), host }),
    fc.record({ at_ms, kind: kind('stall'), host, for_ms }),
    fc.record({ at_ms, kind: kind('unsendable'), host, for_ms }),
    fc.record({ at_ms, kind: kind('link'), host, segment, up: fc.constantFrom('yes' as const, 'no' as const) }),
    fc.record({ at_ms, kind: kind('cut'), segment, from: host, to }),
    fc.record({ at_ms, kind: kind('part', 'heal'), segment, host }),
    fc.record({ at_ms, kind: kind('network'), segment, ...quality }),
    fc.record({ at_ms, kind: kind('demote'), host, amount: fc.constantFrom(240, 100, 10) }),
    fc.record({ at_ms, kind: kind('undemote'), host }),
  ) as fc.Arbitrary<Fault>;
}

const quality = {
  loss_percent: fc.constantFrom(0, 10, 50, 90),
  duplicate_percent: fc.constantFrom(0, 30),
  delay_ms: fc.constantFrom(1, 20, 500),
};
