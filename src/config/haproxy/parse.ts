/** haproxy.cfg, from lines to sections: which section a line belongs to and which table knows its first word. */
import { type CarpDraft, newCarp } from '../carp-draft.ts';
import type { SysctlSetting } from '../freebsd/sysctl.ts';
import type { Backend, Carp, Frontend, Global, InterfaceName, Resolvers, Ring, Userlist } from '../model.ts';
import type { Reporter } from '../reporter.ts';
import { didYouMean } from '../suggest.ts';
import { spanOf, type Word } from '../word.ts';
import { parseBind } from './bind.ts';
import { CARP_KEYWORDS, finishCarp } from './carp.ts';
import { ConditionalLines } from './conditional-lines.ts';
import { type GlobalDraft, newDefaults, newGlobal, newProxy, type ProxyDraft, type ProxyKind } from './drafts.ts';
import { reportAddress } from './dropped.ts';
import { copyEnvironment } from './environment.ts';
import { finishErrorFiles, HTTP_ERRORS_KEYWORDS, type HttpErrorsDraft } from './error-file.ts';
import { type Around, finishBackend, finishFrontend } from './finish-proxy.ts';
import { finishGlobal, GLOBAL_KEYWORDS } from './global.ts';
import { GLOBAL_CARP_KEYWORDS } from './global-carp.ts';
import { type Context, checkName, type Keyword, refuseMore, type SectionKind, type Statement } from './keyword.ts';
import { HAPROXY_SECTIONS } from './known-keywords.ts';
import { PROXY_KEYWORDS } from './proxy.ts';
import { finishResolvers, newResolvers, RESOLVERS_KEYWORDS, type ResolversDraft } from './resolvers.ts';
import { finishRings, newRing, RING_KEYWORDS, type RingDraft } from './ring.ts';
import { type Environment, type Line, tokenize } from './tokenizer.ts';
import { isKeywordSomewhere, reportUnknownKeyword } from './unknown.ts';
import { finishUserlists, newUserlist, USERLIST_KEYWORDS, type UserlistDraft } from './userlist.ts';
import { reportWrongSection } from './wrong-section.ts';

export type HaproxyConfig = {
  readonly global: Global;
  readonly frontends: readonly Frontend[];
  readonly backends: readonly Backend[];
  readonly resolvers: readonly Resolvers[];
  readonly rings: readonly Ring[];
  readonly userlists: readonly Userlist[];
  readonly carps: readonly Carp[];
  readonly interface_names: readonly InterfaceName[];
  readonly sysctls: readonly SysctlSetting[];
};

/** Several files are one configuration, in order: a `defaults` of the first holds in the second. */
export function parseHaproxy(
  sources: readonly { file: string; text: string }[],
  { env, readPatterns }: { readonly env: Environment } & Pick<Context, 'readPatterns'>,
  report: Reporter,
): HaproxyConfig {
  const context = { report, env: copyEnvironment(env), readPatterns, asked_userlists: [] };
  const parser = new HaproxyParser(context);
  for (const { file, text } of sources) {
    const conditional = new ConditionalLines(report, context.env);
    parser.startFile();
    for (const line of tokenize(file, text, context.env, report)) if (conditional.holds(line)) parser.line(line);
    conditional.finish();
  }
  return parser.finish();
}

/** The section that the lines belong to; `skipped` is one that was reported as a whole. */
type Section =
  | { readonly kind: 'none' | 'skipped' }
  | { readonly kind: 'global' }
  | { readonly kind: 'proxy'; readonly draft: ProxyDraft }
  | { readonly kind: 'resolvers'; readonly draft: ResolversDraft }
  | { readonly kind: 'ring'; readonly draft: RingDraft }
  | { readonly kind: 'userlist'; readonly draft: UserlistDraft }
  | { readonly kind: 'http-errors'; readonly draft: HttpErrorsDraft }
  | { readonly kind: 'carp'; readonly draft: CarpDraft };

