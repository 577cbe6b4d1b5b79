/**
 * `carpool ucarp …`: ucarp's options as a Config with one vhid. Where ucarp cuts a number to eight bits in silence
 * (`-b 256` is 0 there), this refuses it.
 */
import { parsePass } from '../carp-values.ts';
import { checkConfig } from '../check/check.ts';
import { type Diagnostic, hasErrors, type Span } from '../diagnostic.ts';
import type { Carp, Config, Scripts, Track } from '../model.ts';
import { carpWith, emptyConfig } from '../model-defaults.ts';
import { Reporter } from '../reporter.ts';
import { readAsStrtoul } from '../strtoul.ts';
import { didYouMean } from '../suggest.ts';
import { SYSLOG_FACILITIES } from '../syslog-facilities.ts';
import { parseTrackWord } from '../track.ts';
import { isIPv4, parseInteger, reportPlaceholder } from '../values.ts';
import type { Word } from '../word.ts';
import { type GivenOption, readOptions, UCARP_OPTIONS } from './options.ts';

/** What of the command line is about the process, not about the vhid. */
export type UcarpProcess = {
  /** `-B` */
  readonly background: boolean;
  /** Of syslog, 0..23 (`-f`); undefined with `-f none`. */
  readonly facility: number | undefined;
  /** `-D` */
  readonly debug: boolean;
};

export type UcarpCommand = {
  /** Undefined when there are errors, or when only the usage is wanted. */
  readonly config: Config | undefined;
  readonly process: UcarpProcess;
  readonly diagnostics: readonly Diagnostic[];
  /** Print ucarpUsage() before leaving. */
  readonly shows_usage: boolean;
  /** What to leave with when there is no config, as ucarp does: 0 after the usage, 2 for a password too long, else 1. */
  readonly exit_status: number;
};

export type UcarpInputs = {
  /** The text of the file that -o names, or the sentence why it cannot be read. */
  readonly readPassFile?: (path: string) => { text: string } | { problem: string };
};

export function parseUcarpCommand(argv: readonly string[], { readPassFile }: UcarpInputs = {}): UcarpCommand {
  const report = new Reporter();
  const { given, shows_usage } = readOptions(argv, report);
  const settings = new Settings(given, report, readPassFile);
  const process = settings.process();
  const { diagnostics } = report;
  if (shows_usage) return { config: undefined, process, diagnostics, shows_usage, exit_status: 0 };
  const carp = settings.carp();
  const base = emptyConfig([]);
  const daemon = process.background;
  const config = { ...base, global: { ...base.global, daemon }, carps: carp === undefined ? [] : [carp] };
  checkConfig(config, report);
  if (!hasErrors(diagnostics)) return { config, process, diagnostics, shows_usage, exit_status: 0 };
  const isPassword = diagnostics.every(({ severity, code }) => severity === 'warning' || code === 'password-too-long');
  return { config: undefined, process, diagnostics, shows_usage, exit_status: isPassword ? 2 : 1 };
}

/** The options, one per line. */
export function ucarpUsage(): string {
  const lines = UCARP_OPTIONS.map(({ short, long, takes_value, help }) => {
    const names = `${short === undefined ? '   ' : `-${short},`} --${long}${takes_value ? ' VALUE' : ''}`;
    return `  ${names.padEnd(26)}${help}`;
  });
  return ['Usage: carpool ucarp [OPTION]…', '', ...lines, ''].join('\n');
}

/** Seen by nobody: stands for a value that was reported or is missing. */
const COMMAND_LINE: Span = { file: 'command line', line: 0, column: 0, end_column: 0 };

class Settings {
  readonly #given: readonly GivenOption[];
  readonly #report: Reporter;
  readonly #readPassFile: UcarpInputs['readPassFile'];
  readonly #spans: Record<string, Span> = {};

  constructor(given: readonly GivenOption[], report: Reporter, readPassFile: UcarpInputs['readPassFile']) {
    this.#given = given;
    this.#report = report;
    this.#readPassFile = readPassFile;
  }

  carp(): Carp | undefined {
    const vhid =
      this.#integer('vhid', 1, 255) ?? this.#missing('vhid', 'Add `-v` and a number, the same on every node.');
    const advbase = this.#integer('advbase', 0, 255, 1);
    const advskew = this.#integer('advskew', 0, 255, 0);
    const deadratio = this.#integer('deadratio', 1, 255, 3);
    const address = this.#address('addr', 'virtual address', 'Add `-a` and the address that the nodes share.');
    const source_address = this.#address('srcip', 'source address', 'Add `-s` and the real address of this host.');
    const pass = this.#pass();
    const scripts = this.#scripts();
    if (vhid === undefined || address === undefined || source_address === undefined) return undefined;
    if (pass === undefined || advbase === undefined || advskew === undefined || deadratio === undefined)
      return undefined;
    const span = this.#spans['addresses'];
    return carpWith({
      name: address.text,
      dialect: 'ucarp',
      interface: this.#interface(),
      vhid,
      pass,
      addresses: [{ address: address.text, prefix_length: 32, span }],
      advbase,
      advskew,
      preempt: this.#has('preempt'),
      deadratio,
      source_address: source_address.text,
      multicast_address: this.#multicastAddress(),
      broadcast: this.#has('nomcast'),
      ignore_link_state: this.#has('ignoreifstate'),
      tracks: this.#tracks(),
      scripts,
      span,
      spans: this.#spans,
    });
  }

