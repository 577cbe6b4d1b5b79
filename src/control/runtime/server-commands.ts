/**
 * `set server`, `enable server`, `set weight` …: with the sentences that HAProxy has for them. Some of its sentences end without an
 * end of line, and so do ours.
 */
import { isIP } from 'node:net';
import { viewOf } from '../stats/view.ts';
import { ServerChange } from './change-server.ts';
import { disableAgent, disableHealth, enableAgent, enableHealth } from './check-switch.ts';
import type { RuntimeCommand, RuntimeDaemon } from './command.ts';
import { findServer } from './lookup.ts';

export const SERVER_COMMANDS: readonly RuntimeCommand[] = [
  {
    words: ['set', 'server'],
    usage: 'set server <backend>/<server> <what> <value>',
    help: 'change state, weight, health, agent, addr, check-port, check-addr, agent-port, agent-addr or agent-send',
    level: 'admin',
    run: ([name, what, ...values], daemon) => change(daemon, name, (server) => setServer(server, what, values)),
  },
  ofServer('enable server', 'take a server out of maintenance', (server) => done(() => server.setState('ready'))),
  ofServer('disable server', 'set a server to maintenance', (server) => done(() => server.setState('maint'))),
  ofServer('disable health', "stop a server's health checks", disableHealth),
  ofServer('enable health', "go on with a server's health checks", enableHealth),
  ofServer('disable agent', "stop a server's agent checks", disableAgent),
  ofServer('enable agent', "go on with a server's agent checks", enableAgent),
  {
    words: ['set', 'weight'],
    usage: 'set weight <backend>/<server> <weight>[%]',
    help: "change a server's weight, percent being of the configured one",
    level: 'admin',
    run: ([name, weight], daemon) => change(daemon, name, (server) => setWeight(server, weight)),
  },
  {
    words: ['get', 'weight'],
    usage: 'get weight <backend>/<server>',
    help: "a server's weight, and the configured one",
    level: 'user',
    run: ([name], daemon) => change(daemon, name, (server) => `${server.weight} (initial ${server.config.weight})\n`),
  },
  {
    words: ['set', 'maxconn', 'server'],
    usage: 'set maxconn server <backend>/<server> <number>',
    help: 'change how many requests a server gets at once',
    level: 'admin',
    run: ([name, number], daemon) =>
      change(daemon, name, (server) => {
        if (number === undefined) return 'Require <maxconn>.\n';
        if (!/^\d/.test(number)) return 'maxconn string empty or preceded by garbage';
        if (!/^\d+$/.test(number)) return 'Trailing garbage in maxconn string';
        return done(() => server.setMaxconn(Number(number)));
      }),
  },
];

function ofServer(words: string, help: string, act: (server: ServerChange) => string): RuntimeCommand {
  return {
    words: words.split(' '),
    usage: `${words} <backend>/<server>`,
    help,
    level: 'admin',
    run: ([name], daemon) => change(daemon, name, act),
  };
}

function change(daemon: RuntimeDaemon, name: string | undefined, act: (server: ServerChange) => string): string {
  const found = findServer(viewOf(daemon.generation()).proxies, name);
  if (typeof found === 'string') return found;
  return act(new ServerChange(daemon, found));
}

function done(act: () => void): string {
  act();
  return '';
}

const USAGE =
  'usage: set server <backend>/<server> addr | agent | agent-addr | agent-port | agent-send | check-addr | check-port | ' +
  'fqdn | health | ssl | state | weight\n';

function setServer(server: ServerChange, what: string | undefined, values: readonly string[]): string {
  const value = values[0] ?? '';
  switch (what) {
    case 'weight':
      return setWeight(server, values[0]);
    case 'state':
      if (value === 'ready' || value === 'drain' || value === 'maint') return done(() => server.setState(value));
      return "'set server <srv> state' expects 'ready', 'drain' and 'maint'.\n";
    case 'health':
      if (server.config.track) return 'cannot change health on a tracking server.\n';
      if (value === 'up' || value === 'stopping' || value === 'down') return done(() => server.setHealth(value));
      return "'set server <srv> health' expects 'up', 'stopping', or 'down'.\n";
    case 'agent':
      if (!server.config.agent) return 'agent checks are not enabled on this server.\n';
      if (value === 'up' || value === 'down') return done(() => server.setAgent(value));
      return "'set server <srv> agent' expects 'up' or 'down'.\n";
    case 'addr':
      return setAddress(server, values);
    case 'check-port':
    case 'check-addr':
      return setCheckPlace(server, what, values);
    case 'agent-port':
    case 'agent-addr':
    case 'agent-send':
      return setAgentPlace(server, what, values);
    case 'fqdn':
      return 'set server <b>/<s> fqdn failed because no resolution is configured.\n';
    case 'ssl':
      return "'set server <srv> ssl' cannot be set.  default-server should define ssl settings\n";
    default:
      return USAGE;
  }
}

