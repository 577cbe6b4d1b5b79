/**
 * What is wrong with a configuration as a whole. These checks run on the model, so they hold for every dialect.
 * What needs the operating system (does the interface exist, is the port free) is checked when the daemon starts.
 */
import type { Config } from '../model.ts';
import type { Reporter } from '../reporter.ts';
import { checkCarps } from './carps.ts';
import { checkChecks } from './checks.ts';
import { checkProxies } from './proxies.ts';
import { checkResolvers } from './resolvers.ts';
import { checkRules } from './rules.ts';

export function checkConfig(config: Config, report: Reporter): void {
  checkProxies(config, report);
  checkRules(config, report);
  checkResolvers(config, report);
  checkChecks(config, report);
  checkCarps(config, report);
}
