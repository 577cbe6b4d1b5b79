import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Event } from '#src/carp/events.js';
import { Agenda } from '#src/simulator/agenda.js';
import { CARPOOL } from '#src/simulator/program.js';
import { formatScenario, type HostSettings, parseScenario, type Scenario } from '#src/simulator/scenario.js';
import { simulate } from '#src/simulator/world.js';
import { mixed, scenarios } from './arbitrary.js';
import { describe, explore } from './explore.js';

const found = new URL('../../../test/simulator/found/', import.meta.url);
const TIME_MS = 7000;
const MIXED_MS = 2500;

test('whatever happens to a few hosts, every invariant holds', () => {
  const { broken, text } = explore({ seed: 1, runs: 2000, time_ms: TIME_MS });
  assert.ok(!broken, text);
});

for (const peer of ['ucarp', 'freebsd', 'openbsd', 'freebsd9', 'netbsd'] as const) {
  test(`whatever happens to carpool beside ${peer}, every invariant holds`, () => {
    const { broken, text } = explore({ seed: 1, runs: 2000, time_ms: MIXED_MS, ...mixed(['carpool', peer]) });
    assert.ok(!broken, text);
  });
}

for (const kinds of [['carpool'], ['carpool', 'openbsd']] as const) {
  test(`where demotions are told in byte 4, whatever happens to ${kinds.join(' beside ')}, every invariant holds`, () => {
    const manner = { demote_byte: 'yes' } as const;
    const { broken, text } = explore({ seed: 1, runs: 2000, time_ms: MIXED_MS, ...mixed(kinds), manner });
    assert.ok(!broken, text);
  });
}

test('whatever happens to one of two address families, every invariant holds', () => {
  const { broken, text } = explore({ seed: 1, runs: 2000, time_ms: MIXED_MS, manner: { families: 46 } });
  assert.ok(!broken, text);
});

test('a mistake in carpool is found beside its peers as well', () => {
  const core: typeof CARPOOL = { ...CARPOOL, step: (...args) => (isFrame(args[1]) ? [] : CARPOOL.step(...args)) };
  const { broken, text } = explore({
    seed: 1,
    runs: 100,
    core,
    shrink: false,
    ...mixed(['carpool', 'freebsd', 'ucarp']),
  });
  assert.ok(broken, text);
});

for (const name of readdirSync(found).sort()) {
  const text = readFileSync(new URL(name, found), 'utf8');
  test(`found once: ${text.split('\n')[0].replace('# ', '')}`, () => {
    const { broken, text: told } = describe(parseScenario(text), 0);
    assert.ok(!broken, told);
  });
}

test('of two hundred hosts that start together one is MASTER, and another when a quarter of them dies', () => {
  const hosts = Array.from({ length: 200 }, (_, number) => everydayHost(`h${number}`, number));
  const faults = hosts.slice(0, 50).map(({ name: host }) => ({ at_ms: 8000, kind: 'crash' as const, host }));
  const { violation, log } = simulate({ seed: 1, hosts, faults, calm_ms: 9000 });
  assert.equal(violation, undefined);
  assert.match(log.at(-1)!, /^ +1\d\.\d+ h50 vhid 1 on segment 0: BACKUP -> MASTER/);
});

test('a BACKUP that stands still between reading and judging reads again before it calls the master silent', () => {
  for (let at_ms = 6000; at_ms < 10_000; at_ms += 20) {
    const hosts = [everydayHost('a', 0), everydayHost('b', 100)];
    const stall = { at_ms, kind: 'stall-in-pass' as const, host: 'b', for_ms: 5000 };
    const { violation, log } = simulate({ seed: 1, hosts, faults: [stall], calm_ms: 16_000 });
    assert.equal(violation, undefined);
    const after = log.slice(log.findIndex((line) => line.includes('stall-in-pass'))).join('\n');
    assert.doesNotMatch(after, /MASTER/, after);
  }
});

test('a scenario is the same run every time, and from its text as well', () => {
  fc.assert(
    fc.property(scenarios({ hosts_max: 3, advbases: [1] }), (scenario) => {
      const text = formatScenario(scenario);
      const parsed = parseScenario(text);
      assert.equal(formatScenario(parsed), text);
      assert.deepEqual(simulate(parsed).log, simulate(scenario).log);
    }),
    { seed: 7, numRuns: 20 },
  );
});

/** Both accept the new one, then one after the other uses it and still accepts the old one. */
const ROLLING = [
  ['a', -1, 'N'],
  ['b', -1, 'N'],
  ['b', 'N', 0],
  ['a', 'N', 0],
  ['a', 'N', -1],
  ['b', 'N', -1],
] as const;

