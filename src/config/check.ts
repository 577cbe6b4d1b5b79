/** What is wrong with a configuration as a whole. */
import type { Config } from './model.ts';
import type { Reporter } from './reporter.ts';

export function checkConfig(_config: Config, _report: Reporter): void {}
