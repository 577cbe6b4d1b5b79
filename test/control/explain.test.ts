/** `carpool explain` for each state and cause. What is expected stands in explain.golden.txt; REWRITE_GOLDEN=1 writes it. */
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { createCounters } from '#src/carp/counters.js';
import type { HeardAdvert, VhidStatus } from '#src/carp/events.js';
import { type Cause, type ExplainFacts, explain, renderExplanation } from '#src/control/explain.js';

const GOLDEN = new URL('../../../test/control/explain.golden.txt', import.meta.url);
const NOW_NS = 1_000e9;

const BACKUP: VhidStatus = {
  index: 0,
  interface: 'eth0',
  vhid: 1,
  addresses: ['10.0.0.1'],
  state: 'BACKUP',
  since_ns: NOW_NS - 100e9,
  reason: 'initialization complete',
  master: '10.0.0.11',
  advbase: 1,
  advskew: 100,
  advertised_advskew: 100,
  preempt: true,
  demotion: 0,
  demotions: [],
  last_heard_ns: NOW_NS - 0.4e9,
  interval_ns: 1.390625e9,
  master_down_ns: 3.390625e9,
  heard: undefined,
  outlook: [],
  troubles: [],
  sent: 0,
  received: 100,
  refused: 0,
  counters: createCounters(),
};

function heard(interval_ns: number, ago_ns = 0.4e9): HeardAdvert {
  const advskew = Math.round(((interval_ns - 1e9) * 256) / 1e9);
  const from = {
    source: '10.0.0.11',
    node: '10.0.0.11',
    mac: '02:00:00:00:00:0b',
    kind: 'carpool',
    family: 4,
    demote: 0,
  } as const;
  return { ...from, advbase: 1, advskew, interval_ns, at_ns: NOW_NS - ago_ns };
}

const MASTER: VhidStatus = {
  ...BACKUP,
  state: 'MASTER',
  reason: 'no master: nothing heard for 3.00 s',
  advskew: 0,
  advertised_advskew: 0,
  interval_ns: 1e9,
  master_down_ns: 3e9,
};

const DEMOTED = {
  demotion: 240,
  demotions: [{ owner: 'drain by alice', amount: 240, reason: 'moving the rack; ends by itself in 57 s' }],
  interval_ns: 1.9375e9,
};

const INIT: VhidStatus = { ...BACKUP, state: 'INIT', master: undefined, since_ns: NOW_NS - 12e9 };

type Case = readonly [title: string, cause: Cause, facts: Partial<Omit<ExplainFacts, 'status'>>, status: VhidStatus];

const CASES: readonly Case[] = [
  ['INIT while the daemon starts', 'starting', { ready: false }, INIT],
  ['INIT without a link', 'link-down', { link_up: false }, { ...INIT, reason: 'link of eth0 is down' }],
  ['INIT in maintenance', 'maintenance', { maintenance: 'ordered by alice (moving the rack)' }, INIT],
  ['INIT, as a thread hangs', 'held', {}, { ...INIT, reason: 'the checks thread has not moved for 2.0 s' }],
  ['INIT by net.inet.carp.allow', 'held', {}, { ...INIT, reason: 'net.inet.carp.allow is 0' }],
  ['BACKUP that has heard nobody', 'listening', {}, { ...BACKUP, since_ns: NOW_NS - 1e9 }],
  ['BACKUP, slower', 'slower', {}, { ...BACKUP, heard: heard(1e9) }],
  ['BACKUP, slower anyway, and demoted', 'slower', {}, { ...BACKUP, ...DEMOTED, heard: heard(1.1e9) }],
  [
    'BACKUP by its demotion',
    'demoted',
    {},
    { ...BACKUP, ...DEMOTED, advskew: 0, heard: heard(1.390625e9), master_down_ns: 3e9 },
  ],
  [
    'BACKUP by its demotion, without preempt',
    'demoted',
    {},
    { ...BACKUP, ...DEMOTED, advskew: 0, preempt: false, heard: heard(1.390625e9), master_down_ns: 3e9 },
  ],
  [
    'BACKUP with equal settings',
    'equal',
    {},
    {
      ...BACKUP,
      heard: heard(1.390625e9),
      troubles: [{ kind: 'equal', text: 'equal settings: 10.0.0.11 adverts advbase 1 advskew 100 too', at_ns: NOW_NS }],
    },
  ],
  ['BACKUP, preferred, without preempt', 'no-preempt', {}, { ...BACKUP, preempt: false, heard: heard(1.78125e9) }],
  [
    'BACKUP, preferred to a ucarp, without preempt',
    'no-preempt',
    {},
    { ...BACKUP, preempt: false, heard: { ...heard(1.78125e9), kind: 'ucarp' } },
  ],
  [
    'BACKUP that is about to preempt',
    'preempt-waits',
    {},
    { ...BACKUP, heard: heard(1.78125e9), outlook: [{ when: 'preempt', to: 'MASTER', at_ns: NOW_NS + 12e9 }] },
  ],
  [
    'BACKUP whose master is silent',
    'master-silent',
    {},
    {
      ...BACKUP,
      heard: heard(1e9, 5e9),
      outlook: [{ when: 'silence', to: 'MASTER', at_ns: NOW_NS + 1.2e9 }],
    },
  ],
  ['MASTER alone', 'alone', {}, { ...MASTER, since_ns: NOW_NS - 4000e9 }],
  [
    'MASTER that others gave way to',
    'preferred',
    {},
    { ...MASTER, reason: 'preempting 10.0.0.11', heard: heard(1.39e9, 99.9e9) },
  ],
  [
    'MASTER since another fell silent',
    'preferred',
    {},
    { ...MASTER, reason: 'master went silent: nothing heard for 3.00 s', heard: heard(1e9, 103e9) },
  ],
  ['MASTER although demoted', 'demoted-alone', {}, { ...MASTER, ...DEMOTED }],
  ['MASTER, and a slower one too', 'contested', {}, { ...MASTER, heard: heard(1.390625e9) }],
  ['MASTER, and an equal one too', 'contested', {}, { ...MASTER, heard: heard(1e9) }],
  [
    'MASTER in a subnet where others use the vhid',
    'alone',
    {},
    {
      ...MASTER,
      troubles: [{ kind: 'clash', text: '27 adverts from 10.0.0.99 for vhid 1 do not authenticate', at_ns: NOW_NS }],
    },
  ],
];

test('each state and cause is explained in words that say what would change it', () => {
  const texts = CASES.map(([title, cause, facts, status]) => {
    const all = { name: 'web', link_up: true, ready: true, maintenance: undefined, now_ns: NOW_NS, status, ...facts };
    assert.equal(explain(all).cause, cause, title);
    return `# ${title}\n${renderExplanation(all)}`;
  });
  const really = texts.join('\n');
  if (process.env['REWRITE_GOLDEN']) writeFileSync(GOLDEN, really);
  assert.equal(really, readFileSync(GOLDEN, 'utf8'));
});

test('every state says of itself that it is that state', () => {
  for (const [title, , facts, status] of CASES) {
    const all = { name: 'web', link_up: true, ready: true, maintenance: undefined, now_ns: NOW_NS, status, ...facts };
    assert.match(explain(all).sentences[0]!, new RegExp(`^${status.state}\\b`), title);
  }
});
