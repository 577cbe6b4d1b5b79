// Several runs of node:test as one spec report with one set of closing lines.
import { setMaxListeners } from 'node:events';
import { join } from 'node:path';
import { run } from 'node:test';
import { spec } from 'node:test/reporters';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));

/**
 * Runs the phases one after the other; resolves to the exit status.
 * @param {{ files: string[], concurrency: number }[]} phases test sources, as paths from the root
 * @param {{ name: string | undefined, file_ms: number, total_ms: number }} options
 * @returns {Promise<number>}
 */
export async function report(phases, { name, file_ms, total_ms }) {
  const reporter = new spec();
  reporter.pipe(process.stdout);
  /** @type {Map<string, number>} */
  const totals = new Map();
  const signal = AbortSignal.timeout(total_ms);
  setMaxListeners(0, signal); // every file listens to it
  for (const { files, concurrency } of phases.filter((phase) => phase.files.length > 0)) {
    const compiled = files.map((file) => join(root, 'build', file.replace(/\.ts$/, '.js')));
    const pattern = name === undefined ? {} : { testNamePatterns: [name] };
    // what a test that failed left open shall not hold its file up: all tests are known once a file is loaded
    const events = run({ files: compiled, concurrency, timeout: file_ms, signal, forceExit: true, ...pattern });
    for await (const event of events) {
      const total = closingLine(event);
      if (total) totals.set(total.name, (totals.get(total.name) ?? 0) + total.value);
      else if (event.type !== 'test:summary') reporter.write(event);
    }
  }
  for (const [what, value] of totals) {
    const message = `${what} ${Math.round(value * 1000) / 1000}`;
    reporter.write({ type: 'test:diagnostic', data: { nesting: 0, message, level: 'info' } });
  }
  reporter.end();
  const bad = ['fail', 'cancelled'].some((what) => (totals.get(what) ?? 0) > 0);
  return bad || !totals.has('pass') ? 1 : 0;
}

/** `pass 12` and its like, which the runner says once at the end of a run, or undefined. */
function closingLine(/** @type {{ type: string, data: any }} */ event) {
  if (event.type !== 'test:diagnostic' || event.data.nesting !== 0) return undefined;
  const match = /^(tests|suites|pass|fail|cancelled|skipped|todo|duration_ms) ([\d.]+)$/.exec(event.data.message);
  return match ? { name: match[1], value: Number(match[2]) } : undefined;
}
