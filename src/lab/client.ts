/**
 * A process in the client's namespace: one GET for each URL each period, over connections that are kept alive,
 * whether or not the last one was answered. As a browser does, it sends a GET again when the kept connection that it
 * chose turns out to be dead (RFC 9110 section 9.2.2). Arguments: `EVERY_MS,TIMEOUT_MS,URL` …
 * It writes a JSON line every 100 ms: a list of [sent ns, ended ns, failure or null, web server's name or null].
 * When its standard input ends it sends no more, waits a second for what is under way, and counts the rest as failed.
 */
import { Agent, get, type IncomingMessage } from 'node:http';

type Result = readonly [sent_ns: number, ended_ns: number, failure: string | null, by: string | null];

/** Requests under way at once to one URL; beyond it none is sent, so that nothing grows without a bound. */
const MAX_UNDER_WAY = 1000;
const REPORT_MS = 100;
const LAST_ANSWERS_MS = 1000;

const results: Result[] = [];
/** What gives up each request that is under way. */
const under_way = new Map<object, () => void>();
const timers = process.argv.slice(2).map(startTarget);

setInterval(report, REPORT_MS);
process.stdout.write('"ready"\n');
process.stdin.on('end', finish).resume();

function startTarget(argument: string): NodeJS.Timeout {
  const [every_ms, timeout_ms, ...url] = argument.split(',');
  const agent = new Agent({ keepAlive: true, maxFreeSockets: 8 });
  const start_ns = now_ns();
  let sent = 0;
  return setInterval(() => {
    // the clock decides how many are due: a timer that comes late does not slow the rate down
    const due = Math.floor((now_ns() - start_ns) / 1e6 / Number(every_ms));
    for (; sent < due; sent++) send(url.join(','), agent, Number(timeout_ms));
  }, Number(every_ms));
}

function now_ns(): number {
  return Number(process.hrtime.bigint());
}

function send(url: string, agent: Agent, timeout_ms: number): void {
  if (under_way.size >= MAX_UNDER_WAY) return;
  const sent_ns = now_ns();
  const done = (failure: string | null, by: string | null) => {
    if (!under_way.delete(key)) return;
    clearTimeout(timer);
    results.push([sent_ns, now_ns(), failure, by]);
    if (failure !== null) request.destroy();
  };
  const key = {};
  under_way.set(key, () => done('unfinished', null));
  const timer = setTimeout(() => done('timeout', null), timeout_ms);
  let request = get(url, { agent }, readResponse);
  request.once('error', (error) => {
    if (!request.reusedSocket || !under_way.has(key)) return done(nameOf(error), null);
    request = get(url, { agent: false }, readResponse);
    request.once('error', (again) => done(nameOf(again), null));
  });

  function readResponse(response: IncomingMessage): void {
    const by = response.headers['x-server'];
    response.resume();
    response.once('error', (error) => done(nameOf(error), null));
    response.once('end', () => {
      if (response.statusCode !== 200) done(`status ${response.statusCode}`, null);
      else done(null, typeof by === 'string' ? by : null);
    });
  }
}

function nameOf(error: NodeJS.ErrnoException): string {
  return error.code ?? error.message;
}

function report(): void {
  if (results.length > 0) process.stdout.write(`${JSON.stringify(results.splice(0))}\n`);
}

function finish(): void {
  for (const timer of timers) clearInterval(timer);
  const deadline = performance.now() + LAST_ANSWERS_MS;
  const wait = setInterval(() => {
    if (under_way.size > 0 && performance.now() < deadline) return;
    clearInterval(wait);
    for (const giveUp of [...under_way.values()]) giveUp();
    report();
    process.stdout.write('', () => process.exit(0));
  }, 20);
}
