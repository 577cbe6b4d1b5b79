/**
 * The whole reading of a configuration: the text of files in, one Config and everything wrong with it out.
 *
 *   sources ─▶ dialect of each ─▶ parser of the dialect ─▶ one Config ─▶ checks
 */
import { checkConfig } from './check/check.ts';
import { parseInterfaces } from './debian/interfaces.ts';
import { type Diagnostic, hasErrors } from './diagnostic.ts';
import { type Dialect, detectDialect } from './dialect.ts';
import { parseRcConf } from './freebsd/rc-conf.ts';
import { applySysctls, parseSysctlConf } from './freebsd/sysctl.ts';
import { parseHaproxy } from './haproxy/parse.ts';
import type { Environment } from './haproxy/tokenizer.ts';
import type { Carp, Config, InterfaceName } from './model.ts';
import { parseHostnameFiles } from './openbsd/hostname.ts';
import { Reporter } from './reporter.ts';

/** One file: its name as the user wrote it (for diagnostics) and its text. */
export type Source = {
  readonly file: string;
  readonly text: string;
  /** When the file itself does not tell. */
  readonly dialect?: Dialect;
};

export type LoadOptions = {
  /** For "${NAME}" in haproxy.cfg; none when left out. */
  readonly env?: Environment;
  /** Written before absolute paths when they are read: for a process in a chroot. */
  readonly root?: string;
  /** The text of a file of patterns (`acl … -f`); undefined: it cannot be read. */
  readonly readPatterns?: (path: string) => string | undefined;
  /** Of Debian's interfaces: whether a default script may be run for a stanza of that file; none when left out. */
  readonly hasScript?: (path: string, file: string) => boolean;
};

export type Loaded = {
  /** Undefined when there are errors. */
  readonly config: Config | undefined;
  /** In the order of the files and lines. */
  readonly diagnostics: readonly Diagnostic[];
};

export function loadConfig(
  sources: readonly Source[],
  { env = {}, hasScript = () => false, readPatterns = () => undefined }: LoadOptions = {},
): Loaded {
  const report = new Reporter();
  const of = (dialect: string): Source[] =>
    sources.filter((source) => (source.dialect ?? detectDialect(source.file, source.text)) === dialect);
  const haproxy = parseHaproxy(of('haproxy'), { env, readPatterns }, report);
  const carp_host = applySysctls(parseSysctlConf(of('sysctl.conf'), report), haproxy.sysctls);
  const written = [
    ...haproxy.carps,
    ...parseRcConf(of('rc.conf'), report),
    ...parseHostnameFiles(of('hostname'), report),
    ...parseInterfaces(of('interfaces'), { hasScript }, report),
  ];
  const config: Config = {
    files: sources.map(({ file }) => file),
    global: haproxy.global,
    frontends: haproxy.frontends,
    backends: haproxy.backends,
    resolvers: haproxy.resolvers,
    rings: haproxy.rings,
    userlists: haproxy.userlists,
    carps: renameInterfaces(written, haproxy.interface_names),
    carp_host,
    interface_names: haproxy.interface_names,
  };
  checkConfig(config, report);
  heedZeroWarning(config, report);
  const diagnostics = inFileOrder(report.diagnostics, config.files);
  return { config: hasErrors(diagnostics) ? undefined : config, diagnostics };
}

/** What has no effect here has one in HAProxy, which says nothing of it. */
function heedZeroWarning({ global }: Config, report: Reporter): void {
  const told = report.diagnostics.filter(({ severity, code }) => severity === 'warning' && code !== 'no-effect');
  const span = global.spans['zero_warning'];
  if (!global.zero_warning || span === undefined || told.length === 0) return;
  const message = `\`zero-warning\` allows no warning, and there ${told.length === 1 ? 'is one' : `are ${told.length}`}.`;
  report.error(span, 'zero-warning', message, 'Mend what the warnings say, or remove `zero-warning`.');
}

/** `em0` of an rc.conf becomes the link that it stands for here. */
export function renameInterfaces(carps: readonly Carp[], names: readonly InterfaceName[]): Carp[] {
  return carps.map((carp) => {
    const link = names.find(({ name }) => name === carp.interface)?.link;
    return link === undefined ? carp : { ...carp, interface: link };
  });
}

function inFileOrder(diagnostics: readonly Diagnostic[], files: readonly string[]): Diagnostic[] {
  const place = ({ span }: Diagnostic) => files.indexOf(span.file);
  return [...diagnostics].sort(
    (a, b) => place(a) - place(b) || a.span.line - b.span.line || a.span.column - b.span.column,
  );
}
