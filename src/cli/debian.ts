/**
 * `carpool debian up|down IFACE`: what ifupdown's hooks call (packaging/debian). `up` starts a daemon in the background for
 * the stanza that is in the environment, `down` ends it. By hand, without that environment, the stanza is looked up.
 */

import { existsSync } from 'node:fs';
import { checkConfig } from '../config/check/check.ts';
import { asksForUcarp, parseHookEnvironment } from '../config/debian/hook-environment.ts';
import { hasErrors } from '../config/diagnostic.ts';
import { loadFiles } from '../config/files.ts';
import type { Config } from '../config/model.ts';
import { emptyConfig } from '../config/model-defaults.ts';
import { Reporter } from '../config/reporter.ts';
import { SYSLOG_FACILITIES } from '../config/syslog-facilities.ts';
import { endDaemons, findDaemons } from '../control/other-daemons.ts';
import { ucarpSocketPaths } from '../control/socket-path.ts';
import { isInBackground, runInBackground } from './background.ts';
import { complain } from './complain.ts';
import { reportDiagnostics } from './run.ts';
import { runAsUcarp } from './ucarp.ts';

const INTERFACES = '/etc/network/interfaces';

/** Resolves to the exit status: 0 also when the stanza asks for nothing. */
export async function runDebian(words: readonly string[]): Promise<number> {
  const [verb, link = process.env['IFACE'] ?? '', ...rest] = words;
  if ((verb !== 'up' && verb !== 'down') || link === '' || rest.length > 0) {
    return complain('Write `carpool debian up IFACE` or `carpool debian down IFACE`.');
  }
  return verb === 'up' ? up(link) : endDaemons(configName(link), process.env);
}

async function up(link: string): Promise<number> {
  const by_hook = process.env['IFACE'] !== undefined;
  if (by_hook && !asksForUcarp(process.env)) return 0;
  const respawned = isInBackground(process.env);
  const config = by_hook ? readEnvironment(link, respawned) : readInterfaces(link, respawned);
  if (config === undefined) return 1;
  if (!respawned) return startUnlessRunning(link, config);
  const facility = SYSLOG_FACILITIES[process.env['IF_UCARP_FACILITY'] ?? ''] ?? SYSLOG_FACILITIES['daemon'];
  const { vhid } = config.carps[0]!;
  const paths = ucarpSocketPaths(`${link}-${vhid}`, process.env);
  return runAsUcarp(config, { background: true, facility, debug: false }, paths);
}

/** `ifup --force` and a second `carpool debian up` find the daemon that runs. */
async function startUnlessRunning(link: string, { carps }: Config): Promise<number> {
  const others = await findDaemons(configName(link), process.env);
  const same = others.find(({ vhids }) => carps.some(({ vhid }) => vhids.includes(vhid)));
  if (same === undefined)
    return runInBackground([process.argv[1]!, 'debian', 'up', link], withoutIfupdown(process.env));
  process.stderr.write(`carpool: ${link} has its daemon already, pid ${same.pid}.\n`);
  return 0;
}

/** By this `down` knows the daemon that `up` started; `carpool status` shows it. */
function configName(link: string): string {
  return `ifup ${link}`;
}

function readEnvironment(link: string, quiet: boolean): Config | undefined {
  const report = new Reporter();
  const carp = parseHookEnvironment(link, process.env, { hasScript: existsSync }, report);
  const config = { ...emptyConfig([configName(link)]), carps: carp === undefined ? [] : [carp] };
  checkConfig(config, report);
  if (!quiet) reportDiagnostics(report.diagnostics, false);
  return carp === undefined || hasErrors(report.diagnostics) ? undefined : config;
}

function readInterfaces(link: string, quiet: boolean): Config | undefined {
  const { config, diagnostics } = loadFiles([INTERFACES]);
  // what is not asked for here is no mistake: said below in one sentence
  const mistakes = diagnostics.filter(({ code }) => code !== 'no-listener' && code !== 'nothing-to-do');
  if (!quiet) reportDiagnostics(mistakes, false);
  const carps = config?.carps.filter((carp) => carp.interface === link) ?? [];
  if (!hasErrors(mistakes) && carps.length === 0)
    process.stderr.write(`carpool: No stanza of ${link} in ${INTERFACES} has options of ucarp.\n`);
  return carps.length === 0 ? undefined : { ...emptyConfig([configName(link)]), carps };
}

/** ifupdown marks what it is doing, so as to notice loops; the scripts of a later moment call it on their own account. */
function withoutIfupdown(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(env).filter(([name]) => !name.startsWith('IFUPDOWN_')));
}
