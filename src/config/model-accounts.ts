/** `userlist` sections (manual 3.4): who may say who they are. */
import type { Span } from './diagnostic.ts';

export type Userlist = {
  readonly name: string;
  readonly accounts: readonly Account[];
  readonly span: Span;
};

export type Account = {
  readonly name: string;
  /** Undefined: nobody can be this one. */
  readonly password: Password | undefined;
  readonly groups: readonly string[];
  readonly span: Span;
};

/** `crypt`: as crypt(3) wrote it, `$6$salt$hash`. */
export type Password = { readonly kind: 'plain' | 'crypt'; readonly text: string; readonly span: Span };
