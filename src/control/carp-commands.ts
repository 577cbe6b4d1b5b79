/** What can be asked about the vhids beside `status`: `explain` and `netstat`. */
import type { CommandContext, ControlCommand, Prepared, Reply } from './commands.ts';
import { type ExplainFacts, explain, renderExplanation } from './explain.ts';
import { findVhid } from './find-vhid.ts';
import { netstatReport, renderNetstat } from './netstat.ts';

export const CARP_COMMANDS: readonly ControlCommand[] = [
  {
    name: 'explain',
    usage: 'explain [VHID] [--json]',
    help: 'why each vhid is in its state, and what would change that',
    prepare(words): Prepared {
      const options = words.filter((word) => word.startsWith('-'));
      const [typed, ...more] = words.filter((word) => !word.startsWith('-'));
      const unknown = options.find((word) => word !== '--json');
      if (unknown !== undefined) return { mistake: `"explain" takes --json, not "${unknown}".` };
      if (more.length > 0)
        return { mistake: `"explain" takes one vhid or none (then every one), not "${more[0]}" as well.` };
      return { run: (context, reply) => answerExplain(typed, options.length > 0, context, reply) };
    },
  },
  {
    name: 'netstat',
    usage: 'netstat [-s] [-p carp] [--json]',
    help: 'counters as netstat of the BSDs prints them, then for each vhid, then who sends what is dropped',
    prepare(words): Prepared {
      const rest = words.filter((word, i) => word !== '-s' && word !== '--json' && !isProtocol(words, i));
      if (rest.length > 0) return { mistake: `"netstat" takes -s, -p carp and --json, not "${rest[0]}".` };
      return { run: (context, reply) => answerNetstat(words.includes('--json'), context, reply) };
    },
  },
];

/** `-p carp`, either word of it. */
function isProtocol(words: readonly string[], i: number): boolean {
  return (words[i] === '-p' && words[i + 1] === 'carp') || (words[i - 1] === '-p' && words[i] === 'carp');
}

async function answerExplain(
  typed: string | undefined,
  json: boolean,
  context: CommandContext,
  reply: Reply,
): Promise<void> {
  const all = await factsOf(context);
  const names = context.names();
  const found =
    typed === undefined
      ? undefined
      : findVhid(
          typed,
          names,
          all.map(({ status }) => status),
        );
  if (found !== undefined && 'mistake' in found) return reply.refuse(found.mistake);
  const facts = found === undefined ? all : all.filter(({ status }) => status.index === found.index);
  if (json) {
    const vhids = facts.map((one) => {
      const { vhid, interface: link, state } = one.status;
      return { name: one.name, vhid, interface: link, state, ...explain(one) };
    });
    return reply.send(`${JSON.stringify({ vhids })}\n`);
  }
  reply.send(facts.map(renderExplanation).join('\n') || 'There are no vhids: no carp section is configured.\n');
}

async function factsOf(context: CommandContext): Promise<ExplainFacts[]> {
  const carp = await context.carp();
  const { ready } = await context.status();
  return (carp?.vhids ?? []).map((status) => {
    const name = context.names()[status.index]!;
    const { orders } = context;
    const demotions = status.demotions.map((one) => ({ ...one, reason: one.reason + orders.remainingOf(one.owner) }));
    return {
      name,
      status: { ...status, demotions },
      link_up: status.link_up,
      ready,
      maintenance: orders.maintenanceOf(name),
      now_ns: carp!.at_ns,
    };
  });
}

async function answerNetstat(json: boolean, context: CommandContext, reply: Reply): Promise<void> {
  const carp = await context.carp();
  if (carp === undefined) return reply.refuse('There are no vhids: no carp section is configured.');
  const report = netstatReport(carp, context.names());
  reply.send(json ? `${JSON.stringify(report)}\n` : renderNetstat(report));
}
