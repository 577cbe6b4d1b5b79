/**
 * Every file that people write: it becomes a model, or diagnostics that say where and what. What became a model can be
 * written in every dialect, and the daemon's pure parts can be made of it.
 */
import assert from 'node:assert/strict';
import { convert, TARGETS } from '#src/config/convert/convert.js';
import { type Diagnostic, formatDiagnostic } from '#src/config/diagnostic.js';
import { loadConfig } from '#src/config/load.js';
import type { Config } from '#src/config/model.js';
import { planChecks } from '#src/health/plan.js';
import { parseScenario } from '#src/lab/scenario-parser.js';
import { pick } from './dice.js';
import type { Target, Trial } from './target.js';
import { type Corpus, drawText, goldenTexts } from './texts.js';
import * as w from './words.js';

/** Of one reading: a sentence may be true in many places (config/reporter.ts). */
const DIAGNOSTICS_MOST = 2001;
const SOME_CARP = 'carp web\n interface eth0\n vhid 1\n pass x\n address 10.0.0.1/16\n';
const env = { A: 'x', MODE: 'http', HOST: '127.0.0.1', PORT: '80' };

export const CONFIGURATIONS: readonly Target[] = [
  file('haproxy.cfg', 'haproxy', w.HAPROXY_WORDS, ['haproxy.cfg']),
  file('rc.conf', 'rc.conf', w.RC_WORDS, ['rc.conf']),
  file('sysctl.conf', 'sysctl.conf', w.SYSCTL_WORDS, ['sysctl.conf']),
  file('hostname.carpN', 'hostname', w.HOSTNAME_WORDS, ['hostname.carp0', 'ifconfig.carp1', 'hostname.em0']),
  file('interfaces', 'interfaces', w.INTERFACES_WORDS, ['interfaces']),
  file('some.conf', 'haproxy', [...w.HAPROXY_WORDS, ...w.RC_WORDS, ...w.INTERFACES_WORDS], ['some.conf']),
  {
    name: 'scenario',
    draw: (random) => scenarioTrial(drawText(random, { texts: scenarios(), words: w.SCENARIO_WORDS })),
  },
];

function file(name: string, dialect: string, words: readonly string[], files: readonly string[]): Target {
  let corpus: Corpus | undefined;
  return {
    name,
    draw(random) {
      corpus ??= { texts: goldenTexts(dialect), words };
      return configTrial(pick(random, files), drawText(random, corpus));
    },
  };
}

let scenario_texts: string[][] | undefined;
function scenarios(): string[][] {
  scenario_texts ??= w.scenarioTexts();
  return scenario_texts;
}

function configTrial(file: string, text: string): Trial {
  return { run: () => loadAndUse(file, text), print: () => `--- ${file}\n${text}` };
}

function loadAndUse(file: string, text: string): string {
  // settings of the host alone are no configuration
  const beside = file === 'sysctl.conf' ? [{ file: 'carp.cfg', text: SOME_CARP }] : [];
  const { config, diagnostics } = loadConfig([...beside, { file, text }], { env, hasScript: () => true });
  checkDiagnostics(diagnostics, file, text);
  assert.equal(config === undefined, diagnostics.some(isError));
  if (config === undefined) return 'refused';
  for (const target of TARGETS) convert(config, target);
  planChecks(config);
  checkNative(config);
  return diagnostics.length > 0 ? 'accepted with warnings' : 'accepted';
}

/** What is written as carp sections is accepted, and says the same. */
function checkNative(config: Config): void {
  const [native] = convert(config, 'native').files;
  // a name of an interface alone is no configuration; conditions ask for backends, which are not converted
  if (native === undefined || config.carps.length === 0 || config.carps.some(({ demotions }) => demotions.length > 0))
    return;
  const again = loadConfig([{ file: 'haproxy.cfg', text: native.text }]);
  const errors = again.diagnostics.filter(isError).map(formatDiagnostic);
  assert.deepEqual(errors, [], `the carp section written for it is refused:\n${native.text}`);
  assert.equal(again.config?.carps.length, config.carps.length);
}

function checkDiagnostics(diagnostics: readonly Diagnostic[], file: string, text: string): void {
  const lines = text.split('\n').length;
  assert.ok(diagnostics.length <= DIAGNOSTICS_MOST, 'too many diagnostics');
  for (const diagnostic of diagnostics) {
    const { span, message, mend } = diagnostic;
    const said = formatDiagnostic(diagnostic);
    assert.equal(span.file, file, said);
    assert.ok(span.line <= lines && span.column >= 0 && span.end_column >= span.column, `its place is wrong: ${said}`);
    if (!text.includes('undefined'))
      assert.doesNotMatch(`${message} ${mend}`.replace(/ undefined$/, ''), /undefined|\[object/);
  }
}

function scenarioTrial(text: string): Trial {
  const run = () => {
    const { scenario, diagnostics } = parseScenario('x.scenario', text);
    assert.equal(scenario === undefined, diagnostics.some(isError));
    for (const diagnostic of diagnostics) formatDiagnostic(diagnostic);
    return scenario === undefined ? 'refused' : 'accepted';
  };
  return { run, print: () => text };
}

function isError({ severity }: Diagnostic): boolean {
  return severity === 'error';
}
