/**
 * The conditions of `.if`, `.elif` and `carpool -cc` (manual 2.4 "Conditional blocks"):
 *
 *   either  ::=  both { "||" both }
 *   both    ::=  one { "&&" one }
 *   one     ::=  "!" one | "(" either ")" | NUMBER | NAME [ "(" ARGUMENT { "," ARGUMENT } ")" ]
 *
 * Nothing at all is false.
 */
import { FEATURES, LANGUAGE_VERSION } from './build-facts.ts';
import type { Environment } from './tokenizer.ts';

export type Outcome = { readonly holds: boolean } | { readonly problem: string };

/** How deep parentheses and exclamation marks may stand in each other. */
const DEEPEST = 32;

export function evaluateCondition(text: string, env: Environment): Outcome {
  if (text.trim() === '') return { holds: false };
  const reader = new Reader(text, env);
  const holds = reader.either();
  return reader.problem === undefined && reader.rest() !== ''
    ? { problem: `\`${reader.rest()}\` is more than a condition` }
    : reader.problem === undefined
      ? { holds }
      : { problem: reader.problem };
}

class Reader {
  problem: string | undefined;
  readonly #text: string;
  readonly #env: Environment;
  #at = 0;
  #depth = 0;

  constructor(text: string, env: Environment) {
    this.#text = text;
    this.#env = env;
  }

  rest(): string {
    return this.#text.slice(this.#at).trim();
  }

  either(): boolean {
    let holds = this.#both();
    while (this.#take(/^\|\|/)) holds = this.#both() || holds;
    return holds;
  }

  #both(): boolean {
    let holds = this.#one();
    while (this.#take(/^&&/)) holds = this.#one() && holds;
    return holds;
  }

  #one(): boolean {
    if (this.#depth++ >= DEEPEST) return this.#fail('it is nested too deeply');
    try {
      if (this.#take(/^!/)) return !this.#one();
      if (this.#take(/^\(/)) {
        const holds = this.either();
        return this.#take(/^\)/) ? holds : this.#fail('a `)` is missing');
      }
      const number = this.#take(/^[+-]?\d+(?![\w.])/);
      if (number) return Number(number[0]) !== 0;
      const name = this.#take(/^\w+/);
      return name ? this.#predicate(name[0]) : this.#fail(`a condition is missing before \`${this.rest()}\``);
    } finally {
      this.#depth--;
    }
  }

  #predicate(name: string): boolean {
    const words = this.#take(/^\(([^()]*)\)/)?.[1];
    const args = words === undefined ? [] : words.split(',').map((word) => word.trim());
    const predicate = PREDICATES[name];
    if (predicate === undefined) return this.#fail(`there is no predicate \`${name}\``);
    if (args.length !== predicate.takes) {
      const many = predicate.takes === 1 ? 'one argument' : 'two arguments';
      return this.#fail(`\`${name}\` takes ${many} in parentheses`);
    }
    return predicate.holds(args as [string, string], this.#env);
  }

  /** Takes what matches at the place, blanks before it too. */
  #take(pattern: RegExp): RegExpExecArray | null {
    if (this.problem !== undefined) return null;
    const skipped = /^\s*/.exec(this.#text.slice(this.#at))?.[0].length ?? 0;
    const match = pattern.exec(this.#text.slice(this.#at + skipped));
    if (match) this.#at += skipped + match[0].length;
    return match;
  }

  #fail(problem: string): false {
    this.problem ??= problem;
    return false;
  }
}

type Predicate = {
  readonly takes: 1 | 2;
  readonly holds: (args: readonly [string, string], env: Environment) => boolean;
};

/** There is no TLS library, so what asks for one is false. */
const NO_LIBRARY: Predicate = { takes: 1, holds: () => false };

const PREDICATES: Readonly<Record<string, Predicate>> = {
  defined: { takes: 1, holds: ([name], env) => env[name] !== undefined },
  feature: { takes: 1, holds: ([name]) => FEATURES.includes(name) },
  streq: { takes: 2, holds: ([one, other]) => one === other },
  strneq: { takes: 2, holds: ([one, other]) => one !== other },
  strstr: { takes: 2, holds: ([text, part]) => text.includes(part) },
  version_atleast: { takes: 1, holds: ([version]) => compareVersions(LANGUAGE_VERSION, version) >= 0 },
  version_before: { takes: 1, holds: ([version]) => compareVersions(LANGUAGE_VERSION, version) < 0 },
  openssl_version_atleast: NO_LIBRARY,
  openssl_version_before: NO_LIBRARY,
  ssllib_name_startswith: NO_LIBRARY,
  awslc_api_atleast: NO_LIBRARY,
  awslc_api_before: NO_LIBRARY,
  enabled: { takes: 1, holds: ([name]) => ENABLED.includes(name.toUpperCase()) },
};

/** Of HAProxy's list of what a start may switch off. */
const ENABLED: readonly string[] = ['POLL', 'EPOLL', 'SPLICE', 'GETADDRINFO', 'REUSEPORT'];

/** `2.4-dev19` is before `2.4`; what is missing is zero. Negative, 0 or positive. */
function compareVersions(one: string, other: string): number {
  const [a, b] = [partsOf(one), partsOf(other)];
  const at = a.findIndex((part, index) => part !== b[index]);
  return at < 0 ? 0 : (a[at] as number) - (b[at] as number);
}

/** Major, minor, patch; then the number of a -dev version, which every release is beyond. */
function partsOf(version: string): readonly number[] {
  const match = /^(\d+)(?:\.(\d+))?(?:\.(\d+))?(?:-dev(\d+))?/.exec(version);
  const [, major = '0', minor = '0', patch = '0', dev] = match ?? [];
  return [Number(major), Number(minor), Number(patch), dev === undefined ? Number.MAX_SAFE_INTEGER : Number(dev)];
}
