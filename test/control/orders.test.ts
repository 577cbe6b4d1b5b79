/** What people order: its words, and what becomes of it. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { joinWords, splitWords } from '#src/control/command-words.js';
import { findVhid } from '#src/control/find-vhid.js';
import type { Order } from '#src/control/order.js';
import { readOrders, writeOrders } from '#src/control/order-file.js';
import { parseOrderWords, parseTime_ms } from '#src/control/order-words.js';
import { createOrders, type Orders } from '#src/control/orders.js';
import type { ToCarp } from '#src/threads/carp-messages.js';

const NAMES = ['web', 'mail'];

function orderOf(fields: Partial<Order>): Order {
  const common = { target: undefined, amount: 240, by: 'alice', reason: '', since_ms: 1000, until_ms: undefined };
  return { kind: 'drain', ...common, ...fields };
}

function create(t: TestContext, kept: readonly Order[] = []) {
  t.mock.timers.enable({ apis: ['setTimeout', 'Date'], now: 1000 });
  const posted: ToCarp[] = [];
  const logged: string[] = [];
  const stored: (readonly Order[])[] = [];
  const orders: Orders = createOrders(
    {
      names: () => NAMES,
      post: (message) => posted.push(message),
      log: (text) => logged.push(text),
      store: (list) => stored.push(list),
      now_ms: () => Date.now(),
    },
    kept,
  );
  return { orders, posted, logged, stored };
}

test('a drain demotes every vhid, and "ready" takes exactly that back', (t) => {
  const { orders, posted, stored } = create(t);
  orders.give(orderOf({ reason: 'moving' }));
  assert.deepEqual(posted, [{ kind: 'demote', owner: 'drain by alice', amount: 240, reason: 'moving' }]);
  assert.equal(stored.at(-1)!.length, 1);
  assert.equal(orders.lift(['drain', 'maint'], undefined, 'bob').length, 1);
  assert.deepEqual(posted.at(-1), { kind: 'undemote', owner: 'drain by alice' });
  assert.deepEqual(stored.at(-1), []);
});

test('an order expires by itself, and says so', (t) => {
  const { orders, posted, logged } = create(t);
  orders.give(orderOf({ kind: 'demote', amount: 100, target: 'mail', until_ms: 61_000 }));
  assert.equal(orders.report()[0]!.remaining_s, 60);
  assert.equal(orders.remainingOf('demote by alice'), '; ends by itself in 1 min 0 s');
  t.mock.timers.tick(59_000);
  assert.equal(orders.list.length, 1);
  t.mock.timers.tick(1_000);
  assert.deepEqual(posted.at(-1), { kind: 'undemote', owner: 'demote by alice', index: 1 });
  assert.equal(orders.list.length, 0);
  assert.equal(logged.at(-1), 'demote of mail is over: its time has passed');
});

test('another person replaces an order, and the node is never seen without a demotion between the two', (t) => {
  const { orders, posted } = create(t);
  orders.give(orderOf({ kind: 'demote', amount: 100 }));
  orders.give(orderOf({ kind: 'demote', amount: 50, by: 'bob' }));
  assert.deepEqual(
    posted.map((message) => [message.kind, 'owner' in message ? message.owner : '']),
    [
      ['demote', 'demote by alice'],
      ['demote', 'demote by bob'],
      ['undemote', 'demote by alice'],
    ],
  );
  assert.equal(orders.list.length, 1);
});

test('a vhid stays in maintenance while any order says so', (t) => {
  const { orders, posted } = create(t);
  const last = () =>
    posted
      .filter((message) => message.kind === 'maintenance')
      .slice(-2)
      .map(({ reason }) => reason);
  orders.give(orderOf({ kind: 'maint', amount: 0, reason: 'new disks' }));
  orders.give(orderOf({ kind: 'maint', amount: 0, target: 'web' }));
  assert.deepEqual(last(), [
    'in maintenance: ordered by alice (new disks)',
    'in maintenance: ordered by alice (new disks)',
  ]);
  orders.lift(['maint'], 'web', 'alice');
  assert.deepEqual(last(), [
    'in maintenance: ordered by alice (new disks)',
    'in maintenance: ordered by alice (new disks)',
  ]);
  orders.lift(['maint'], undefined, 'alice');
  assert.deepEqual(last(), [undefined, undefined]);
});

test('orders of an earlier run hold on, but for those that expired or name no vhid any more', (t) => {
  const kept = [orderOf({}), orderOf({ kind: 'maint', until_ms: 999 }), orderOf({ kind: 'demote', target: 'gone' })];
  const { orders, posted, logged } = create(t, kept);
  assert.deepEqual(
    orders.list.map(({ kind }) => kind),
    ['drain'],
  );
  assert.equal(posted.length, 1);
  assert.match(logged[0]!, /^drain of all vhids, ordered by alice \(still in force\)$/);
});

test('the file of orders gives back what was written, and survives an editor', (t) => {
  const directory = mkdtempSync('/tmp/carpool-orders-');
  t.after(() => rmSync(directory, { recursive: true }));
  const path = join(directory, 'carpool.orders');
  const order = orderOf({ kind: 'maint', amount: 0, target: 'web', until_ms: 5000 });
  assert.equal(writeOrders(path, [order]), undefined);
  assert.deepEqual(readOrders(path), [order]);
  writeFileSync(path, `${JSON.stringify(order)}\nnonsense\n{"kind":"maint"}\n{"kind":"demote","amount":9999}\n`);
  assert.deepEqual(readOrders(path), [order]);
  writeOrders(path, []);
  assert.deepEqual(readOrders(path), []);
  assert.equal(writeOrders(join(directory, 'nowhere', 'x'), [order]), 'ENOENT');
});

test('the words of an order are checked, each mistake with a sentence', () => {
  const parse = (line: string) => {
    const [command = '', ...words] = splitWords(line) as string[];
    const parsed = parseOrderWords(command, words);
    return 'mistake' in parsed ? parsed.mistake : parsed;
  };
  assert.deepEqual(parse('demote 100 web --for 10m --reason "moving the rack"'), {
    target: 'web',
    amount: 100,
    for_ms: 600_000,
    reason: 'moving the rack',
    json: false,
  });
  assert.equal(parse('demote'), '"demote" wants to know by how much: demote 100 [VHID] [--for 10m].');
  assert.equal(parse('demote web'), '"demote" wants a number from 1 to 240 first, and "web" is none.');
  assert.equal(parse('demote 241'), '"demote" wants a number from 1 to 240 first, and "241" is none.');
  assert.equal(parse('drain --for 10'), '--for wants a time of 1 s to 24 d such as 30s, 10m, 2h or 1d, not "10".');
  assert.equal(parse('drain --for'), '--for wants a time of 1 s to 24 d such as 30s, 10m, 2h or 1d.');
  assert.equal(parse('drain web mail'), '"drain" takes one vhid or none (then every one), not "mail" as well.');
  assert.equal(parse('ready --for 3s'), '"ready" takes --json, not "--for".');
  assert.equal(parse('maint --now'), '"maint" takes --for, --reason and --json, not "--now".');
  assert.equal(parse('maint --reason'), '--reason wants a text after it.');
});

test('times have a unit, and a least and a most', () => {
  assert.deepEqual(['90s', '1d', '24d'].map(parseTime_ms), [90_000, 86_400_000, 24 * 86_400_000]);
  assert.deepEqual(['', '0s', '25d', '10', '-1s', '1w', '1.5h'].map(parseTime_ms), Array(7).fill(undefined));
});

test('a line and its words are the same thing', () => {
  for (const words of [['demote', '100'], ['a b', 'c"d', 'e\\f'], ['', 'x'], ["it's"]]) {
    assert.deepEqual(splitWords(joinWords(words)), words);
  }
  assert.deepEqual(splitWords('  status   --json '), ['status', '--json']);
  assert.ok('mistake' in splitWords('demote "no end'));
  assert.deepEqual(splitWords(joinWords(['two\nlines'])), ['two lines']);
});

test('a vhid is meant by its name, its number, or number and interface', () => {
  const vhids = [
    { index: 0, vhid: 1, interface: 'eth0' },
    { index: 1, vhid: 1, interface: 'eth1' },
    { index: 2, vhid: 7, interface: 'eth1' },
  ];
  const find = (typed: string) => findVhid(typed, ['web', 'mail', '7up'], vhids);
  assert.deepEqual([find('mail'), find('7'), find('1@eth0')], [{ index: 1 }, { index: 2 }, { index: 0 }]);
  const list = 'web (1@eth0), mail (1@eth1), 7up (7@eth1)';
  assert.deepEqual(find('1'), { mistake: `There is a vhid 1 on several interfaces; this node has ${list}.` });
  assert.deepEqual(find('9'), { mistake: `There is no vhid "9"; this node has ${list}.` });
});
