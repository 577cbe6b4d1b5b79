/**
 * `errorfile CODE FILE`, sections `http-errors NAME` of such lines, and `errorfiles NAME [CODE…]`, which takes a section's
 * (manual 3.8 and 4.2). The files themselves are read when the process starts.
 */
import type { Span } from '../diagnostic.ts';
import type { ErrorFile } from '../model.ts';
import type { Reporter } from '../reporter.ts';
import { didYouMean } from '../suggest.ts';
import { parseInteger } from '../values.ts';
import { spanOf, type Word } from '../word.ts';
import type { ProxyDraft } from './drafts.ts';
import { type Context, type Keyword, refuseMore, type Statement } from './keyword.ts';

/** `errorfiles NAME [CODE…]`, until all sections are read; no statuses are all of the section's. */
export type ErrorFilesOf = {
  readonly section: Word;
  readonly statuses: readonly { value: number; span: Span }[];
  /** A status for which the section has none is no mistake. */
  readonly if_any?: boolean;
};

/** `http-error status CODE default-errorfiles`: what earlier lines say does not hold. */
export type NoErrorFile = { readonly no_reply_for: number };

/** An `http-errors` section. */
export type HttpErrorsDraft = { readonly name: string; readonly span: Span; error_files: ErrorFile[] };

export const HTTP_ERRORS_KEYWORDS: readonly Keyword<HttpErrorsDraft>[] = [
  {
    name: 'errorfile',
    sections: ['http-errors'],
    help: '`errorfile CODE FILE`: the whole reply to send for a status code.',
    has_effect: true,
    parse(draft, statement, context) {
      const file = parseFile(statement, context);
      if (file) draft.error_files.push(file);
    },
  },
];

/** HAProxy's list; a file for a status that carpool itself never sends is never used. */
const STATUSES = [200, 400, 401, 403, 404, 405, 407, 408, 410, 413, 425, 429, 500, 501, 502, 503, 504];

export function parseErrorFile(draft: ProxyDraft, statement: Statement, context: Context): void {
  const file = parseFile(statement, context);
  if (file) draft.error_files.push(file);
}

export function parseErrorFiles(draft: ProxyDraft, { keyword, args }: Statement, { report }: Context): undefined {
  const [section, ...codes] = args;
  if (section === undefined) {
    const mend = 'Write for example `errorfiles site` with a section `http-errors site`.';
    return report.error(keyword.span, 'missing-value', '`errorfiles` needs the name of a section.', mend);
  }
  const statuses = codes.flatMap((code) => {
    const value = parseInteger(code, { what: 'The status', min: 200, max: 599 }, report);
    return value === undefined ? [] : [{ value, span: code.span }];
  });
  draft.error_files.push({ section, statuses });
}

/** One file for each status: the last that the lines name, one after the other. */
export function finishErrorFiles(
  { error_files }: ProxyDraft,
  sections: readonly HttpErrorsDraft[],
  report: Reporter,
): ErrorFile[] {
  const by_status = new Map<number, ErrorFile>();
  for (const line of error_files) {
    if ('no_reply_for' in line) {
      by_status.delete(line.no_reply_for);
      continue;
    }
    const files = 'section' in line ? filesOf(line, sections, report) : [line];
    for (const file of files) by_status.set(file.status, file);
  }
  return [...by_status.values()];
}

function filesOf({ section, statuses, if_any }: ErrorFilesOf, sections: readonly HttpErrorsDraft[], report: Reporter) {
  const named = sections.find(({ name }) => name === section.text);
  if (named === undefined) {
    const mend = didYouMean(
      section.text,
      sections.map(({ name }) => name),
    );
    report.error(section.span, 'unknown-section', `There is no \`http-errors ${section.text}\`.`, mend);
    return [];
  }
  for (const { value, span } of statuses) {
    if (if_any || named.error_files.some(({ status }) => status === value)) continue;
    report.error(span, 'unknown-value', `\`http-errors ${named.name}\` has no file for status ${value}.`);
  }
  const wanted = statuses.map(({ value }) => value);
  return wanted.length === 0 ? named.error_files : named.error_files.filter(({ status }) => wanted.includes(status));
}

function parseFile({ keyword, args }: Statement, { report }: Context): ErrorFile | undefined {
  const [code, path] = args;
  if (code === undefined || path === undefined) {
    const mend = 'Write for example `errorfile 503 /etc/haproxy/errors/503.http`.';
    return report.error(keyword.span, 'missing-value', '`errorfile` needs a status code and a file.', mend);
  }
  refuseMore(args.slice(2), path, report);
  const status = parseStatus(code, report);
  if (status === undefined) return undefined;
  return { status, path: path.text, head: undefined, content: undefined, span: spanOf([keyword, ...args]) };
}

/** Undefined after a report. */
export function parseStatus(code: Word, report: Reporter): number | undefined {
  const status = parseInteger(code, { what: 'The status', min: 200, max: 599 }, report);
  if (status === undefined) return undefined;
  if (!STATUSES.includes(status)) {
    const message = `Status ${status} has no reply that another could replace.`;
    return report.warning(code.span, 'no-effect', message, `There are ${STATUSES.join(', ')}.`);
  }
  return status;
}
