import assert from 'node:assert/strict';
import { test } from 'node:test';
import { passwordKey } from '#src/carp/auth.js';
import { will } from '#src/carp/engine.js';
import { Network } from './network.js';
import { advertIn } from './peer.js';

/** `web1` (advskew 0) is MASTER of vhid 1 and `web2` (advskew 100) BACKUP, since 4 s or so; now it is 10 s. */
function settledPair(options: { preempt?: boolean } = {}): Network {
  const network = new Network();
  network.add('web1', { advskew: 0, preempt: options.preempt ?? true });
  network.add('web2', { advskew: 100, preempt: options.preempt ?? true });
  network.start();
  network.runUntil(10);
  assert.deepEqual(network.masters(), ['web1']);
  return network;
}

const demote = { kind: 'demote', owner: 'check', amount: 240, reason: 'no server is up' } as const;
const undemote = { kind: 'undemote', owner: 'check' } as const;

test('of two nodes that start together the one with the lower advskew becomes MASTER, the other never moves', () => {
  const network = settledPair();
  assert.deepEqual(network.movesOf('web1'), ['INIT -> BACKUP', 'BACKUP -> MASTER']);
  assert.deepEqual(network.movesOf('web2'), ['INIT -> BACKUP']);
  assert.deepEqual(network.holders(), ['web1']);
});

test('when the master host dies the other carries the address within 3 advbase + its advskew / 256', () => {
  const network = settledPair();
  network.crash('web1');
  network.runUntil(20);
  const takeover = network.moves.at(-1)!;
  assert.equal(takeover.node, 'web2');
  assert.match(takeover.reason, /^master went silent: nothing heard for 3\.39 s$/);
  assert.ok(takeover.at_s - 10 <= 3.391, `took ${takeover.at_s - 10} s`);
  assert.deepEqual(network.holders(), ['web2']);
});

test('a graceful stop hands the address over within a millisecond', () => {
  const network = settledPair({ preempt: false });
  network.event('web1', { kind: 'stop', reason: 'SIGTERM' });
  network.runUntil(10.001);
  assert.deepEqual(network.masters(), ['web2']);
  assert.deepEqual(network.holders(), ['web2']);
  assert.equal(network.moves.at(-1)!.reason, '10.0.0.1 bows out');
});

test('a master that returns preempts at once and the other lets go within a millisecond', () => {
  const network = new Network();
  network.add('web1', { preempt: true });
  network.add('web2', { advskew: 100, preempt: true });
  network.start('web2');
  network.runUntil(10);
  assert.deepEqual(network.masters(), ['web2']);
  network.start('web1');
  network.runUntil(12);
  const [back, away] = network.moves.slice(-2);
  assert.equal(back.reason, 'preempting 10.0.0.2: adverts every 1.39 s, this node every 1.00 s');
  assert.equal(away.reason, '10.0.0.1 is preferred: adverts every 1.00 s, this node every 1.39 s');
  assert.ok(away.at_s - back.at_s < 0.001);
  assert.deepEqual(network.holders(), ['web1']);
});

test('a master that returns without preempt waits until the other goes', () => {
  const network = new Network();
  network.add('web1');
  network.add('web2', { advskew: 100 });
  network.start('web2');
  network.runUntil(10);
  network.start('web1');
  network.runUntil(20);
  assert.deepEqual(network.masters(), ['web2']);
});

test('two vhids, each node MASTER of one; the survivor carries both and gives one back', () => {
  const network = new Network();
  const first = { vhid: 1, addresses: ['10.0.0.101'], preempt: true };
  const second = { vhid: 2, addresses: ['10.0.0.102'], preempt: true };
  network.add('web1', { ...first, advskew: 0 }, { ...second, advskew: 100 });
  network.add('web2', { ...first, advskew: 100 }, { ...second, advskew: 0 });
  network.start();
  network.runUntil(10);
  assert.deepEqual([network.masters(1), network.masters(2)], [['web1'], ['web2']]);
  network.setReachable('web2', false);
  network.event('web2', { kind: 'link', interface: 'eth0', up: false });
  network.runUntil(20);
  assert.deepEqual([network.masters(1), network.masters(2)], [['web1'], ['web1']]);
  network.setReachable('web2', true);
  network.event('web2', { kind: 'link', interface: 'eth0', up: true });
  network.runUntil(30);
  assert.deepEqual([network.masters(1), network.masters(2)], [['web1'], ['web2']]);
  assert.deepEqual(network.holders('10.0.0.102'), ['web2']);
});

test('a demoted master hands over to a healthy peer that does not preempt, and takes nothing back without preempt', () => {
  const network = settledPair({ preempt: false });
  network.event('web1', demote);
  network.runUntil(10.001);
  assert.deepEqual(network.holders(), ['web2']);
  network.event('web1', undemote);
  network.runUntil(30);
  assert.deepEqual(network.masters(), ['web2']);
});

test('a demoted master without anybody to hand over to keeps the address all the time', () => {
  const network = settledPair();
  network.crash('web2');
  network.event('web1', demote);
  network.runUntil(30);
  assert.deepEqual(network.movesOf('web1'), ['INIT -> BACKUP', 'BACKUP -> MASTER']);
});

