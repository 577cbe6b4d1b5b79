/** The parts of the model that say where log lines go and what is in them. */
import type { Span } from './diagnostic.ts';
import type { Endpoint } from './model.ts';
import type { Sample } from './model-rules.ts';

export type LogTarget = {
  readonly to:
    | { readonly kind: 'stdout' }
    | { readonly kind: 'stderr' }
    /** A descriptor that was open when the process started. */
    | { readonly kind: 'fd'; readonly fd: number }
    | { readonly kind: 'udp'; readonly endpoint: Endpoint }
    | { readonly kind: 'unix'; readonly path: string }
    /** A `ring` of the configuration; the format and length of its lines are the ring's. */
    | { readonly kind: 'ring'; readonly name: string };
  readonly format: SyslogFormat;
  /** Written with `format`: `log-send-hostname` makes rfc3164 of `local` otherwise. */
  readonly has_own_format: boolean;
  /** Longest line in bytes (HAProxy `len`, 80..65535, default 1024). */
  readonly max_bytes: number;
  /** Syslog facility 0..23 (local0 = 16). */
  readonly facility: number;
  /** Highest syslog level that is sent, 0 emerg .. 7 debug. */
  readonly max_level: number;
  /** What is more severe than this is sent as this. */
  readonly min_level: number;
  readonly sample: LogSample | undefined;
  readonly span: Span;
};

/** `ring NAME`: the latest lines, in memory, for people to look at and for log servers that are spoken to over TCP. */
export type Ring = {
  readonly name: string;
  readonly description: string;
  readonly format: SyslogFormat;
  /** Of one line with its header. */
  readonly max_bytes: number;
  /** Of all lines; the oldest ones go first. */
  readonly size_bytes: number;
  /** Each gets all lines. */
  readonly servers: readonly RingServer[];
  readonly connect_ms: number | undefined;
  /** How long lines may wait for a server that does not read. */
  readonly server_ms: number | undefined;
  readonly span: Span;
};

export type RingServer = {
  readonly name: string;
  readonly endpoint: Endpoint;
  /** `log-proto octet-count`: its length stands before each line (RFC 6587); else a line feed behind it. */
  readonly octet_count: boolean;
  readonly span: Span;
};

/** The header of a line (manual 4.2 "log"): from nothing at all (`raw`) to RFC 5424. */
export type SyslogFormat = 'raw' | 'short' | 'priority' | 'timed' | 'iso' | 'local' | 'rfc3164' | 'rfc5424';

/** Of `size` lines one after the other, those whose number (from 1) is in a range are sent. */
export type LogSample = { readonly ranges: readonly (readonly [number, number])[]; readonly size: number };

export type LogFormat =
  | { readonly kind: 'none' | 'tcplog' | 'httplog' | 'clf' | 'httpslog' }
  | { readonly kind: 'text'; readonly parts: readonly LogPart[] };

/** A piece of a `log-format` string. `space`: one blank, however many were written, and none after another one. */
export type LogPart =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'space' }
  /** `%ci`, `%{+Q}r`: a field by its short name (manual 8.2.6) and how it is written. */
  | { readonly kind: 'field'; readonly name: string; readonly flags: LogFlags }
  /** `%[path,lower]`: a sample, taken when what it asks about is there. */
  | { readonly kind: 'sample'; readonly sample: Sample; readonly moment: SampleMoment; readonly flags: LogFlags };

/**
 * When a sample's value is there: with the head of the request or of the response, or `any` time; `end`: how it went is told, and
 * only log lines ask for that.
 */
export type SampleMoment = 'any' | 'request' | 'response' | 'end';

/** `+Q` in double quotes, `+X` in hexadecimal, `+E` with backslashes before what RFC 5424 wants escaped. */
export type LogFlags = { readonly quoted: boolean; readonly hexadecimal: boolean; readonly escaped: boolean };

/** `capture request|response header NAME len LENGTH`. */
export type Capture = { readonly header: string; readonly length: number };

/** `capture cookie NAME len LENGTH`: the first cookie that begins with the name, and `=` may be part of that. */
export type CookieCapture = { readonly name: string; readonly length: number };
