/** `drain`, `maint`, `demote`, and what takes them back: `ready`, `undemote`. */
import type { VhidStatus } from '../carp/events.ts';
import type { CommandContext, ControlCommand, Prepared, Reply, Run } from './commands.ts';
import { findVhid } from './find-vhid.ts';
import { DRAIN_AMOUNT, describeOrder, type OrderKind } from './order.ts';
import { type OrderWords, parseOrderWords } from './order-words.ts';

/** How long an answer waits for somebody else to take an address that was given up; a bow-out takes milliseconds. */
const SETTLE_MS = 2_000;
const POLL_MS = 50;

const TIMED = '[VHID] [--for 10m] [--reason TEXT] [--json]';

export const ORDER_COMMANDS: readonly ControlCommand[] = [
  command('drain', TIMED, 'give addresses to whoever else is there; serve on as long as nobody is', give),
  command('maint', TIMED, 'out of service: give addresses up and take none, even when nobody else is there', give),
  command('demote', `AMOUNT ${TIMED}`, 'be less preferred by 1 to 240', give),
  command('undemote', '[VHID] [--json]', 'take "demote" back', lift(['demote'])),
  command('ready', '[VHID] [--json]', 'take "drain" and "maint" back', lift(['drain', 'maint'])),
];

type Carry = (name: string, words: OrderWords) => Run;

function command(name: string, usage: string, help: string, carry: Carry): ControlCommand {
  return {
    name,
    usage: `${name} ${usage}`,
    help,
    prepare(words): Prepared {
      const parsed = parseOrderWords(name, words);
      return 'mistake' in parsed ? parsed : { run: carry(name, parsed) };
    },
  };
}

function give(name: string, words: OrderWords): Run {
  return async (context, reply, caller) => {
    const before = await vhidsOf(context);
    const target = resolveTarget(words.target, before, context);
    if ('mistake' in target) return reply.refuse(target.mistake);
    if (before.length === 0) return reply.refuse('There are no vhids: no carp section is configured.');
    const { orders } = context;
    const kind = name as OrderKind;
    const since_ms = orders.now_ms();
    const order = {
      kind,
      target: target.name,
      amount: kind === 'drain' ? DRAIN_AMOUNT : words.amount,
      by: caller.user,
      reason: words.reason,
      since_ms,
      until_ms: words.for_ms === undefined ? undefined : since_ms + words.for_ms,
    };
    orders.give(order);
    const undo = `"carpool ${[kind === 'demote' ? 'undemote' : 'ready', target.name ?? ''].join(' ').trim()}" takes it back.`;
    const lines = [`${capital(describeOrder(order, since_ms))}.`, undo];
    await answer(context, reply, words, before, lines, order.amount);
  };
}

function lift(kinds: readonly OrderKind[]): Carry {
  return (name, words) => async (context, reply, caller) => {
    const before = await vhidsOf(context);
    const target = resolveTarget(words.target, before, context);
    if ('mistake' in target) return reply.refuse(target.mistake);
    const { orders } = context;
    const ended = orders.lift(kinds, target.name, caller.user);
    const whole = orders.list.find((order) => kinds.includes(order.kind) && order.target === undefined);
    if (ended.length === 0 && target.name !== undefined && whole !== undefined) {
      return reply.refuse(`The ${whole.kind} is of the whole node; "carpool ${name}" without a vhid ends it.`);
    }
    const nothing = `Nothing to take back: there is no ${kinds.join(' or ')} of ${target.name ?? 'any vhid'}.`;
    const lines = ended.map((order) => `The ${order.kind} of ${order.target ?? 'all vhids'} (${order.by}) is over.`);
    await answer(context, reply, words, before, lines.length > 0 ? lines : [nothing]);
  };
}

/** What was done, and what became of each address that this node held. */
async function answer(
  context: CommandContext,
  reply: Reply,
  { json }: OrderWords,
  before: readonly VhidStatus[],
  lines: readonly string[],
  /** A MASTER that is demoted by less has nothing to wait for, and none has when an order is taken back. */
  demotion_min: number = Number.POSITIVE_INFINITY,
): Promise<void> {
  const masters = before.filter(({ state }) => state === 'MASTER');
  let after = await vhidsOf(context);
  const now = (index: number) => after.find((one) => one.index === index);
  const concerned = masters.filter(({ index }) => !isUntouched(now(index), demotion_min));
  const settled = async () => {
    after = await vhidsOf(context);
    return concerned.every(({ index }) => now(index)?.state !== 'MASTER' && now(index)?.master !== undefined);
  };
  if (concerned.length > 0) await waitFor(settled, SETTLE_MS);
  if (json) {
    const vhids = after.map(({ index, state, master }) => ({
      name: context.names()[index],
      state,
      master: master ?? null,
    }));
    reply.send(`${JSON.stringify({ orders: context.orders.report(), vhids })}\n`);
    return;
  }
  const outcomes = concerned.map(({ index }) => `${context.names()[index]}: ${outcome(now(index))}`);
  reply.send([...lines, ...outcomes, ''].join('\n'));
}

/** Neither demoted nor out of service, so nothing is to be waited for. */
function isUntouched(vhid: VhidStatus | undefined, demotion_min: number): boolean {
  return vhid === undefined || (vhid.state === 'MASTER' && vhid.demotion < Math.max(demotion_min, 1));
}

function outcome(vhid: VhidStatus | undefined): string {
  const { state, master, demotion } = vhid ?? { state: 'INIT', master: undefined, demotion: 0 };
  if (state === 'MASTER' && demotion < DRAIN_AMOUNT)
    return 'still MASTER: no other node is preferred to it now and has preempt ("carpool drain" moves it in any case).';
  if (state === 'MASTER') return 'nobody took it over, so this node goes on serving it.';
  if (master !== undefined) return `${master} is MASTER now.`;
  if (state === 'BACKUP') return 'given up; no other MASTER was heard yet.';
  return 'given up, and NOBODY TOOK IT OVER: the address is not served.';
}

/** `web`, `1` or `1@eth0` -> the section's name. */
function resolveTarget(
  typed: string | undefined,
  vhids: readonly VhidStatus[],
  context: CommandContext,
): { readonly name: string | undefined } | { readonly mistake: string } {
  if (typed === undefined) return { name: undefined };
  const found = findVhid(typed, context.names(), vhids);
  return 'mistake' in found ? found : { name: context.names()[found.index]! };
}

async function vhidsOf(context: CommandContext): Promise<readonly VhidStatus[]> {
  return (await context.carp())?.vhids ?? [];
}

async function waitFor(holds: () => Promise<boolean>, timeout_ms: number): Promise<void> {
  const end_ms = performance.now() + timeout_ms;
  while (!(await holds()) && performance.now() < end_ms) {
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
