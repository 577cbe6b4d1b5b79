/** Pages that clients of data threads ask main for: statistics in their forms, and metrics. */
import type { PageQuestion, PageReply } from '../proxy/http/page.ts';
import { type Daemon, logLine } from './daemon-state.ts';
import { describeError } from './end.ts';
import type { Generation } from './generation.ts';
import { runtimeOf } from './run-statistics.ts';
import { actOnServers } from './stats/page-actions.ts';
import { pageBody } from './stats/page-body.ts';
import { httpReply, refuseLook } from './stats/page-reply.ts';
import { renderMetrics } from './stats/prometheus.ts';
import { viewOf } from './stats/view.ts';

const STATUS_MS = 500;
const NO_FAIL = () => undefined;

/** Never throws: a client waits. */
export async function answerPage(daemon: Daemon, number: number, question: PageQuestion): Promise<PageReply> {
  try {
    const generation = [daemon.generation, ...daemon.draining].find((each) => each.number === number);
    if (generation === undefined) return httpReply(question, 503, 'text/plain', 'This configuration is gone.\n');
    return await write(daemon, generation, question);
  } catch (error) {
    logLine(daemon.events, 'error', `a page failed: ${describeError(error).replaceAll(/\s*\n\s*/g, ' ')}`);
    return httpReply(question, 500, 'text/plain', 'This page failed; the log of carpool says why.\n');
  }
}

async function write(daemon: Daemon, generation: Generation, question: PageQuestion): Promise<PageReply> {
  const runtime = runtimeOf(daemon, NO_FAIL);
  const view = viewOf(generation);
  const carp = (await daemon.carp?.status(STATUS_MS))?.vhids ?? [];
  const vhids = carp.map((vhid) => {
    const configured = daemon.node.slots[vhid.index];
    const addresses = (configured?.addresses ?? []).map(({ address, prefix_length }) => `${address}/${prefix_length}`);
    return { ...vhid, name: configured?.name ?? '', addresses };
  });
  if (question.page === 'metrics') {
    const text = renderMetrics(view, runtime.facts(), vhids, question.target);
    if (text === undefined) return httpReply(question, 400, 'text/plain', 'There is no such scope.\n');
    return httpReply(question, 200, 'text/plain; version=0.0.4', text);
  }
  const { proxy, of_backend } = question;
  const config = of_backend
    ? view.proxies.find(({ name, backend }) => backend && name === proxy)?.backend?.config
    : view.proxies.find(({ name, frontend }) => frontend && name === proxy)?.frontend?.config;
  const stats = config?.stats;
  if (stats === undefined) return httpReply(question, 404, 'text/plain', 'There is no page here.\n');
  const refusal = refuseLook(stats, question);
  if (refusal) return refusal;
  if (question.method === 'POST') return actOnServers(runtime, view, stats, question);
  const { type, text } = pageBody(view, runtime.facts(), vhids, stats, question);
  return httpReply(question, 200, type, text, stats.refresh_s);
}
