/**
 * What `show servers state` wrote before a restart (management.txt 9.3), for servers to begin with. HAProxy's files and ours are the
 * same: a line `1`, comments, and a line of fields for each server.
 *
 *   be_id be_name srv_id srv_name srv_addr srv_op_state srv_admin_state srv_uweight srv_iweight … srv_fqdn srv_port …
 *   0     1       2      3        4        5            6               7           8             17       18
 *
 * What the configuration says anew counts more: a weight holds while the configured one is what it was, a maintenance or drain
 * while the line is `disabled` or not as it was, and up or down at the same address (carryOver() in server-table.ts).
 */
import { closeSync, fstatSync, openSync, readFileSync } from 'node:fs';
import { isAbsolute, join } from 'node:path';
import { type Diagnostic, NOWHERE } from '../config/diagnostic.ts';
import type { Backend, Config, Server } from '../config/model.ts';
import {
  ADMIN_DRAIN,
  ADMIN_MAINTENANCE,
  SERVER_AGENT_HEALTH,
  SERVER_DOWN,
  SERVER_HEALTH,
  SERVER_OPERATIONAL,
  SERVER_STOPPING,
  SERVER_UP,
} from '../threads/shared-memory.ts';
import { type KnownServers, NOTHING_SAID, type ServerState } from './server-table.ts';

const LARGEST_FILE_BYTES = 16 * 2 ** 20;
const FEWEST_FIELDS = 20;
const VERSION = '1';

const FORCED_MAINTENANCE = 0x01;
const CONFIGURED_MAINTENANCE = 0x04;
const FORCED_DRAIN = 0x08;
/** Forced, inherited, configured, or without an address. */
const ANY_MAINTENANCE = 0x27;

/** One line, of a server that need not exist any more. */
export type SavedServer = {
  readonly backend: string;
  readonly server: string;
  /** '' when it had none. */
  readonly address: string;
  readonly port: number;
  /** Its name, where it had one; else undefined. */
  readonly host: string | undefined;
  /** 0 down, 1 starting, 2 up, 3 up, but without new clients. */
  readonly operational: number;
  readonly administrative: number;
  readonly weight: number;
  readonly configured_weight: number;
};

/** `bad_lines`: the numbers of lines that are none. Undefined: it is no such file. */
export type SavedServers = { readonly servers: readonly SavedServer[]; readonly bad_lines: readonly number[] };

/** The states of all servers whose backends want them. What cannot be read is a warning: then servers begin as without. */
export function loadServerStates(config: Config): { known: KnownServers; diagnostics: readonly Diagnostic[] } {
  const diagnostics: Diagnostic[] = [];
  const files = new Map<string, SavedServers | undefined>();
  const read = (path: string, span: Diagnostic['span']) => {
    if (!files.has(path)) files.set(path, readStates(path, span, diagnostics));
    return files.get(path);
  };
  const states = new Map<string, ServerState>();
  for (const backend of config.backends) {
    const path = pathOf(backend, config);
    const saved = path && read(path, backend.spans['states_from'] ?? NOWHERE);
    for (const server of saved ? backend.servers : []) {
      const line = lineOf(backend, server, saved as SavedServers);
      if (line) states.set(`${backend.name}/${server.name}`, stateOf(server, line));
    }
  }
  return { known: { stateOf: (backend, server) => states.get(`${backend}/${server}`) }, diagnostics };
}

export function parseServerStates(text: string): SavedServers | undefined {
  const [version, ...lines] = text.split('\n');
  if (version?.trim() !== VERSION) return undefined;
  const servers: SavedServer[] = [];
  const bad_lines: number[] = [];
  for (const [index, line] of lines.entries()) {
    if (line.trim() === '' || line.startsWith('#')) continue;
    const saved = parseLine(line.trim().split(/\s+/));
    if (saved) servers.push(saved);
    else bad_lines.push(index + 2);
  }
  return { servers, bad_lines };
}

