/** `carpool workers`: the configurations that serve somebody, and what the earlier ones wait for. */
import { now_ms31, now_ns } from '../system/clock.ts';
import type { Daemon } from './daemon-state.ts';
import { formatAge } from './format-age.ts';
import { countClients, type Generation, oldestClient_ms31 } from './generation.ts';

const WRAP = 0x7fffffff;

export function describeWorkers(daemon: Daemon): string {
  const lines = [...daemon.draining, daemon.generation].map((generation) => describe(generation, daemon));
  return `${lines.join('\n')}\n`;
}

function describe(generation: Generation, daemon: Daemon): string {
  const { number, config, started_ns, replaced_ns } = generation;
  const clients = `${countClients(generation)} clients`;
  const age = (since_ns: number) => formatAge((now_ns() - since_ns) / 1e9);
  const files = config.files.join(' ');
  if (replaced_ns < 0) return `configuration ${number} holds since ${age(started_ns)}, ${clients}: ${files}`;
  const oldest_ms = oldestClient_ms31(generation);
  const oldest =
    oldest_ms === undefined ? '' : `, the oldest for ${formatAge(((now_ms31() - oldest_ms) & WRAP) / 1000)}`;
  const limit_ms = daemon.generation.config.global.hard_stop_after_ms;
  const left_s = limit_ms === undefined ? undefined : limit_ms / 1000 - (now_ns() - replaced_ns) / 1e9;
  const until = left_s === undefined ? 'no limit' : `${formatAge(Math.max(0, left_s))} left`;
  return `configuration ${number} was replaced ${age(replaced_ns)} ago and waits for ${clients}${oldest} (hard-stop-after: ${until})`;
}
