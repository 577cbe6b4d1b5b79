/**
 * The whole reading of a configuration: the text of files in, one Config and everything wrong with it out.
 *
 *   sources ─▶ dialect of each ─▶ parser of the dialect ─▶ one Config ─▶ checks
 */
import { checkConfig } from './check/check.ts';
import { refuseInterfaces } from './debian/interfaces.ts';
import { type Diagnostic, hasErrors } from './diagnostic.ts';
import { detectDialect } from './dialect.ts';
import { parseRcConf } from './freebsd/rc-conf.ts';
import { parseSysctlConf } from './freebsd/sysctl.ts';
import { parseHaproxy } from './haproxy/parse.ts';
import type { Environment } from './haproxy/tokenizer.ts';
import type { Carp, CarpHost, Config } from './model.ts';
import { Reporter } from './reporter.ts';

/** One file: its name as the user wrote it (for diagnostics) and its text. */
export type Source = { readonly file: string; readonly text: string };

export type LoadOptions = {
  /** For "${NAME}" in haproxy.cfg; none when left out. */
  readonly env?: Environment;
};

export type Loaded = {
  /** Undefined when there are errors. */
  readonly config: Config | undefined;
  /** In the order of the files and lines. */
  readonly diagnostics: readonly Diagnostic[];
};

export function loadConfig(sources: readonly Source[], { env = {} }: LoadOptions = {}): Loaded {
  const report = new Reporter();
  const of = (dialect: string): Source[] =>
    sources.filter((source) => detectDialect(source.file, source.text) === dialect);
  const haproxy = parseHaproxy(of('haproxy'), env, report);
  const carp_host = parseSysctlConf(of('sysctl.conf'), report);
  refuseInterfaces(of('interfaces'), report);
  const config: Config = {
    files: sources.map(({ file }) => file),
    global: haproxy.global,
    frontends: haproxy.frontends,
    backends: haproxy.backends,
    carps: withHostPreempt([...haproxy.carps, ...parseRcConf(of('rc.conf'), report)], carp_host),
    carp_host,
    interface_names: [],
  };
  checkConfig(config, report);
  const diagnostics = inFileOrder(report.diagnostics, config.files);
  return { config: hasErrors(diagnostics) ? undefined : config, diagnostics };
}

/** net.inet.carp.preempt holds for every vhid of the host. */
function withHostPreempt(carps: readonly Carp[], { preempt }: CarpHost): Carp[] {
  return carps.map((carp) => ({ ...carp, preempt: carp.preempt || preempt }));
}

function inFileOrder(diagnostics: readonly Diagnostic[], files: readonly string[]): Diagnostic[] {
  const place = ({ span }: Diagnostic) => files.indexOf(span.file);
  return [...diagnostics].sort(
    (a, b) => place(a) - place(b) || a.span.line - b.span.line || a.span.column - b.span.column,
  );
}