function parseLine(fields: readonly string[]): SavedServer | undefined {
  if (fields.length < FEWEST_FIELDS) return undefined;
  const number = (index: number, most: number) =>
    /^\d{1,10}$/.test(fields[index]) && Number(fields[index]) <= most ? Number(fields[index]) : -1;
  const operational = number(5, 3);
  const administrative = number(6, 0x7f);
  const [weight, configured_weight] = [number(7, 256), number(8, 256)];
  const port = number(18, 65_535);
  if ([operational, administrative, weight, configured_weight, port].includes(-1)) return undefined;
  const [, backend, , server, address] = fields;
  return {
    backend,
    server,
    address: address === '-' ? '' : address,
    port,
    host: fields[17] === '-' ? undefined : fields[17],
    operational,
    administrative,
    weight,
    configured_weight,
  };
}

function pathOf({ name, states_from, states_file }: Backend, { global }: Config): string | undefined {
  const file = states_from === 'local' ? (states_file ?? name) : global.server_state_file;
  if (states_from === undefined || file === undefined) return undefined;
  return isAbsolute(file) ? file : join(global.server_state_base ?? '.', file);
}

function lineOf(backend: Backend, { name }: Server, { servers }: SavedServers): SavedServer | undefined {
  return servers.find((saved) => saved.backend === backend.name && saved.server === name);
}

function stateOf(server: Server, saved: SavedServer): ServerState {
  const was_disabled = (saved.administrative & CONFIGURED_MAINTENANCE) !== 0;
  const maintenance = (saved.administrative & FORCED_MAINTENANCE) !== 0 ? ADMIN_MAINTENANCE : 0;
  // a weight of 0 says the same, and may have changed
  const by_weight = saved.configured_weight === 0 && server.weight !== 0;
  const drain = (saved.administrative & FORCED_DRAIN) !== 0 && !by_weight ? ADMIN_DRAIN : 0;
  const { check } = server;
  // a server in maintenance is called down, whatever its checks said before
  const is_down = saved.operational === 0 && (saved.administrative & ANY_MAINTENANCE) === 0;
  const words = new Map([
    [SERVER_OPERATIONAL, is_down ? SERVER_DOWN : saved.operational === 3 ? SERVER_STOPPING : SERVER_UP],
    [SERVER_HEALTH, is_down || check === undefined ? 0 : check.rise + check.fall - 1],
    [SERVER_AGENT_HEALTH, 1],
  ]);
  return {
    config: { ...server, host: saved.host ?? server.host, weight: saved.configured_weight, disabled: was_disabled },
    endpoint: { address: saved.address, port: saved.port },
    origin: 'last',
    administrative: maintenance | drain,
    weight: saved.weight,
    reason: is_down ? 'the server state file says that it is down' : 'the server state file says that it is up',
    last_check: NOTHING_SAID,
    word: (word) => words.get(word) ?? 0,
  };
}

function readStates(path: string, span: Diagnostic['span'], diagnostics: Diagnostic[]): SavedServers | undefined {
  const warn = (message: string) => {
    diagnostics.push({ severity: 'warning', code: 'no-server-states', message, span });
    return undefined;
  };
  const text = readText(path);
  if (typeof text !== 'string')
    return warn(`The states of servers in ${path} cannot be read (${text.problem}): they begin as without it.`);
  const saved = parseServerStates(text);
  if (saved === undefined)
    return warn(`${path} is not what \`show servers state\` writes: it does not begin with a line \`1\`.`);
  const [first] = saved.bad_lines;
  if (first !== undefined)
    warn(`${path} has ${saved.bad_lines.length} lines that are no server's state, the first is line ${first}.`);
  return saved;
}

function readText(path: string): string | { readonly problem: string } {
  let fd: number | undefined;
  try {
    fd = openSync(path, 'r');
    const { size } = fstatSync(fd);
    return size > LARGEST_FILE_BYTES ? { problem: 'it is too large' } : readFileSync(fd, 'utf8');
  } catch (error) {
    return { problem: (error as NodeJS.ErrnoException).code ?? String(error) };
  } finally {
    if (fd !== undefined) closeSync(fd);
  }
}
