/** How each kind of host's program is started inside its namespace, and how it tells what happens to it. */
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Child } from './child.ts';
import { followEvents } from './control-events.ts';
import { type HostLink, INTERFACE } from './network.ts';
import type { Client, ConfigurationFile, Host, Node, WebServer } from './scenario.ts';
import { elapsed_ms, type Stage, toElapsed_ms } from './stage.ts';
import { followUcarp } from './ucarp-log.ts';

/** A probe that is sent that much too late is worth a remark: an outage of that length could have gone unseen. */
const LATE_MS = 100;
/** While frames get lost or are late by chance, only such an outage is worth a line. */
const LONG_OUTAGE_MS = 500;

/** Starts the host's programs; the first of them is the one that signals go to. */
export function launch(stage: Stage, host: Host, link: HostLink): Child[] {
  if (host.kind === 'web') return [launchWebServer(stage, host, link)];
  if (host.kind === 'client') return launchClient(stage, host, link);
  return [runsUcarp(host) ? launchUcarp(stage, host, link) : launchCarpool(stage, host, link)];
}

export function runsUcarp({ runs }: Node): boolean {
  return runs === 'ucarp' || (runs === 'either' && findProgram('ucarp') !== undefined);
}

function launchCarpool(stage: Stage, node: Node, link: HostLink): Child {
  const directory = directoryOf(stage, node);
  const socket = controlSocket(stage, node);
  const files = node.files.flatMap((file) => ['-f', file.name]);
  const child = startNode(stage, node, link, {
    command: process.execPath,
    args: [ownFile('../main.js'), 'run', ...files, '-db', '--socket', socket],
    directory,
  });
  followEvents(stage, node.name, socket, child);
  return child;
}

function launchUcarp(stage: Stage, node: Node, link: HostLink): Child {
  const directory = directoryOf(stage, node);
  const up = join(directory, 'up.sh');
  const down = join(directory, 'down.sh');
  writeFileSync(up, '#!/bin/sh\nexec ip address add "$2/32" dev "$1"\n', { mode: 0o755 });
  writeFileSync(down, '#!/bin/sh\nexec ip address del "$2/32" dev "$1"\n', { mode: 0o755 });
  const own = ['-i', INTERFACE, '-s', node.address, '-u', up, '-d', down, '-z', '-n'];
  const onLine = followUcarp(stage, node);
  return startNode(stage, node, link, {
    command: findProgram('ucarp') ?? 'ucarp',
    args: [...own, ...node.ucarp_arguments],
    directory,
    onLine,
  });
}

type NodeProgram = { command: string; args: string[]; directory: string; onLine?: (line: string) => void };

function startNode(stage: Stage, node: Node, link: HostLink, program: NodeProgram): Child {
  stage.history.noteStart(node.name);
  const child: Child = new Child(link.namespace_fd, {
    ...program,
    onEnd(how) {
      const at_ms = elapsed_ms(stage);
      stage.history.noteEnd(node.name, at_ms);
      if (!child.killed) stage.timeline.event(at_ms, node.name, `ended (${how})`);
    },
  });
  return child;
}

function launchWebServer(stage: Stage, host: WebServer, link: HostLink): Child {
  const args = [ownFile('web-server.js'), host.name, String(host.port)];
  return new Child(link.namespace_fd, { command: process.execPath, args, directory: stage.directory });
}

/** Two processes, so that neither the requests nor their failures make a probe late. */
function launchClient(stage: Stage, client: Client, link: HostLink): Child[] {
  const directory = stage.directory;
  const probes = client.probes.map((probe) => `${probe.vip}=${probe.every_ms}`);
  const requests = client.requests.map(({ every_ms, timeout_ms, url }) => `${every_ms},${timeout_ms},${url}`);
  const start = (file: string, args: string[], onLine: (line: string) => void) =>
    new Child(link.namespace_fd, { command: process.execPath, args: [ownFile(file), ...args], directory, onLine });
  const children: Child[] = [];
  if (requests.length > 0) children.push(start('client.js', requests, (line) => noteRequests(stage, line)));
  if (probes.length > 0) children.push(start('probe.js', probes, (line) => noteProbes(stage, client, line)));
  return children;
}

function noteRequests(stage: Stage, line: string): void {
  for (const [sent_ns, ended_ns, failure, by] of parseRows(line)) {
    stage.history.noteRequest({
      sent_ms: toElapsed_ms(stage, sent_ns as number),
      ended_ms: toElapsed_ms(stage, ended_ns as number),
      failure: (failure as string | null) ?? undefined,
      by: (by as string | null) ?? undefined,
    });
  }
}

function noteProbes(stage: Stage, client: Client, line: string): void {
  for (const [index, sent_ns, answered] of parseRows(line)) {
    const { vip, every_ms } = client.probes[index as number]!;
    const sent_ms = toElapsed_ms(stage, sent_ns as number);
    const pause_ms = sent_ms - (stage.history.probesOf(vip).last_sent_ms ?? sent_ms);
    if (pause_ms > LATE_MS + every_ms) {
      const text = `no probe of ${vip} was sent for ${Math.round(pause_ms)} ms: this machine is busy`;
      stage.timeline.event(sent_ms, client.name, text);
    }
    const outage_ms = stage.history.noteProbe(vip, { sent_ms, answered: answered === 1 });
    const is_news = outage_ms !== undefined && (!stage.network.isUnsteady || outage_ms >= LONG_OUTAGE_MS);
    if (is_news) stage.timeline.outage(sent_ms, client.name, vip, outage_ms);
  }
}

/** Our own tools write rows, or the word "ready"; anything else (a stack trace) stays in the output for the report. */
function parseRows(line: string): unknown[][] {
  if (!line.startsWith('[')) return [];
  try {
    return JSON.parse(line);
  } catch {
    return [];
  }
}

/** Where the host's programs find it. */
export function writeFile(stage: Stage, host: Host, { name, text }: ConfigurationFile): void {
  writeFileSync(join(directoryOf(stage, host), name), text);
}

function directoryOf(stage: Stage, host: Host): string {
  const directory = join(stage.directory, host.name);
  mkdirSync(directory, { recursive: true });
  return directory;
}

export function controlSocket(stage: Stage, { name }: Host): string {
  return join(stage.directory, name, 'control.sock');
}

function ownFile(path: string): string {
  return fileURLToPath(new URL(path, import.meta.url));
}

/** Looks where Debian puts daemons too: an ordinary user's PATH lacks /usr/sbin. */
export function findProgram(name: string): string | undefined {
  const folders = [...(process.env['PATH'] ?? '').split(':'), '/usr/sbin', '/sbin', '/usr/bin', '/bin'];
  return folders.map((folder) => join(folder, name)).find((path) => existsSync(path));
}
