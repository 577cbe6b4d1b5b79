/** Conditions over traffic, and the rules that they stand behind (manual, sections 4 and 7). */
import type { Span } from './diagnostic.ts';

/** A disjunction of conjunctions: terms side by side are ANDed, `or` / `||` separates. */
export type Disjunction<Test> = readonly (readonly { readonly negated: boolean; readonly test: Test }[])[];

/** When a rule holds; a rule without one always does. */
export type RuleCondition = { readonly polarity: 'if' | 'unless'; readonly condition: Disjunction<AclTest> };

/** One ACL: any of its lines. */
export type AclTest =
  | { readonly kind: 'constant'; readonly value: boolean }
  | { readonly kind: 'any'; readonly tests: readonly AclTest[] }
  | { readonly kind: 'match'; readonly sample: Sample; readonly match: Match };

/** `hdr(host),lower`: a fetch, and what its value goes through. */
export type Sample = {
  readonly fetch: string;
  readonly args: readonly string[];
  readonly converters: readonly { readonly name: string; readonly args: readonly string[] }[];
};

/** Inclusive on both ends; null is open. `ge 1` is {min: 1, max: null}. */
export type IntegerRange = { readonly min: number | null; readonly max: number | null };

/** How a value is compared with patterns, any of which is enough (manual 7.1). */
export type Match =
  | { readonly method: 'bool' | 'found' }
  | { readonly method: 'int' | 'len'; readonly ranges: readonly IntegerRange[] }
  /** `10.0.0.0/8`, `::1`. */
  | { readonly method: 'ip'; readonly networks: readonly string[] }
  | {
      readonly method: 'str' | 'beg' | 'end' | 'sub' | 'dir' | 'dom' | 'reg' | 'bin';
      readonly patterns: readonly string[];
      readonly ignore_case: boolean;
    };

/** `use-server NAME`, `use_backend NAME`: the first one whose condition holds. */
export type NamedChoice = { readonly name: string; readonly when: RuleCondition | undefined; readonly span: Span };

/** `force-persist`, `ignore-persist`: the first one whose condition holds. */
export type PersistRule = { readonly kind: 'force' | 'ignore'; readonly when: RuleCondition };

/** `http-request set-priority-class`, `set-priority-offset`: the sample is a number. */
export type PriorityRule = {
  readonly sets: 'class' | 'offset';
  readonly sample: Sample;
  readonly when: RuleCondition | undefined;
};

/** A URI that is answered here: 200, or 503 while any of the conditions holds. */
export type Monitor = { readonly uri: string; readonly fails: readonly RuleCondition[]; readonly span: Span };
