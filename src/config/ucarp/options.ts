/**
 * ucarp's command line as getopt_long reads it: `-v 1`, `-v1`, `-zPn`, `--vhid=1`, `--vhid 1`, unambiguous prefixes.
 * Which options there are, not what they mean.
 */
import type { Reporter } from '../reporter.ts';
import { didYouMean } from '../suggest.ts';
import type { Word } from '../word.ts';

export type UcarpOption = {
  readonly short: string | undefined;
  readonly long: string;
  readonly takes_value: boolean;
  /** One sentence for the usage text and the reference. */
  readonly help: string;
};

const option = (short: string | undefined, long: string, takes_value: boolean, help: string): UcarpOption => ({
  short,
  long,
  takes_value,
  help,
});

export const UCARP_OPTIONS: readonly UcarpOption[] = [
  option('i', 'interface', true, 'The network interface (the one that has the source address).'),
  option('s', 'srcip', true, 'The own, real address of this host.'),
  option('v', 'vhid', true, 'The number, 1 to 255, that all nodes of one address share.'),
  option('p', 'pass', true, 'The password that all nodes share, at most 19 bytes.'),
  option('o', 'passfile', true, 'A file whose first line is the password.'),
  option('a', 'addr', true, 'The virtual address.'),
  option('b', 'advbase', true, 'Seconds from one advert to the next (1).'),
  option('k', 'advskew', true, 'Added to advbase in 1/256 s (0); the node with the lower value is preferred.'),
  option('r', 'deadratio', true, 'How many times advbase a master may be silent (3).'),
  option('P', 'preempt', false, 'Take the address from a less preferred master.'),
  option('n', 'neutral', false, 'Do not run the down script at the start.'),
  option('u', 'upscript', true, 'Run it as `SCRIPT INTERFACE VIP` on becoming master.'),
  option('d', 'downscript', true, 'Run it as `SCRIPT INTERFACE VIP` on becoming backup.'),
  option('x', 'xparam', true, 'A third argument for the scripts.'),
  option('z', 'shutdown', false, 'Run the down script at the end.'),
  option('B', 'daemonize', false, 'Go to the background once the address is cared for.'),
  option('D', 'debug', false, 'Log every second what was sent and heard.'),
  option('f', 'facility', true, 'The facility of syslog (daemon); `none` for no syslog.'),
  option('S', 'ignoreifstate', false, 'Take the link for up, whatever the system says of it.'),
  option('M', 'nomcast', false, 'Send adverts to the Ethernet broadcast address.'),
  option(undefined, 'mcastip', true, 'The multicast group of the adverts (224.0.0.18).'),
  option(undefined, 'track', true, 'A service, `http://…` or `tcp:…`: be less preferred while it fails.'),
  option('h', 'help', false, 'Show the options.'),
];

/** An option as given: its place and, if it takes one, its value. */
export type GivenOption = { readonly option: UcarpOption; readonly at: Word; readonly value: Word };

export type GivenOptions = {
  readonly given: readonly GivenOption[];
  /** ucarp shows its usage and leaves with status 0 on `-h` and on every option that it cannot read. */
  readonly shows_usage: boolean;
};

export function readOptions(argv: readonly string[], report: Reporter): GivenOptions {
  const reader = new OptionReader(toWords(argv), report);
  return { given: reader.read(), shows_usage: reader.shows_usage };
}

/** Columns count in the arguments joined with spaces. */
function toWords(argv: readonly string[]): Word[] {
  let column = 1;
  return argv.map((text) => {
    const span = { file: 'command line', line: 1, column, end_column: column + text.length };
    column += text.length + 1;
    return { text, span };
  });
}

class OptionReader {
  readonly #words: readonly Word[];
  readonly #report: Reporter;
  #at = 0;
  shows_usage = false;

  constructor(words: readonly Word[], report: Reporter) {
    this.#words = words;
    this.#report = report;
  }

  read(): GivenOption[] {
    const given: GivenOption[] = [];
    while (this.#at < this.#words.length) {
      const word = this.#words[this.#at++];
      if (word.text === '--') break;
      if (word.text.startsWith('--')) given.push(...this.#long(word));
      else if (word.text.startsWith('-') && word.text.length > 1) given.push(...this.#short(word));
      else this.#passOver(word);
    }
    for (const word of this.#words.slice(this.#at)) this.#passOver(word);
    this.shows_usage ||= given.some(({ option: { long } }) => long === 'help');
    return given;
  }

  #long(word: Word): GivenOption[] {
    const [, name, attached] = /^--([^=]*)(?:=([\s\S]*))?$/.exec(word.text) ?? ['', '', undefined];
    const matching = UCARP_OPTIONS.filter(({ long }) => long.startsWith(name));
    const found = matching.find(({ long }) => long === name) ?? (matching.length === 1 ? matching[0] : undefined);
    if (found === undefined) {
      const names = UCARP_OPTIONS.map(({ long }) => `--${long}`);
      const mend =
        matching.length > 1
          ? `It could be ${matching.map(({ long }) => `\`--${long}\``).join(' or ')}.`
          : didYouMean(word.text, names);
      return this.#unusable(word, `\`--${name}\` is not an option of ucarp.`, mend);
    }
    if (attached === undefined) return this.#complete(found, word);
    if (!found.takes_value) return this.#unusable(word, `\`--${found.long}\` takes no value.`);
    const column = word.span.column + name.length + 3;
    return [{ option: found, at: word, value: { text: attached, span: { ...word.span, column } } }];
  }

  /** `-zPn` are three options; after one that takes a value, the rest of the word is the value. */
  #short(word: Word): GivenOption[] {
    const given: GivenOption[] = [];
    for (let index = 1; index < word.text.length; index++) {
      const letter = word.text[index];
      const found = UCARP_OPTIONS.find(({ short }) => short === letter);
      if (found === undefined)
        return [...given, ...this.#unusable(word, `\`-${letter}\` is not an option of ucarp.`, mendOf(letter))];
      const rest = word.text.slice(index + 1);
      if (found.takes_value && rest !== '') {
        const column = word.span.column + index + 1;
        return [...given, { option: found, at: word, value: { text: rest, span: { ...word.span, column } } }];
      }
      given.push(...this.#complete(found, word));
    }
    return given;
  }

  #complete(found: UcarpOption, word: Word): GivenOption[] {
    if (!found.takes_value) return [{ option: found, at: word, value: word }];
    const value = this.#words[this.#at];
    if (value === undefined) return this.#unusable(word, `\`${word.text}\` needs a value.`);
    this.#at++;
    return [{ option: found, at: word, value }];
  }

  /** As ucarp does, without a word; mostly it is the rest of a value whose quotes were forgotten. */
  #passOver(word: Word): void {
    const mend = 'A value with spaces needs quotes around it.';
    this.#report.warning(
      word.span,
      'unexpected-word',
      `\`${word.text}\` belongs to no option and is passed over.`,
      mend,
    );
  }

  #unusable(word: Word, message: string, mend?: string): [] {
    this.shows_usage = true;
    this.#report.error(word.span, 'unknown-option', message, mend);
    return [];
  }
}

/** Its own help lists `-m`, and refuses it. */
function mendOf(letter: string): string {
  return letter === 'm' ? 'Write `--mcastip` and the group.' : 'See `carpool ucarp --help`.';
}
