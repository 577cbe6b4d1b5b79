/**
 * A nameserver for tests, over UDP and TCP on one free port of 127.0.0.1. Its zone says what it answers, or how it misbehaves:
 *
 *   zone.set('app.test A', ['127.0.0.2'])            zone.set('_http._tcp.test SRV', ['0 10 8080 a.test'])
 *   zone.set('a.test A', ['CNAME b.test', 'b.test 127.0.0.3'])
 *   zone.set('app.test A', 'nx')                     'refused', 'silent', 'nonsense', 'foreign' (another id)
 */
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { createServer, type Server } from 'node:net';
import type { TestContext } from 'node:test';
import { freePort } from './ports.js';

export type Misbehaviour = 'nx' | 'refused' | 'silent' | 'nonsense' | 'foreign';
export type Told = readonly string[] | Misbehaviour;

const TYPES: Record<number, string> = { 1: 'A', 28: 'AAAA', 33: 'SRV' };
const CODES: Record<string, number> = { A: 1, CNAME: 5, AAAA: 28, SRV: 33 };

export class NameServer {
  port = 0;
  /** `NAME TYPE` -> what it says; a name that has another type only is there, a name without any is NX. */
  readonly zone = new Map<string, Told>();
  /** Names whose answers over UDP are cut off. */
  readonly truncated = new Set<string>();
  /** `udp app.test A`, in order. */
  readonly asked: string[] = [];
  /** Before each answer over UDP. */
  delay_ms = 0;
  private udp: Socket | undefined;
  private tcp: Server | undefined;

  async start(t: TestContext): Promise<this> {
    const tcp = createServer((socket) => {
      socket.on('error', () => {});
      socket.on('data', (data) => {
        const answer = this.answer('tcp', data.subarray(2));
        if (answer) socket.write(Buffer.concat([u16(answer.length), answer]));
      });
    });
    // not one that the kernel gave for TCP: over UDP it may be another program's
    this.port = await freePort();
    tcp.listen(this.port, '127.0.0.1');
    await once(tcp, 'listening');
    const udp = createSocket('udp4').bind(this.port, '127.0.0.1');
    udp.on('message', (message, { port, address }) => {
      const answer = this.answer('udp', message);
      // the test may be over by then, and the socket closed
      if (answer) setTimeout(() => this.udp?.send(answer, port, address), this.delay_ms).unref();
    });
    await once(udp, 'listening');
    this.tcp = tcp;
    this.udp = udp;
    t.after(() => {
      this.udp?.close();
      this.udp = undefined;
      this.tcp?.close();
    });
    return this;
  }

  private answer(way: 'udp' | 'tcp', query: Buffer): Buffer | undefined {
    const labels: string[] = [];
    let at = 12;
    while (query[at] !== 0) {
      labels.push(query.subarray(at + 1, at + 1 + query[at]!).toString('latin1'));
      at += 1 + query[at]!;
    }
    const name = labels.join('.').toLowerCase();
    const type = TYPES[query.readUInt16BE(at + 1)]!;
    const key = `${name} ${type}`;
    this.asked.push(`${way} ${key}`);
    const question = query.subarray(12, at + 5);
    const told = this.zone.get(key) ?? (this.knows(name) ? [] : 'nx');
    if (told === 'silent') return undefined;
    if (told === 'nonsense') return Buffer.from('this is no answer at all');
    if (told === 'nx') return message(query, 3, question, [], []);
    if (told === 'refused') return message(query, 5, question, [], []);
    if (told === 'foreign')
      return message(Buffer.from([query[0]! ^ 1, query[1]!]), 0, question, [record('A', '127.0.0.99')], []);
    if (way === 'udp' && this.truncated.has(name)) return message(query, 0x0200, question, [], []);
    const additional = type === 'SRV' ? told.flatMap((text) => this.additional(text.split(' ')[3]!)) : [];
    return message(
      query,
      0,
      question,
      told.map((text) => recordOf(type, text)),
      additional,
    );
  }

  private knows(name: string): boolean {
    return [...this.zone].some(([key, told]) => key.startsWith(`${name} `) && told !== 'nx');
  }

  /** Addresses of an SRV record's target are told with it where `additional TARGET` says so. */
  private additional(target: string): Buffer[] {
    const told = this.zone.get(`additional ${target}`);
    if (told === undefined || typeof told === 'string') return [];
    return told.map((address) => record('A', address, encodeName(target)));
  }
}

function message(query: Buffer, flags: number, question: Buffer, answers: Buffer[], additional: Buffer[]): Buffer {
  const counts = [1, answers.length, 0, additional.length].map(u16);
  const id = query.subarray(0, 2);
  return Buffer.concat([id, u16(0x8180 | flags), ...counts, question, ...answers, ...additional]);
}

/** `CNAME target`, `owner DATA`, or data of the question's name and type. */
function recordOf(type: string, text: string): Buffer {
  const [first, second, ...more] = text.split(' ') as [string, string | undefined, ...string[]];
  if (first === 'CNAME') return record('CNAME', second as string);
  return second === undefined || more.length > 0 ? record(type, text) : record(type, second, encodeName(first));
}

/** The owner is a pointer to the question's name when left out. */
function record(type: string, text: string, owner: Buffer = Buffer.from([0xc0, 12])): Buffer {
  const data = dataOf(type, text);
  return Buffer.concat([owner, u16(CODES[type]!), u16(1), u16(0), u16(60), u16(data.length), data]);
}

function dataOf(type: string, text: string): Buffer {
  if (type === 'A') return Buffer.from(text.split('.').map(Number));
  if (type === 'CNAME') return encodeName(text);
  if (type === 'AAAA') return Buffer.concat(text.split(':').map((group) => u16(Number.parseInt(group, 16))));
  const [priority, weight, port, target] = text.split(' ') as [string, string, string, string];
  return Buffer.concat([u16(Number(priority)), u16(Number(weight)), u16(Number(port)), encodeName(target)]);
}

function encodeName(name: string): Buffer {
  return Buffer.concat([
    ...name.split('.').map((label) => Buffer.from(`${String.fromCharCode(label.length)}${label}`, 'latin1')),
    Buffer.of(0),
  ]);
}

function u16(value: number): Buffer {
  return Buffer.of(value >> 8, value & 255);
}
