// Several runs of node:test as one spec report with one set of closing lines.
//
//   phase ─► phase ─► … ─► report ─► if something failed in few files: these files once more, alone ─► report of that
//
// Many tests hold real peers and real time on a machine that is full of the other tests. What fails there is reported like
// any failure; only what fails alone too fails the run, and how much that changed is said above the closing lines.
import { setMaxListeners } from 'node:events';
import { run } from 'node:test';
import { spec } from 'node:test/reporters';

/** Failures in more files than these are no accident: nothing is run again. */
const FILES_AGAIN = 3;

/**
 * Runs the phases one after the other; resolves to the exit status.
 * @param {{ files: string[], concurrency: number }[]} phases compiled test files
 * @param {{ name?: string | undefined, file_ms: number, total_ms: number }} options
 * @returns {Promise<number>}
 */
export async function report(phases, { name, file_ms, total_ms }) {
  const signal = AbortSignal.timeout(total_ms);
  setMaxListeners(0, signal); // every file listens to it
  const pattern = name === undefined ? {} : { testNamePatterns: [name] };
  // what a test that failed left open shall not hold its file up: all tests are known once a file is loaded
  const options = { timeout: file_ms, signal, forceExit: true, ...pattern };

  const first = await runAll(phases, options);
  await close(first.reporter, first.totals);
  if (first.failed.size === 0 || first.failed.size > FILES_AGAIN || first.counterexample) return status(first.totals);

  process.stdout.write('\nNow alone, file by file, what failed beside other tests:\n\n');
  const again = await runAll([{ files: [...first.failed], concurrency: 1 }], options);
  const { totals, better } = inAll(first.totals, again.totals);
  diagnose(again.reporter, `${better} failed beside other tests only, and count as passed`);
  await close(again.reporter, totals);
  return status(totals);
}

/** The phases' events go to one reporter, all but their closing lines, which are added up. */
async function runAll(/** @type {{ files: string[], concurrency: number }[]} */ phases, /** @type {object} */ options) {
  const reporter = new spec();
  reporter.pipe(process.stdout, { end: false });
  /** @type {Map<string, number>} */
  const totals = new Map();
  /** @type {Set<string>} */
  const failed = new Set();
  let counterexample = false;
  for (const phase of phases.filter(({ files }) => files.length > 0)) {
    for await (const event of run({ ...phase, ...options })) {
      const total = closingLine(event);
      if (total) totals.set(total.name, (totals.get(total.name) ?? 0) + total.value);
      else if (event.type !== 'test:summary') reporter.write(event);
      // a file is a test to the runner; the place of a test in it may be in a module that several files share
      const { name, details } = event.type === 'test:complete' ? event.data : {};
      if (details?.passed === false && phase.files.includes(name)) failed.add(name);
      if (event.type === 'test:fail') counterexample ||= isCounterexample(event.data.details.error);
    }
  }
  return { reporter, totals, failed, counterexample };
}

/** What a random run found is true however another random run ends. */
function isCounterexample(/** @type {any} */ { cause }) {
  return String(cause?.message ?? cause).startsWith('Property failed');
}

/** The closing lines of a run of which all that failed was run again. */
function inAll(/** @type {Map<string, number>} */ first, /** @type {Map<string, number>} */ again) {
  const bad = (/** @type {Map<string, number>} */ totals) => (totals.get('fail') ?? 0) + (totals.get('cancelled') ?? 0);
  const better = Math.max(0, bad(first) - bad(again));
  const totals = new Map(first);
  for (const what of ['fail', 'cancelled']) totals.set(what, again.get(what) ?? 0);
  totals.set('pass', (first.get('pass') ?? 0) + better);
  totals.set('duration_ms', (first.get('duration_ms') ?? 0) + (again.get('duration_ms') ?? 0));
  return { totals, better };
}

/** `pass 12` and its like, which the runner says once at the end of a run, or undefined. */
function closingLine(/** @type {{ type: string, data: any }} */ event) {
  if (event.type !== 'test:diagnostic' || event.data.nesting !== 0) return undefined;
  const match = /^(tests|suites|pass|fail|cancelled|skipped|todo|duration_ms) ([\d.]+)$/.exec(event.data.message);
  return match ? { name: match[1], value: Number(match[2]) } : undefined;
}

/** Says the closing lines, and resolves when all is written. */
async function close(/** @type {spec} */ reporter, /** @type {Map<string, number>} */ totals) {
  for (const [what, value] of totals) {
    diagnose(reporter, `${what} ${Math.round(value * 1000) / 1000}`);
  }
  const ended = new Promise((resolve) => reporter.once('end', resolve));
  reporter.end();
  await ended;
}

function diagnose(/** @type {spec} */ reporter, /** @type {string} */ message) {
  reporter.write({ type: 'test:diagnostic', data: { nesting: 0, message, level: 'info' } });
}

/** No pass at all is no success. */
function status(/** @type {Map<string, number>} */ totals) {
  const bad = ['fail', 'cancelled'].some((what) => (totals.get(what) ?? 0) > 0);
  return bad || !totals.has('pass') ? 1 : 0;
}
