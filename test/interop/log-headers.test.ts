/** What stands before the text of a line, and which lines are sent: HAProxy and carpool to a log server over UDP. */
import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { hostname } from 'node:os';
import { type TestContext, test } from 'node:test';
import { askOnce, type Program, startBalancer, until } from '../helpers/balancers.js';
import { needs } from '../helpers/peers.js';
import { freePort } from '../helpers/ports.js';

const FORMATS = ['local', 'rfc3164', 'rfc5424', 'priority', 'short', 'timed', 'iso', 'raw'];

/** Lines of the global section, and words of the target. */
const CASES: readonly (readonly [string, string])[] = [
  ...FORMATS.map((format) => ['', `format ${format} local1`] as const),
  ...FORMATS.map((format) => ['log-send-hostname', `format ${format} local1`] as const),
  ...FORMATS.map((format) => ['log-send-hostname here\n  log-tag one', `format ${format} user`] as const),
  ['', 'local7 info'],
  ['', 'local7 err'],
  ['', 'local7 info err'],
  ['', 'len 100 local0'],
  ['', 'len 100 format rfc5424 local0'],
  ['', 'sample 1,3-4:5 local0'],
];
const LINES = 6;

test('HAProxy and carpool send the same lines with the same headers', { skip: needs('haproxy') }, async (t) => {
  const [theirs, ours] = await Promise.all([observe(t, 'haproxy'), observe(t, 'carpool')]);
  const differences = CASES.flatMap(([lines, words], index) =>
    JSON.stringify(theirs[index]) === JSON.stringify(ours[index])
      ? []
      : [`${lines} log ${words}: HAProxy ${JSON.stringify(theirs[index])}, carpool ${JSON.stringify(ours[index])}`],
  );
  assert.deepEqual(differences, []);
  assert.equal(ours.flat().length > CASES.length * 2, true);
});

/** By case the lines that came; all cases are frontends of one process for each kind of global section. */
async function observe(t: TestContext, program: Program): Promise<string[][]> {
  const found: string[][] = CASES.map(() => []);
  for (const lines of new Set(CASES.map(([own]) => own))) {
    const indexes = CASES.flatMap(([own], index) => (own === lines ? [index] : []));
    const places = await Promise.all(
      indexes.map(async (index) => ({ index, port: await freePort(), ...(await listen(t)) })),
    );
    const last = await listen(t);
    const probed = await freePort();
    const fronts = places.map(
      ({ index, port, udp }) =>
        `frontend f${index}\n  bind 127.0.0.1:${port}\n  log 127.0.0.1:${udp} ${CASES[index]![1]}\n  log-tag ${index % 2 === 0 ? 'odd' : 'a-tag'}\n`,
    );
    const config = `global\n  nbthread 1\n  ${lines}\ndefaults\n  mode http\n  timeout client 20s\n  log-format "%HM %HU of %{+Q}b, a text that is longer than what some of the log servers want to have"\n${fronts.join('')}frontend probed\n  bind 127.0.0.1:${probed}\n  log 127.0.0.1:${last.udp} local0\n`;
    const balancer = await startBalancer(t, program, config, probed);
    for (const { port } of places) {
      for (let number = 1; number <= LINES; number++) await askOnce(port, `/${number}`);
    }
    await askOnce(probed, '/end');
    await until(`${program} has logged all`, () => last.heard.some((line) => line.includes('/end')));
    for (const { index, heard } of places) {
      const is_cut = CASES[index]![1].startsWith('len');
      found[index] = heard.map((line) => (is_cut ? beginning(line, balancer.pid) : normal(line, balancer.pid)));
    }
  }
  return found;
}

async function listen(t: TestContext) {
  const heard: string[] = [];
  const socket = createSocket('udp4', (bytes) => void heard.push(bytes.toString()));
  await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve));
  t.after(() => socket.close());
  return { udp: socket.address().port, heard };
}

/** Where a line is cut depends on how many digits the process number has. */
function beginning(line: string, pid: number): string {
  return `${line.replace(/\n$/, '').length} bytes: ${normal(line, pid).slice(0, 80)}`;
}

function normal(line: string, pid: number): string {
  return line
    .replace(/\d{4}-\d\d-\d\dT[\d:.]+\+\d\d:\d\d/, 'DATE')
    .replace(/\w{3} [ \d]\d \d\d:\d\d:\d\d/, 'DATE')
    .replace(` ${hostname()} `, ' HOST ')
    .replace(new RegExp(`(?<=[[ ])${pid}(?=[\\] ])`), 'PID')
    .trimEnd();
}