/** HAProxy's and our own. */
const GLOBAL_TABLE = [...GLOBAL_KEYWORDS, ...GLOBAL_CARP_KEYWORDS];

const SECTIONS = [
  'global',
  'defaults',
  'frontend',
  'backend',
  'listen',
  'resolvers',
  'ring',
  'userlist',
  'http-errors',
  'carp',
];

class HaproxyParser {
  readonly #context: Context;
  readonly #global: GlobalDraft = newGlobal();
  readonly #proxies: ProxyDraft[] = [];
  readonly #resolvers: ResolversDraft[] = [];
  readonly #rings: RingDraft[] = [];
  readonly #userlists: UserlistDraft[] = [];
  readonly #http_errors: HttpErrorsDraft[] = [];
  readonly #carps: CarpDraft[] = [];
  readonly #named_defaults = new Map<string, ProxyDraft>();
  #defaults = newDefaults();
  #section: Section = { kind: 'none' };

  constructor(context: Context) {
    this.#context = context;
  }

  startFile(): void {
    this.#section = { kind: 'none' };
  }

  line(words: Line): void {
    if (SECTIONS.includes(words[0].text)) this.#open(words);
    else if (HAPROXY_SECTIONS.includes(words[0].text)) this.#skip(words);
    else this.#statement(words);
  }