for (const preempt of [true, false]) {
  test(`two demoted nodes do not flap (preempt ${preempt})`, () => {
    const network = settledPair({ preempt });
    network.event('web1', demote);
    network.runUntil(15);
    assert.deepEqual(network.masters(), ['web2'], 'the healthy one has it');
    const moves = network.moves.length;
    network.event('web2', demote);
    network.runUntil(60);
    assert.equal(network.moves.length, moves, 'and keeps it when it is no better any more');
    assert.deepEqual(network.holders(), ['web2']);
  });
}

test('when the demoted BACKUP recovers, preempt brings the address to it', () => {
  const network = settledPair();
  network.event('web1', demote);
  network.event('web2', demote);
  network.runUntil(20);
  const before = network.masters();
  const other = before[0] === 'web1' ? 'web2' : 'web1';
  network.event(other, undemote);
  network.runUntil(30);
  assert.deepEqual(network.masters(), [other]);
});

for (const together of [true, false]) {
  test(`equal settings come to rest with one MASTER and are diagnosed once by each (started together: ${together})`, () => {
    const network = new Network();
    for (const name of ['web1', 'web2', 'web3']) network.add(name, { preempt: true });
    if (together) network.start();
    else for (const [turn, name] of ['web3', 'web1', 'web2'].entries()) later(network, name, turn * 5);
    network.runUntil(20);
    const moves = network.moves.length;
    network.runUntil(60);
    assert.equal(network.masters().length, 1);
    assert.equal(network.moves.length, moves, 'nothing moves any more');
    for (const name of ['web1', 'web2', 'web3']) {
      const warnings = network.logs.filter((text) => text.startsWith(`${name}: equal settings`)).length;
      assert.ok(warnings <= 1);
    }
    assert.ok(network.logs.some((text) => text.includes('equal settings')));
  });
}

test('two carpools behind virtual MACs do not take each other for kernels: of equals one stays', () => {
  const network = new Network();
  for (const name of ['web1', 'web2']) network.add(name, { advert_mac: 'kernel' });
  network.start();
  network.runUntil(20);
  const moves = network.moves.length;
  network.runUntil(120);
  assert.deepEqual(network.masters(), ['web1']);
  assert.equal(network.moves.length, moves, 'nothing moves any more');
});

function later(network: Network, name: string, at_s: number): void {
  network.runUntil(at_s);
  network.start(name);
}

test('nodes with different passwords ignore each other, count it, and say why', () => {
  const network = new Network();
  network.add('web1');
  network.add('web2', { advskew: 100, key: passwordKey('other') });
  network.start();
  network.runUntil(10);
  assert.deepEqual(network.masters(), ['web1', 'web2']);
  assert.ok(network.engineOf('web2').counters.dropped_digest > 5);
  assert.ok(network.logs.some((text) => text.startsWith('web2: ') && text.includes('does not authenticate')));
});

test('own adverts that the switch sends back are dropped', () => {
  const network = settledPair();
  network.reflecting = true;
  network.runUntil(20);
  assert.deepEqual(network.masters(), ['web1']);
  assert.ok(network.engineOf('web1').counters.dropped_own >= 9);
  assert.equal(network.moves.length, 3);
});

test('a paused master that wakes lets go before it says anything, and takes the address back by preempting', () => {
  const network = settledPair();
  network.pause('web1');
  network.runUntil(16);
  network.resume('web1');
  const woken = network.moves.filter((move) => move.node === 'web1' && move.at_s >= 16);
  assert.deepEqual(
    woken.map((move) => move.to),
    ['BACKUP', 'MASTER'],
  );
  assert.match(woken[0].reason, /^held up for 6\.\d\d s: listening first$/);
  assert.match(woken[1].reason, /^preempting 10\.0\.0\.2/);
  network.runUntil(17);
  assert.deepEqual(network.holders(), ['web1']);
});

test('without preempt a paused master that wakes leaves the address to the one that took it', () => {
  const network = settledPair({ preempt: false });
  network.pause('web1');
  network.runUntil(16);
  network.resume('web1');
  network.runUntil(30);
  assert.deepEqual(network.masters(), ['web2']);
  assert.deepEqual(network.holders(), ['web2']);
});

test('after a split both carry the address; when it heals the slower one lets go with the first advert', () => {
  const network = settledPair();
  network.setReachable('web1', false);
  network.runUntil(20);
  assert.deepEqual(network.masters(), ['web1', 'web2']);
  network.setReachable('web1', true);
  network.runUntil(22);
  assert.deepEqual(network.masters(), ['web1']);
});

test('with three nodes a bow-out ends at the fastest of the others', () => {
  const network = new Network();
  for (const [position, name] of ['web1', 'web2', 'web3'].entries()) network.add(name, { advskew: 50 * position });
  network.start();
  network.runUntil(10);
  network.event('web1', { kind: 'stop', reason: 'SIGTERM' });
  network.runUntil(10.01);
  assert.deepEqual(network.masters(), ['web2']);
  assert.deepEqual(network.holders(), ['web2']);
});

test('the will of a MASTER is a bow-out that a BACKUP believes', () => {
  const network = settledPair({ preempt: false });
  const [frame] = will(network.engineOf('web1'), 0);
  const [other] = will(network.engineOf('web1'), 0);
  assert.notDeepEqual(frame, other, 'every will has its own counter');
  assert.deepEqual([advertIn(frame).advbase, advertIn(frame).advskew, advertIn(frame).demote], [255, 255, 0]);
  network.runUntil(10.5);
  network.crash('web1');
  network.event('web2', { kind: 'frame', interface: 'eth0', bytes: frame, length: frame.length });
  assert.deepEqual(network.masters(), ['web2']);
});
