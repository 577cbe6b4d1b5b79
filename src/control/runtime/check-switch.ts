/** Checks that people stop and let go on: they are taken out of a server, and kept for the day they are wanted again. */
import type { AgentCheck, ServerCheck } from '../../config/model.ts';
import type { ServerChange } from './change-server.ts';

const stopped_checks = new WeakMap<object, ServerCheck>();
const stopped_agents = new WeakMap<object, AgentCheck>();

/** HAProxy's sentence about what cannot be; ''. The same holds for the others. */
export function disableHealth(server: ServerChange): string {
  const { check } = server.config;
  if (!check) return '';
  stopped_checks.set(server.config, check);
  server.setChecks({ check: undefined }, 'is checked no longer');
  return '';
}

export function enableHealth(server: ServerChange): string {
  if (server.config.check) return '';
  const check = stopped_checks.get(server.config);
  if (!check) return 'Health check was not configured on this server, cannot enable.\n';
  server.setChecks({ check }, 'is checked again');
  return '';
}

export function disableAgent(server: ServerChange): string {
  const { agent } = server.config;
  if (!agent) return '';
  stopped_agents.set(server.config, agent);
  server.setChecks({ agent: undefined }, 'has no agent any more');
  return '';
}

export function enableAgent(server: ServerChange): string {
  if (server.config.agent) return '';
  const agent = stopped_agents.get(server.config);
  if (!agent) return 'Agent was not configured on this server, cannot enable.\n';
  server.setChecks({ agent }, 'has its agent again');
  return '';
}