for (const [what, secret] of [
  ['password', 1],
  ['VIP set', 2],
] as const) {
  test(`a rolling change of the ${what} of a live pair moves nobody`, () => {
    const hosts = [everydayHost('a', 0), everydayHost('b', 100)];
    const faults = ROLLING.map(([host, now, also], step) => {
      const change = {
        secret: now === 'N' ? secret : now,
        also: also === 'N' ? secret : also,
        advskew: -1,
        absent: -1,
      };
      return { at_ms: 8000 + 1500 * step, kind: 'reload' as const, host, ...change };
    });
    const { violation, log } = simulate({ seed: 3, hosts, faults, calm_ms: 40_000 });
    assert.equal(violation, undefined);
    const late = log.filter((line) => line.includes('->') && Number(line.trim().split(' ')[0]) > 8);
    assert.deepEqual(late, []);
  });
}

test('a router that loses one of its two links hands over both sides, and takes both back', () => {
  const router = (name: string, advskew: number): HostSettings => {
    const members = [0, 1].map((segment) => ({ vhid: segment + 1, segment, advbase: 1, advskew, preempt: true }));
    return { name, kind: 'carpool', drift_ppm: 0, lease_s: 4, members };
  };
  const faults = [{ at_ms: 8000, kind: 'link' as const, host: 'a', segment: 0, up: 'no' as const }];
  const { violation, log } = simulate({ seed: 1, hosts: [router('a', 0), router('b', 100)], faults, calm_ms: 20_000 });
  assert.equal(violation, undefined);
  const at = (what: string) => log.filter((line) => line.includes(what)).map((line) => Number.parseFloat(line));
  const taken = [1, 2].map((vhid) => at(`b vhid ${vhid} on segment ${vhid - 1}: BACKUP -> MASTER`).at(-1)!);
  assert.ok(taken[0] > 8 && taken[0] < 11.4, 'the side whose link is down, when its adverts stop');
  assert.ok(taken[1] > 8 && taken[1] < 8.01, 'the other side at once, by a bow-out');
  const back = [1, 2].map((vhid) => at(`a vhid ${vhid} on segment ${vhid - 1}: BACKUP -> MASTER`).at(-1)!);
  assert.ok(Math.min(...back) > 20 && Math.max(...back) < 22.5);
});

test('at the fastest settings a dead master is replaced within three adverts and the wire', () => {
  const fast = (name: string, advskew: number): HostSettings => {
    const members = [{ vhid: 1, segment: 0, advbase: 0, advskew, preempt: true }];
    return { name, kind: 'carpool', drift_ppm: 0, lease_s: 4, members };
  };
  const faults = [{ at_ms: 3000, kind: 'crash' as const, host: 'a' }];
  const { violation, log } = simulate({ seed: 1, hosts: [fast('a', 1), fast('b', 2)], faults, calm_ms: 3100 });
  assert.equal(violation, undefined);
  const takeover = log.find((line) => Number.parseFloat(line) >= 3 && line.includes('BACKUP -> MASTER'))!;
  assert.ok(1000 * Number.parseFloat(takeover) - 3000 < 25, takeover);
});

test('another seed is another run', () => {
  const scenario: Scenario = {
    seed: 1,
    hosts: [everydayHost('a', 0), everydayHost('b', 40)],
    faults: [],
    calm_ms: 5000,
  };
  assert.notDeepEqual(simulate({ ...scenario, seed: 2 }).log, simulate(scenario).log);
});

test('what breaks is made smaller, and its text breaks the same invariant', () => {
  const core: typeof CARPOOL = {
    ...CARPOOL,
    step: (engine, event, now_ns) =>
      CARPOOL.step(engine, event, now_ns).filter((effect) => effect.kind !== 'renew-addresses'),
  };
  const { broken, text } = explore({ seed: 1, runs: 10, core, hosts_max: 3, advbases: [1] });
  assert.equal(broken?.invariant, 'lease');
  assert.equal(broken?.scenario.hosts.length, 2);
  assert.deepEqual(broken?.scenario.faults, []);
  assert.match(text, /^seed 1 breaks "lease"/);
  const again = describe(parseScenario(formatScenario(broken.scenario)), broken.seed, core);
  assert.equal(again.broken?.invariant, 'lease');
});

test('text that is no scenario is refused', () => {
  assert.throws(() => parseScenario('seed 1\nhots a'), RangeError);
});

test('what is planned happens in the order of time, then of planning', () => {
  fc.assert(
    fc.property(fc.array(fc.nat({ max: 20 }), { maxLength: 100 }), (times) => {
      const agenda = new Agenda();
      const happened: [number, number][] = [];
      for (const [turn, at_ns] of times.entries()) agenda.plan(at_ns, () => happened.push([at_ns, turn]));
      while (agenda.next_ns < Number.POSITIVE_INFINITY) agenda.take()();
      const sorted = [...happened].sort(([a, i], [b, j]) => a - b || i - j);
      assert.deepEqual(happened, sorted);
      assert.equal(happened.length, times.length);
    }),
  );
});

function isFrame(event: Event): boolean {
  return event.kind === 'frame';
}

/** advbase 1, preempt, and an advskew of its own as long as there are some. */
function everydayHost(name: string, number: number): HostSettings {
  const member = { vhid: 1, segment: 0, advbase: 1, advskew: number, preempt: true };
  return { name, kind: 'carpool', drift_ppm: 0, lease_s: 4, members: [member] };
}
