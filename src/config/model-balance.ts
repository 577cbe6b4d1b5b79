import type { Sample } from './model-rules.ts';

/** How the next server is chosen (manual 4.2 "balance"). */
export type Balance =
  | { readonly kind: 'roundrobin' | 'static-rr' | 'leastconn' | 'first' | 'source' }
  /** `len` characters and `depth` directories at most; undefined: all. */
  | {
      readonly kind: 'uri';
      readonly len: number | undefined;
      readonly depth: number | undefined;
      readonly whole: boolean;
      readonly path_only: boolean;
    }
  /** `check_post`: it may stand in the body of a POST. */
  | { readonly kind: 'url_param'; readonly name: string; readonly check_post: boolean }
  | SampleHash
  | { readonly kind: 'hdr'; readonly name: string; readonly use_domain_only: boolean }
  /** The least loaded of so many servers. */
  | { readonly kind: 'random'; readonly draws: number }
  | { readonly kind: 'rdp-cookie'; readonly name: string };

export type SampleHash = {
  readonly kind: 'hash';
  readonly sample: Sample;
  /** Of the sample's value. */
  readonly type: 'bool' | 'int' | 'ip' | 'str' | 'bin';
  /** It is of a request: `mode http` only. */
  readonly http: boolean;
};

export type HashFunction = 'sdbm' | 'djb2' | 'wt6' | 'crc32' | 'none';

/** From a hash to a server (manual 4.2 "hash-type"). */
export type HashType = {
  readonly method: 'map-based' | 'consistent';
  readonly function: HashFunction;
  readonly avalanche: boolean;
};
