/**
 * Questions to nameservers over UDP and TCP. Each has a socket of its own with a port that the kernel draws and an id that we draw;
 * the kernel takes nothing from other senders. An answer that was cut off is asked for again over TCP.
 *
 *   ask ──▶ queue ──▶ at most MOST_SOCKETS sockets, each at most until its deadline ──▶ onAnswer, or nothing
 *
 * What goes wrong on the way (refused, unreachable, nonsense) is silence: the resolution knows how to wait for the others.
 */
import { randomInt } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { connect } from 'node:net';
import type { Endpoint } from '../config/model.ts';
import { type Answer, decodeAnswer, encodeQuestion, type Question } from '../dns/message.ts';

const MOST_SOCKETS = 256;
/** Beyond it the oldest is forgotten: nobody waits for it any more. */
const MOST_WAITING = 65_536;
const LONGEST_MESSAGE = 65_535;

export type Query = {
  readonly transport: 'udp' | 'tcp';
  readonly nameserver: Endpoint;
  readonly question: Question;
  readonly payload_bytes: number;
  /** From now on. */
  readonly timeout_ms: number;
  /** Called once at most. */
  readonly onAnswer: (answer: Answer) => void;
  /** What else happened to it, for those who count. */
  readonly onEvent: (event: QueryEvent) => void;
};

/** `invalid`: bytes that are no answer to the question; `too_big`: more bytes over UDP than asked for, which are not read; `snd_error`: the socket broke, as it does when nobody listens there. */
export type QueryEvent = 'sent' | 'snd_error' | 'timeout' | 'truncated' | 'invalid' | 'too_big';

export type NameQueries = {
  ask(query: Query): void;
  /** Ends what is under way. */
  close(): void;
};

type Waiting = { readonly query: Query; readonly deadline_ms: number };

export function createNameQueries(): NameQueries {
  const waiting: Waiting[] = [];
  const ends = new Set<() => void>();
  const begin = () => {
    while (ends.size < MOST_SOCKETS) {
      const next = waiting.shift();
      if (next === undefined) return;
      if (performance.now() < next.deadline_ms) run(next);
    }
  };
  const run = ({ query, deadline_ms }: Waiting) => {
    let endSocket: () => void = () => {};
    let timer: NodeJS.Timeout | undefined;
    const end = () => {
      if (!ends.delete(end)) return;
      clearTimeout(timer);
      endSocket();
      begin();
    };
    ends.add(end);
    query.onEvent('sent');
    timer = setTimeout(() => {
      query.onEvent('timeout');
      end();
    }, deadline_ms - performance.now());
    const fail = () => {
      query.onEvent('snd_error');
      end();
    };
    const heed = (answer: Answer | undefined): 'ended' | 'goes on' => {
      if (answer === undefined) {
        query.onEvent('invalid');
        return 'goes on';
      }
      end();
      query.onAnswer(answer);
      return 'ended';
    };
    const overTcp = () => {
      endSocket();
      endSocket = askOverTcp(query, heed, fail);
    };
    const again = () => {
      query.onEvent('truncated');
      overTcp();
    };
    if (query.transport === 'tcp') overTcp();
    else {
      const hear = (answer: Answer | undefined) => (answer?.truncated ? again() : heed(answer));
      endSocket = askOverUdp(query, { hear, fail, tooBig: () => query.onEvent('too_big') });
    }
  };
  return {
    ask(query) {
      waiting.push({ query, deadline_ms: performance.now() + query.timeout_ms });
      if (waiting.length > MOST_WAITING) waiting.shift();
      begin();
    },
    close() {
      waiting.length = 0;
      for (const end of [...ends]) end();
    },
  };
}

type Heed = (answer: Answer | undefined) => unknown;

type Datagrams = { readonly hear: Heed; readonly fail: () => void; readonly tooBig: () => void };

/** Returns what ends it. */
function askOverUdp({ nameserver, question, payload_bytes }: Query, { hear, fail, tooBig }: Datagrams): () => void {
  const { address, port } = nameserver;
  const id = randomInt(65_536);
  const bytes = encodeQuestion(id, question, payload_bytes);
  const socket = createSocket(address.includes(':') ? 'udp6' : 'udp4');
  let open = true;
  socket.on('message', (message) => {
    if (!open) return;
    if (message.length > payload_bytes) tooBig();
    else hear(decodeAnswer(message, id, question));
  });
  // refused: perhaps it comes back before the deadline, but not on this socket
  socket.on('error', fail);
  socket.connect(port, address, () => bytes && open && socket.send(bytes));
  return () => {
    open = false;
    socket.close();
  };
}

/** Messages have their length before them (RFC 1035, 4.2.2). */
function askOverTcp({ nameserver, question, payload_bytes }: Query, heed: Heed, onEnd: () => void): () => void {
  const id = randomInt(65_536);
  const bytes = encodeQuestion(id, question, payload_bytes);
  const socket = connect(nameserver.port, nameserver.address);
  const parts: Buffer[] = [];
  let length = 0;
  socket.on(
    'connect',
    () => bytes && socket.write(Buffer.concat([Uint8Array.of(bytes.length >> 8, bytes.length & 255), bytes])),
  );
  socket.on('data', (part) => {
    parts.push(part);
    length += part.length;
    const received = length >= 2 ? Buffer.concat(parts) : undefined;
    if (received === undefined || length < 2 + received.readUInt16BE(0)) return;
    const answer = decodeAnswer(received.subarray(2, 2 + received.readUInt16BE(0)), id, question);
    if (answer === undefined || length > 2 + LONGEST_MESSAGE) onEnd();
    else heed(answer);
  });
  socket.on('error', onEnd);
  socket.on('end', onEnd);
  return () => void socket.destroy();
}
