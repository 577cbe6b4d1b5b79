/**
 * How long responses take for clients that each ask once a second, at a moment of the second of their own.
 *
 *   client   0 ──┬──────────────┬─── …      the moments are fixed: clients that waited a second from their last answer
 *   client   1 ───┬──────────────┬── …      would bunch behind the first stall and stay together, and all further
 *   client 999 ──────────────┬────────      times would be those of the bunch
 */
import { type Client, connectUpTo } from './client.ts';

const TICK_MS = 1;
const LAST_ANSWER_MS = 10_000;

/**
 * Resolves with the 99th percentile in ms: the median of those of each second, so that one standstill of the machine is one
 * second's. Throws when a client lost its connection or an answer did not come in 10 s.
 */
export async function p99Of(port: number, { few, seconds }: { few: number; seconds: number }): Promise<number> {
  const times_ms = await timesOf(port, few, seconds);
  const of_seconds = Array.from({ length: seconds }, (_, second) => times_ms.slice(second * few, (second + 1) * few));
  const p99s = of_seconds.map((times) => times.sort()[Math.floor(few * 0.99)]!).sort((a, b) => a - b);
  return p99s[Math.floor(seconds / 2)]!;
}

/** In the order of the questions. */
async function timesOf(port: number, count: number, seconds: number): Promise<Float64Array> {
  const clients: Client[] = [];
  await connectUpTo(clients, count, port);
  const times_ms = new Float64Array(count * seconds);
  const asked = new Int32Array(count);
  const sent_ms = new Float64Array(count);
  const begin_ms = performance.now();
  let sent = 0;
  let answered = 0;
  const callbacks = clients.map((_, index) => () => {
    times_ms[asked[index]!] = performance.now() - sent_ms[index]!;
    answered++;
  });
  await new Promise<void>((resolve, reject) => {
    const timer = setInterval(() => {
      const now_ms = performance.now() - begin_ms;
      for (; sent < times_ms.length && (sent / count) * 1000 <= now_ms; sent++) {
        const index = sent % count;
        asked[index] = sent;
        sent_ms[index] = performance.now();
        clients[index]!.ask(callbacks[index]!);
      }
      if (answered < times_ms.length && now_ms < seconds * 1000 + LAST_ANSWER_MS) return;
      clearInterval(timer);
      if (answered === times_ms.length) resolve();
      else reject(new Error(`${times_ms.length - answered} of ${times_ms.length} answers did not come`));
    }, TICK_MS);
  });
  for (const client of clients) client.close();
  return times_ms;
}
