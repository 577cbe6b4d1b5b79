/**
 * Which lines of a file hold (manual 2.4): `.if`, `.elif`, `.else`, `.endif`, and the four directives that say something.
 *
 *   .if true ──▶ holding ──.elif, .else──▶ over
 *   .if false ─▶ looking ──.elif true, .else──▶ holding
 *                         inside a block that does not hold: over
 */
import type { Reporter } from '../reporter.ts';
import { didYouMean } from '../suggest.ts';
import { spanOf, type Word } from '../word.ts';
import { evaluateCondition } from './condition.ts';
import type { Environment, Line } from './tokenizer.ts';

const HOLDING = 0;
const LOOKING = 1;
const OVER = 2;

type Block = { readonly opened: Word; state: typeof HOLDING | typeof LOOKING | typeof OVER; has_else: boolean };

const DEEPEST = 100;
const DIRECTIVES = ['.if', '.elif', '.else', '.endif', '.diag', '.notice', '.warning', '.alert'];

export class ConditionalLines {
  readonly #report: Reporter;
  readonly #env: Environment;
  readonly #blocks: Block[] = [];

  constructor(report: Reporter, env: Environment) {
    this.#report = report;
    this.#env = env;
  }

  /** Is the line part of the configuration? A directive never is. */
  holds(line: Line): boolean {
    const [word, ...args] = line;
    if (!word.text.startsWith('.')) return this.#holding();
    if (word.text === '.if') this.#open(word, args);
    else if (word.text === '.elif' || word.text === '.else') this.#turn(word, args);
    else if (word.text === '.endif') this.#close(word);
    else if (!DIRECTIVES.includes(word.text)) this.#refuse(word);
    else if (this.#holding()) this.#say(word, args);
    return false;
  }

  /** At the end of a file. */
  finish(): void {
    const open = this.#blocks.splice(0).pop();
    if (open === undefined) return;
    const mend = 'Write `.endif` behind the last line that the condition is for.';
    this.#report.error(open.opened.span, 'unclosed-block', 'This block has no end.', mend);
  }

  #holding(): boolean {
    return this.#blocks.every(({ state }) => state === HOLDING);
  }

  #open(word: Word, args: readonly Word[]): void {
    if (this.#blocks.length === DEEPEST) {
      this.#report.error(word.span, 'out-of-range', `Blocks are at most ${DEEPEST} deep.`);
      return;
    }
    const state = this.#holding() ? this.#evaluate(word, args) : OVER;
    this.#blocks.push({ opened: word, state, has_else: false });
  }

  #turn(word: Word, args: readonly Word[]): void {
    const block = this.#blocks.at(-1);
    if (block === undefined || block.has_else) {
      const message = block
        ? `\`${word.text}\` stands behind \`.else\`.`
        : `There is no \`.if\` before \`${word.text}\`.`;
      this.#report.error(word.span, 'no-block', message);
      return;
    }
    if (word.text === '.else') block.has_else = true;
    if (block.state === LOOKING) block.state = word.text === '.else' ? HOLDING : this.#evaluate(word, args);
    else block.state = OVER;
  }

  #close(word: Word): void {
    if (this.#blocks.pop() === undefined)
      this.#report.error(word.span, 'no-block', 'There is no `.if` before `.endif`.');
  }

  #evaluate(word: Word, args: readonly Word[]): Block['state'] {
    const outcome = evaluateCondition(args.map(({ text }) => text).join(' '), this.#env);
    if ('holds' in outcome) return outcome.holds ? HOLDING : LOOKING;
    const mend = 'Write for example `.if defined(NAME)` or `.if version_atleast(2.4)`.';
    const message = `This is no condition: ${outcome.problem}.`;
    this.#report.error(spanOf([word, ...args]), 'bad-condition', message, mend);
    return OVER;
  }

  #say(word: Word, args: readonly Word[]): void {
    const text = args.map((arg) => arg.text).join(' ') || 'Nothing is said here.';
    const span = spanOf([word, ...args]);
    if (word.text === '.alert') this.#report.error(span, 'alert', text);
    else if (word.text !== '.diag') this.#report.warning(span, word.text.slice(1), text);
  }

  #refuse(word: Word): void {
    const message = `\`${word.text}\` is no directive.`;
    this.#report.error(word.span, 'unknown-keyword', message, didYouMean(word.text, DIRECTIVES));
  }
}
