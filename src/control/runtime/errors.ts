/**
 * `show errors`: the last invalid request of each frontend and the last invalid response of each backend, as HAProxy prints them.
 *
 *   [22/Nov/2026:08:01:28.103] frontend web (#2): invalid request
 *     backend <NONE> (#-1), server <NONE> (#-1), event #1, src 127.0.0.1:39618
 *     buffer starts at 0 (including 0 out), 16320 free,
 *     len 64, wraps at 16384, error at position 29
 *     H1 msg state MSG_HDR_NAME(17)
 *
 *     00000  GET /x HTTP/1.1\r\n
 *     00017  Bad Header: x\x01\r\n
 */
import type { BadMessage } from '../../proxy/http/bad-messages.ts';
import * as shared from '../../threads/shared-memory.ts';
import type { StatProxy } from '../stats/objects.ts';
import { viewOf } from '../stats/view.ts';
import type { RuntimeDaemon } from './command.ts';

/** No empty line may stand in an answer: it would end it. */
const EMPTY = ' \n';
const BUFFER_BYTES = 16_384;

export async function showErrors(args: readonly string[], daemon: RuntimeDaemon): Promise<string> {
  const kind = ['request', 'response'].find((word) => args.includes(word));
  const [name] = args.filter((word) => word !== kind);
  const { proxies, memory } = viewOf(daemon.generation());
  const iid = name === undefined || name === '-1' ? undefined : iidOf(proxies, name);
  if (iid === null) return 'No such proxy.\n';
  const answers = await Promise.all(daemon.data().map((handle) => handle.badMessages()));
  const shown = newest(answers.flatMap((messages) => messages ?? []))
    .map((message) => ({ message, ids: new Ids(proxies, message) }))
    .filter(({ message, ids }) => (kind === undefined || message.kind === kind) && (iid === undefined || ids.has(iid)))
    .sort((a, b) => a.ids.own - b.ids.own || a.message.kind.localeCompare(b.message.kind));
  const count = Atomics.load(memory.words, shared.BAD_MESSAGES);
  const head = `Total events captured on [${stamp(Date.now())}] : ${count}\n`;
  return head + shown.map(({ message, ids }) => EMPTY + render(message, ids)).join('');
}

/** Null: there is none of that name. A number may be anything. */
function iidOf(proxies: readonly StatProxy[], name: string): number | null {
  if (/^\d+$/.test(name)) return Number(name);
  return proxies.find((proxy) => proxy.name === name)?.iid ?? null;
}

/** Each thread kept its own. */
function newest(messages: readonly BadMessage[]): BadMessage[] {
  const last = new Map<string, BadMessage>();
  for (const message of messages) {
    const key = message.kind === 'request' ? `request ${message.frontend}` : `response ${message.backend}`;
    if (message.event >= (last.get(key)?.event ?? 0)) last.set(key, message);
  }
  return [...last.values()];
}

/** The numbers of those who took part; -1: nobody. */
class Ids {
  readonly frontend: number;
  readonly backend: number;
  readonly server: number;
  /** Of the proxy that it is kept for. */
  readonly own: number;

  constructor(proxies: readonly StatProxy[], message: BadMessage) {
    const back = proxies.find(({ name, backend }) => backend && name === message.backend);
    const server = back?.backend?.servers.find(({ config }) => config.name === message.server);
    this.frontend = proxies.find(({ name, frontend }) => frontend && name === message.frontend)?.iid ?? -1;
    this.backend = back?.iid ?? -1;
    this.server = server?.sid ?? -1;
    this.own = message.kind === 'request' ? this.frontend : this.backend;
  }

  has(iid: number): boolean {
    return this.frontend === iid || this.backend === iid;
  }
}

function render(message: BadMessage, ids: Ids): string {
  const { kind, event, source, bytes, fault } = message;
  const front = `frontend ${message.frontend} (#${ids.frontend})`;
  const back = `backend ${message.backend ?? '<NONE>'} (#${ids.backend})`;
  const [own, other] = kind === 'request' ? [front, back] : [back, front];
  const where = fault ? `error at position ${fault.position}` : 'error somewhere in these bytes of the body';
  return [
    `[${stamp(message.at_ms)}] ${own}: invalid ${kind}\n`,
    `  ${other}, server ${message.server ?? '<NONE>'} (#${ids.server}), event #${event}, src ${source}\n`,
    `  buffer starts at 0 (including 0 out), ${BUFFER_BYTES - bytes.length} free,\n`,
    `  len ${bytes.length}, wraps at ${BUFFER_BYTES}, ${where}\n`,
    fault ? `  H1 msg state ${fault.state[0]}(${fault.state[1]}) :\n` : '',
    `  \n${dump(bytes)}`,
  ].join('');
}

/** Columns of a line with its offset in front. */
const WIDTH = 80;
const ESCAPES: Readonly<Record<number, string>> = { 9: '\\t', 10: '\\n', 13: '\\r', 27: '\\e', 92: '\\\\' };
const LF = 10;

/** One line of output for each line of the message, or several (`+`), with what cannot be printed escaped. */
function dump(bytes: Uint8Array): string {
  const lines: string[] = [];
  let line = '';
  const begin = (at: number, goes_on: boolean) => {
    line = `  ${String(at).padStart(5, '0')}${goes_on ? '+' : ' '} `;
  };
  bytes.forEach((byte, at) => {
    if (at === 0) begin(0, false);
    const text = printed(byte);
    if (line.length + text.length >= WIDTH) {
      lines.push(line);
      begin(at, true);
    }
    line += text;
    if (byte !== LF) return;
    lines.push(line);
    line = '';
    if (at + 1 < bytes.length) begin(at + 1, false);
  });
  if (line !== '') lines.push(line);
  return lines.map((each) => `${each}\n`).join('');
}

function printed(byte: number): string {
  const short = ESCAPES[byte];
  if (short !== undefined) return short;
  if (byte >= 32 && byte < 127) return String.fromCharCode(byte);
  return `\\x${byte.toString(16).toUpperCase().padStart(2, '0')}`;
}

const MONTHS = 'Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec'.split(' ');

/** `22/Nov/2026:08:01:28.103`, local time. */
function stamp(at_ms: number): string {
  const date = new Date(at_ms);
  const two = (value: number) => String(value).padStart(2, '0');
  const day = `${two(date.getDate())}/${MONTHS[date.getMonth()]}/${date.getFullYear()}`;
  const time = [date.getHours(), date.getMinutes(), date.getSeconds()].map(two).join(':');
  return `${day}:${time}.${String(date.getMilliseconds()).padStart(3, '0')}`;
}