  #skip([word, first]: Line): void {
    const { report } = this.#context;
    if (word.text === 'peers' && this.#section.kind === 'carp' && first !== undefined) {
      const mend = `Write \`peer ${first.text}\`, and a line for each other node.`;
      report.error(word.span, 'unknown-keyword', '`peers` is no keyword of a `carp` section.', mend);
      return;
    }
    this.#section = { kind: 'skipped' };
    if (word.text === 'mailers') {
      report.warning(word.span, 'no-effect', '`mailers` has no effect yet: no mail is sent.');
      return;
    }
    report.error(
      word.span,
      'unsupported-section',
      `\`${word.text}\` sections are not supported yet.`,
      'Remove the section and what refers to it.',
    );
  }

  #open(words: Line): void {
    const [kind, ...rest] = words;
    const { report } = this.#context;
    if (kind.text === 'global') {
      this.#section = { kind: 'global' };
      refuseMore(rest, kind, report);
    } else if (kind.text === 'carp') {
      this.#openCarp(kind, rest);
    } else if (kind.text === 'resolvers') {
      this.#openResolvers(kind, rest);
    } else if (kind.text === 'ring') {
      this.#openRing(kind, rest);
    } else if (kind.text === 'userlist') {
      this.#openUserlist(kind, rest);
    } else if (kind.text === 'http-errors') {
      this.#openHttpErrors(kind, rest);
    } else {
      this.#openProxy(kind.text as ProxyKind, words);
    }
  }

  /** Without a name there is nothing to call it by, so what it says is checked but not used. */
  #openCarp(kind: Word, rest: readonly Word[]): void {
    const [name] = rest;
    this.#checkName(kind, name);
    refuseMore(rest.slice(1), name ?? kind, this.#context.report);
    const draft = newCarp(name?.text ?? '', spanOf(name === undefined ? [kind] : [kind, name]));
    if (name !== undefined) this.#carps.push(draft);
    this.#section = { kind: 'carp', draft };
  }

  #openResolvers(kind: Word, [name, ...more]: readonly Word[]): void {
    this.#checkName(kind, name);
    refuseMore(more, name ?? kind, this.#context.report);
    const draft = newResolvers(name?.text ?? '', spanOf(name === undefined ? [kind] : [kind, name]));
    if (name !== undefined) this.#resolvers.push(draft);
    this.#section = { kind: 'resolvers', draft };
  }

  #openRing(kind: Word, [name, ...more]: readonly Word[]): void {
    const { report } = this.#context;
    this.#checkName(kind, name);
    refuseMore(more, name ?? kind, report);
    if (name !== undefined && this.#rings.some((known) => known.name === name.text))
      report.error(spanOf([name]), 'duplicate-name', `There is a ring \`${name.text}\` already.`);
    const draft = newRing(name?.text ?? '', spanOf(name === undefined ? [kind] : [kind, name]));
    if (name !== undefined) this.#rings.push(draft);
    this.#section = { kind: 'ring', draft };
  }

  #openUserlist(kind: Word, [name, ...more]: readonly Word[]): void {
    const { report } = this.#context;
    this.#checkName(kind, name);
    refuseMore(more, name ?? kind, report);
    if (name !== undefined && this.#userlists.some((known) => known.name === name.text))
      report.error(spanOf([name]), 'duplicate-name', `There is a userlist \`${name.text}\` already.`);
    const draft = newUserlist(name?.text ?? '', spanOf(name === undefined ? [kind] : [kind, name]));
    if (name !== undefined) this.#userlists.push(draft);
    this.#section = { kind: 'userlist', draft };
  }

  #openHttpErrors(kind: Word, [name, ...more]: readonly Word[]): void {
    const { report } = this.#context;
    this.#checkName(kind, name);
    refuseMore(more, name ?? kind, report);
    if (this.#http_errors.some((known) => known.name === name?.text))
      report.error(spanOf([name]), 'duplicate-name', `There is an \`http-errors ${name.text}\` already.`);
    const draft = { name: name?.text ?? '', span: spanOf(name === undefined ? [kind] : [kind, name]), error_files: [] };
    if (name !== undefined) this.#http_errors.push(draft);
    this.#section = { kind: 'http-errors', draft };
  }

  /** `frontend NAME [from DEFAULTS]`; a `defaults` may be without a name. */
  #openProxy(kind: ProxyKind, words: Line): void {
    const from = words.findIndex((word, index) => index > 0 && word.text === 'from');
    const [keyword, name, ...more] = from < 0 ? words : words.slice(0, from);
    if (name !== undefined || kind !== 'defaults') this.#checkName(keyword, name);
    const has_address = reportAddress(kind, more, this.#context.report);
    if (!has_address) refuseMore(more, name ?? keyword, this.#context.report);
    const implied = kind === 'defaults' ? newDefaults() : this.#defaults;
    const base = from < 0 ? implied : this.#defaultsNamed(words, from);
    const draft = newProxy(kind, name, spanOf(name === undefined ? [keyword] : [keyword, name]), base);
    // so that nothing is said of a missing one
    if (has_address) parseBind(draft, { keyword, args: more, negated: false }, this.#context);
    this.#section = { kind: 'proxy', draft };
    if (kind === 'defaults') this.#addDefaults(draft, name);
    else if (name !== undefined) this.#proxies.push(draft);
  }

  #addDefaults(draft: ProxyDraft, name: Word | undefined): void {
    this.#defaults = draft;
    if (name !== undefined) this.#named_defaults.set(name.text, draft);
  }

  #checkName(kind: Word, name: Word | undefined): void {
    if (name !== undefined) return checkName(name, this.#context);
    const message = `${kind.text === 'http-errors' ? 'An' : 'A'} \`${kind.text}\` section needs a name.`;
    this.#context.report.error(kind.span, 'missing-value', message, `Write for example \`${kind.text} web\`.`);
  }

  #defaultsNamed(words: Line, from: number): ProxyDraft {
    const name = words[from + 1];
    refuseMore(words.slice(from + 2), name ?? words[from], this.#context.report);
    const found = name && this.#named_defaults.get(name.text);
    if (name === undefined)
      this.#context.report.error(words[from].span, 'missing-value', '`from` needs the name of a defaults section.');
    else if (found === undefined)
      this.#context.report.error(
        name.span,
        'unknown-defaults',
        `There is no \`defaults ${name.text}\` above.`,
        didYouMean(name.text, this.#named_defaults.keys()),
      );
    return found ?? newDefaults();
  }

  #statement(words: Line): void {
    const negated = words[0].text === 'no' && words.length > 1;
    const [keyword, ...args] = negated ? words.slice(1) : words;
    const statement: Statement = { keyword, args, negated };
    const section = this.#section;
    if (section.kind === 'global') this.#apply(GLOBAL_TABLE, this.#global, 'global', statement);
    else if (section.kind === 'proxy') this.#apply(PROXY_KEYWORDS, section.draft, section.draft.kind, statement);
    else if (section.kind === 'resolvers') this.#apply(RESOLVERS_KEYWORDS, section.draft, 'resolvers', statement);
    else if (section.kind === 'ring') this.#apply(RING_KEYWORDS, section.draft, 'ring', statement);
    else if (section.kind === 'userlist') this.#apply(USERLIST_KEYWORDS, section.draft, 'userlist', statement);
    else if (section.kind === 'http-errors') this.#apply(HTTP_ERRORS_KEYWORDS, section.draft, section.kind, statement);
    else if (section.kind === 'carp') this.#apply(CARP_KEYWORDS, section.draft, 'carp', statement);
    else if (section.kind === 'none') this.#reportOutside(keyword);
  }

  #apply<Draft>(table: readonly Keyword<Draft>[], draft: Draft, kind: SectionKind, statement: Statement): void {
    const { keyword, negated } = statement;
    const { report } = this.#context;
    const known = table.find(({ name }) => name === keyword.text);
    if (known === undefined && this.#looksLikeSection(keyword)) return;
    if (known === undefined) reportUnknownKeyword(statement, kind, this.#context);
    else if (!known.sections.includes(kind))
      reportWrongSection(keyword.text, keyword.span, kind, known.sections, report);
    else if (negated && !known.negatable)
      report.error(
        keyword.span,
        'no-negation',
        `\`no\` cannot stand before \`${keyword.text}\`.`,
        'Remove the whole line to undo it.',
      );
    else known.parse(draft, statement, this.#context);
  }

  /** A slip in a section's name: one report for it, and none for each line that then seems to stand in the section before. */
  #looksLikeSection({ text, span }: Word): boolean {
    const mend = span.column === 1 && !isKeywordSomewhere(text) ? didYouMean(text, SECTIONS) : undefined;
    if (mend === undefined) return false;
    this.#context.report.error(span, 'unknown-keyword', `\`${text}\` is neither a section nor a keyword.`, mend);
    this.#section = { kind: 'skipped' };
    return true;
  }

  #reportOutside(keyword: Word): void {
    const mend = didYouMean(keyword.text, SECTIONS) ?? `Begin with a section: ${SECTIONS.join(', ')}.`;
    this.#context.report.error(
      keyword.span,
      'outside-section',
      `\`${keyword.text}\` stands before the first section.`,
      mend,
    );
    // one report for the whole beginning of a file that is something else
    this.#section = { kind: 'skipped' };
  }

  finish(): HaproxyConfig {
    const { report } = this.#context;
    const { rings, withRings } = finishRings(this.#rings, report);
    const global = withRings(finishGlobal(this.#global));
    const { unix_bind } = this.#global;
    const running = this.#proxies.filter((draft) => !draft.disabled);
    const fronts = running.filter(({ kind }) => kind !== 'backend');
    const backs = running.filter(({ kind }) => kind !== 'frontend');
    const around = new Map(
      running.map((draft) => {
        const error_files = finishErrorFiles(draft, this.#http_errors, report);
        return [draft, { global_targets: global.log_targets, error_files, unix_bind }] as const;
      }),
    );
    const backends = backs.map((draft) => withRings(finishBackend(draft, around.get(draft) as Around, report)));
    return {
      global,
      frontends: fronts.map((draft) => withRings(finishFrontend(draft, around.get(draft) as Around, report))),
      backends,
      rings: rings(),
      userlists: finishUserlists(this.#userlists, this.#context.asked_userlists, report),
      resolvers: finishResolvers(this.#resolvers, backends),
      carps: this.#carps.flatMap((draft) => finishCarp(draft, report) ?? []),
      interface_names: this.#global.interface_names,
      sysctls: this.#global.sysctls,
    };
  }
}
