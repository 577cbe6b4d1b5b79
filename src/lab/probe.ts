/**
 * A process in the client's namespace: one ICMP echo request to each VIP each period, open loop, so that an outage
 * does not slow down its own measurement. Arguments: `VIP=MILLISECONDS` …; ends when its standard input does.
 * It writes a JSON line every 100 ms: a list of [vip index, sent ns, answered 1 | 0], in the order sent per VIP.
 */
import { writeSync } from 'node:fs';
import { now_ns } from '../system/clock.ts';
import { type EchoReply, EchoSocket, echoTarget, waitReadable } from '../system/icmp.ts';

/** An answer that takes longer came from a queue somewhere, not from a service that was there. */
const ANSWER_NS = 250e6;
const REPORT_NS = 100e6;
const SEQUENCES = 0x10000;

type Target = {
  readonly bytes: Uint8Array;
  readonly every_ns: number;
  next_ns: number;
  /** Sequence of the next probe, and of the oldest one without a verdict. */
  next: number;
  oldest: number;
  readonly sent_ns: Float64Array;
  readonly answered: Uint8Array;
};

function main(): void {
  const targets = process.argv.slice(2).map(parseTarget);
  const socket = new EchoSocket();
  const reply: EchoReply = { identifier: 0, sequence: 0, from: 0 };
  let report_ns = now_ns() + REPORT_NS;
  let looked_ns = now_ns();
  writeSync(1, '"ready"\n');
  for (let finished = false; !finished; ) {
    const now = now_ns();
    targets.forEach((target, index) => {
      if (now >= target.next_ns) sendProbe(socket, target, index, now);
    });
    const wake_ns = Math.min(report_ns, ...targets.map((target) => target.next_ns));
    const [, input] = waitReadable([socket.fd, 0], Math.max(0, wake_ns - now_ns()));
    const before_ns = looked_ns;
    looked_ns = now_ns();
    while (socket.receive(reply)) noteReply(targets, reply, before_ns);
    finished = input === true;
    if (finished || now_ns() >= report_ns) {
      reportVerdicts(targets, now_ns());
      report_ns = now_ns() + REPORT_NS;
    }
  }
}

function parseTarget(argument: string): Target {
  const [vip, every_ms] = argument.split('=');
  return {
    bytes: echoTarget(vip!),
    every_ns: Number(every_ms) * 1e6,
    next_ns: now_ns(),
    next: 0,
    oldest: 0,
    sent_ns: new Float64Array(SEQUENCES),
    answered: new Uint8Array(SEQUENCES),
  };
}

/** The identifier says which target, so that a late answer of another run or target is not taken for ours. */
function identifierOf(index: number): number {
  return (process.pid * 16 + index) & 0xffff;
}

function sendProbe(socket: EchoSocket, target: Target, index: number, now: number): void {
  const sequence = target.next % SEQUENCES;
  target.sent_ns[sequence] = now;
  target.answered[sequence] = 0;
  target.next += 1;
  socket.send(target.bytes, identifierOf(index), sequence);
  // after a stall of this process the missed probes are left out: they were never sent
  target.next_ns += target.every_ns * Math.max(1, Math.ceil((now - target.next_ns) / target.every_ns));
}

/** It came after `before_ns`, when there was none: a process that was held up does not call its answers late. */
function noteReply(targets: Target[], reply: EchoReply, before_ns: number): void {
  const target = targets.find((_, index) => identifierOf(index) === reply.identifier);
  if (target && before_ns - target.sent_ns[reply.sequence]! <= ANSWER_NS) target.answered[reply.sequence] = 1;
}

/** Tells all probes that are decided: answered, or too old to be. The rest waits behind the first undecided one, at the end for ever. */
function reportVerdicts(targets: Target[], now: number): void {
  const verdicts: number[][] = [];
  targets.forEach((target, index) => {
    for (; target.oldest < target.next; target.oldest++) {
      const sequence = target.oldest % SEQUENCES;
      const answered = target.answered[sequence]!;
      if (answered === 0 && now - target.sent_ns[sequence]! <= ANSWER_NS) break;
      verdicts.push([index, target.sent_ns[sequence]!, answered]);
    }
  });
  if (verdicts.length > 0) writeSync(1, `${JSON.stringify(verdicts)}\n`);
}

main();
