/**
 * A process in the client's namespace: begins a TCP connection to each VIP each period, whether or not the last one
 * came about. Arguments: VIP PORT EVERY_MS. It writes a JSON line every 100 ms: a list of [begun ns, ended ns, 1 | 0].
 * Ends when its standard input does.
 */
import { connect } from 'node:net';
import { now_ns } from '#src/system/clock.js';

/** Beyond it none is begun, so that nothing grows without a bound. */
const MAX_UNDER_WAY = 3000;
/** Linux sends the SYN again after 1, 3 and 7 seconds. */
const GIVE_UP_MS = 10_000;
const REPORT_MS = 100;

const [vip = '', port, every_ms] = process.argv.slice(2);
const results: (readonly [begun_ns: number, ended_ns: number, succeeded: 0 | 1])[] = [];
let under_way = 0;
let begun = 0;
const start_ns = now_ns();

setInterval(() => {
  const due = Math.floor((now_ns() - start_ns) / 1e6 / Number(every_ms));
  // the clock decides how many are due, but what a stall left out is not made up for
  if (begun < due) begin();
  begun = due;
}, Number(every_ms));
setInterval(() => {
  if (results.length > 0) process.stdout.write(`${JSON.stringify(results.splice(0))}\n`);
}, REPORT_MS);
process.stdin.on('end', () => process.exit(0)).resume();
process.stdout.write('"ready"\n');

function begin(): void {
  if (under_way >= MAX_UNDER_WAY) return;
  const begun_ns = now_ns();
  const socket = connect({ host: vip, port: Number(port) });
  under_way++;
  let over = false;
  const end = (succeeded: 0 | 1) => {
    if (over) return;
    over = true;
    under_way--;
    clearTimeout(timer);
    results.push([begun_ns, now_ns(), succeeded]);
    socket.resetAndDestroy();
  };
  const timer = setTimeout(end, GIVE_UP_MS, 0);
  socket.once('connect', () => end(1));
  socket.once('error', () => end(0));
}