  process(): UcarpProcess {
    return { background: this.#has('daemonize'), facility: this.#facility(), debug: this.#has('debug') };
  }

  /** As in ucarp an unknown name is only worth a line. */
  #facility(): number | undefined {
    const value = this.#last('facility')?.value;
    if (value?.text === 'none') return undefined;
    const found = SYSLOG_FACILITIES[value?.text ?? 'daemon'];
    if (found !== undefined) return found;
    const mend = didYouMean(value!.text, Object.keys(SYSLOG_FACILITIES)) ?? 'Write `daemon`, or `none` for no syslog.';
    this.#report.warning(value!.span, 'unknown-value', `\`${value!.text}\` is not a facility of syslog.`, mend);
    return SYSLOG_FACILITIES['daemon'];
  }

  /** The last one given wins, as in ucarp. */
  #last(...names: string[]): GivenOption | undefined {
    return this.#given.filter(({ option }) => names.includes(option.long)).pop();
  }

  #has(name: string): boolean {
    return this.#last(name) !== undefined;
  }

  /** Says so unless it was given (and, being wrong, reported). */
  #missing(name: string, mend: string): undefined {
    if (this.#has(name)) return undefined;
    return this.#report.error(COMMAND_LINE, `${name}-missing`, `\`--${name}\` is missing.`, mend);
  }

  /** Decimal or, as strtoul does, with 0x (hexadecimal) or 0 (octal) in front. */
  #integer(name: string, min: number, max: number, otherwise?: number): number | undefined {
    const value = this.#last(name)?.value;
    if (value === undefined) return otherwise;
    this.#spans[name] = value.span;
    return parseInteger(readAsStrtoul(value), { what: name, min, max }, this.#report);
  }

  #interface(): string | undefined {
    const value = this.#last('interface')?.value;
    if (value === undefined) return undefined;
    this.#spans['interface'] = value.span;
    return value.text;
  }

  #address(name: 'addr' | 'srcip', what: string, mend: string): Word | undefined {
    const value = this.#last(name)?.value;
    if (value === undefined) return this.#missing(name, mend);
    this.#spans[name === 'addr' ? 'addresses' : 'source_address'] = value.span;
    if (reportPlaceholder(value, what, this.#report)) return undefined;
    if (isIPv4(value.text)) return value;
    const message = `The ${what} \`${value.text}\` is not an IPv4 address.`;
    const example = 'Write four numbers, such as `10.10.0.1`, without a prefix length.';
    return this.#report.error(value.span, 'bad-address', message, example);
  }

  #multicastAddress(): string | undefined {
    const value = this.#last('mcastip')?.value;
    if (value === undefined) return undefined;
    this.#spans['multicast_address'] = value.span;
    const first = Number(value.text.split('.')[0]);
    if (isIPv4(value.text) && first >= 224 && first <= 239) return value.text;
    const message = `\`${value.text}\` is not an IPv4 multicast group.`;
    return this.#report.error(value.span, 'bad-address', message, 'Write one from 224.0.0.0 to 239.255.255.255.');
  }

  #tracks(): Track[] {
    const words = this.#given.filter(({ option }) => option.long === 'track').map(({ value }) => value);
    return words.flatMap((word) => parseTrackWord(word, this.#report) ?? []);
  }

  #pass(): string | undefined {
    const given = this.#last('pass', 'passfile');
    if (given === undefined)
      return this.#missing(
        'pass',
        'Add `-p` and a password, or `-o` and a file that holds it, the same on every node.',
      );
    this.#spans['pass'] = given.value.span;
    const word = given.option.long === 'pass' ? given.value : this.#firstLineOf(given.value);
    if (word === undefined) return undefined;
    if (word.text === '')
      return this.#report.error(
        word.span,
        'pass-missing',
        'The password is empty.',
        'Choose one, the same on every node.',
      );
    return parsePass(word, this.#report);
  }

  #firstLineOf(path: Word): Word | undefined {
    const read = this.#readPassFile?.(path.text) ?? {
      problem: `The password file \`${path.text}\` cannot be read here.`,
    };
    if ('problem' in read)
      return this.#report.error(
        path.span,
        'unreadable-file',
        read.problem,
        'Give a file whose first line is the password.',
      );
    return { text: read.text.split('\n')[0], span: path.span };
  }

  #script(name: 'upscript' | 'downscript'): string | undefined {
    const value = this.#last(name)?.value;
    if (value !== undefined) this.#spans[name] = value.span;
    return value?.text;
  }

  #scripts(): Scripts | undefined {
    const up = this.#script('upscript');
    const down = this.#script('downscript');
    const exit = this.#last('shutdown');
    if (exit !== undefined && down === undefined)
      this.#report.warning(exit.at.span, 'no-effect', '`--shutdown` has no effect without `--downscript`.');
    if (up === undefined && down === undefined) return undefined;
    return {
      up,
      down,
      xparam: this.#last('xparam')?.value.text,
      down_at_exit: exit !== undefined,
      neutral: this.#has('neutral'),
    };
  }
}