const MOST_WEIGHT = 256;
const MOST_PORT = 65_535;

function setWeight(server: ServerChange, word: string | undefined): string {
  if (word === undefined) return 'Require <weight> or <weight%>.\n';
  if (!/^-?\d/.test(word)) return 'Empty weight string empty or preceded by garbage';
  if (!/^-?\d+%?$/.test(word)) return 'Trailing garbage in weight string';
  const number = Number.parseInt(word, 10);
  const relative = word.endsWith('%');
  if (relative && number < 0) return 'Relative weight must be positive.\n';
  const weight = relative ? Math.min(MOST_WEIGHT, Math.floor((server.config.weight * number) / 100)) : number;
  if (weight < 0 || weight > MOST_WEIGHT) return 'Absolute weight can only be between 0 and 256 inclusive.\n';
  return done(() => server.setWeight(weight));
}

/** `addr 10.0.0.7 port 8080` */
function setAddress(server: ServerChange, [address, word, port_text]: readonly string[]): string {
  const before = server.endpoint;
  if (address === undefined) return 'set server <b>/<s> addr requires an address and optionally a port.\n';
  if (isIP(address) === 0) return `Invalid addr '${address}' by 'stats socket command'\n`;
  const moves = address !== before.address;
  const told = [moves ? `IP changed from '${before.address}' to '${address}'` : 'no need to change the addr'];
  let { port } = before;
  if (word === 'port') {
    const wanted = /^\d+$/.test(port_text ?? '') ? Number(port_text) : Number.NaN;
    if (/^[+-]\d+$/.test(port_text ?? '')) told.push(NO_PORT_MAP);
    else if (Number.isNaN(wanted)) told.push(`problem converting port '${port_text ?? ''}' to an int`);
    else if (wanted > MOST_PORT) told.push('provided port is not valid');
    else if (wanted === port) told.push('no need to change the port');
    else told.push(`port changed from '${port}' to '${wanted}'`);
    if (wanted <= MOST_PORT) port = wanted;
  }
  // as HAProxy: the address changes even where the port cannot
  if (moves || port !== before.port) server.moveTo({ address, port });
  return `${told.join(', ')} by 'stats socket command'\n`;
}

/** `+10`: the client's port and 10 more. */
const NO_PORT_MAP =
  "can't change <port> to port map because it is incompatible with current health check port configuration (use 'port' " +
  "statement from the 'server' directive.";

function setCheckPlace(server: ServerChange, what: 'check-port' | 'check-addr', values: readonly string[]): string {
  const { check } = server.config;
  if (!check) return 'health checks are not enabled on this server';
  const endpoint = placeFrom(check.endpoint ?? { address: '', port: 0 }, what, values);
  if (typeof endpoint === 'string') return endpoint;
  return done(() => server.setChecks({ check: { ...check, endpoint } }, `is checked at ${what} ${values.join(' ')}`));
}

function setAgentPlace(
  server: ServerChange,
  what: 'agent-port' | 'agent-addr' | 'agent-send',
  values: readonly string[],
): string {
  const { agent } = server.config;
  if (!agent) return `agent checks are not enabled on this server${what === 'agent-send' ? '.\n' : ''}`;
  const changed = what === 'agent-send' ? { ...agent, send: values[0] ?? '' } : placeFrom(agent, what, values);
  if (typeof changed === 'string') return changed;
  return done(() => server.setChecks({ agent: changed }, `has ${what} ${values.join(' ')}`));
}

/** `check-port PORT` or `check-addr ADDRESS [port PORT]`, and the same of agents; or HAProxy's sentence about what is wrong. */
function placeFrom<T extends { readonly address: string; readonly port: number }>(
  place: T,
  what: string,
  [value, word, port_text]: readonly string[],
): T | string {
  const is_port = what.endsWith('-port');
  if (value === undefined)
    return `set server <b>/<s> ${what} requires ${is_port ? 'a port' : 'an address and optionally a port'}.\n`;
  if (is_port) return withPort(place, value) ?? wrongPort(value);
  if (isIP(value) === 0) return `invalid addr '${value}'`;
  const moved = { ...place, address: value };
  return word === 'port' ? (withPort(moved, port_text ?? '') ?? wrongPort(port_text ?? '')) : moved;
}

function wrongPort(text: string): string {
  return /^-?\d+$/.test(text) ? 'provided port is invalid' : 'provided port is not an integer';
}

function withPort<T extends { readonly port: number }>(place: T, text: string): T | undefined {
  const port = Number(text);
  return Number.isInteger(port) && port > 0 && port <= 65_535 ? { ...place, port } : undefined;
}
