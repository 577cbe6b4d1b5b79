/** What a real HAProxy says of the servers in a configuration, once it has checked each of them. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import type { TestContext } from 'node:test';
import { PATIENCE_MS } from './patience.js';
import { peerPath } from './peers.js';

export type Opinion = {
  readonly backend: string;
  readonly server: string;
  readonly up: boolean;
  /** check_status: `L7STS` */
  readonly code: string;
  /** check_code: `503` */
  readonly status: string;
  /** last_chk: `Service Unavailable` */
  readonly info: string;
};

/** `sections` are backends (and what they need); frontend and sockets are added. */
export async function askHaproxy(t: TestContext, sections: readonly string[]): Promise<readonly Opinion[]> {
  const folder = mkdtempSync(join(tmpdir(), 'carpool-checks-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const socket = join(folder, 'socket');
  const lines = [
    'global',
    `  stats socket ${socket}`,
    'defaults',
    '  mode http',
    '  timeout connect 5s',
    '  timeout client 5s',
    '  timeout server 5s',
    'frontend needed',
    `  bind ${join(folder, 'listener')}`,
    ...sections,
    '',
  ];
  const file = join(folder, 'haproxy.cfg');
  writeFileSync(file, lines.join('\n'));
  const haproxy = spawn(peerPath('haproxy'), ['-db', '-f', file], { stdio: ['ignore', 'ignore', 'pipe'] });
  const said = text(haproxy.stderr);
  try {
    return await opinionsOf(socket, () => haproxy.exitCode !== null);
  } catch (error) {
    if (haproxy.exitCode !== null) throw new Error(`HAProxy ended: ${await said}`);
    throw error;
  } finally {
    const exited = once(haproxy, 'exit');
    if (haproxy.exitCode === null) {
      haproxy.kill('SIGKILL');
      await exited;
    }
  }
}

/**
 * Asks again and again until each server was seen between two checks: while one is under way (`* L4OK`), the words of the one
 * before are gone.
 */
async function opinionsOf(socket: string, ended: () => boolean): Promise<readonly Opinion[]> {
  const end = performance.now() + PATIENCE_MS;
  const found: Opinion[] = [];
  for (;;) {
    const opinions = readOpinions(await command(socket, 'show stat').catch(() => ''));
    for (const [index, opinion] of opinions.entries()) {
      if (/^(?!INI)\w/.test(opinion.code)) found[index] ??= opinion;
    }
    if (opinions.length > 0 && opinions.every((_, index) => found[index] !== undefined)) return found;
    assert.ok(!ended(), 'HAProxy runs');
    assert.ok(performance.now() < end, `HAProxy did not check every server: ${JSON.stringify(opinions)}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/** From the CSV of `show stat`. */
function readOpinions(csv: string): Opinion[] {
  const [header, ...rows] = csv.split('\n').map((line) => fieldsOf(line.replace(/^# /, '')));
  const column = (row: readonly string[], name: string): string => row[header.indexOf(name)] ?? '';
  return rows
    .filter((row) => !/^(FRONTEND|BACKEND|)$/.test(column(row, 'svname')))
    .map((row) => ({
      backend: column(row, 'pxname'),
      server: column(row, 'svname'),
      up: !column(row, 'status').startsWith('DOWN'),
      code: column(row, 'check_status'),
      status: column(row, 'check_code'),
      info: column(row, 'last_chk'),
    }));
}

/** Of one line of CSV; what holds commas is in quotes. */
function fieldsOf(line: string): string[] {
  const fields = line.match(/(?<=^|,)(?:"(?:[^"]|"")*"|[^,]*)/g) ?? [];
  return fields.map((field) => field.replace(/^"(.*)"$/, '$1').replaceAll('""', '"'));
}

async function command(socket: string, line: string): Promise<string> {
  const client = connect(socket);
  client.end(`${line}\n`);
  return text(client);
}
