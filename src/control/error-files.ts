/** Reads the replies that `errorfile` names, before a chroot hides them. */
import { readFileSync } from 'node:fs';
import type { Diagnostic } from '../config/diagnostic.ts';
import type { Config, ErrorFile } from '../config/model.ts';
import { LONGEST_HEAD_BYTES, LONGEST_REPLY_BYTES, storedReply } from '../config/stored-reply.ts';

/** The configuration with the files' contents; one that cannot be read is an error, as in HAProxy. */
/** `root` stands before absolute paths, for a process in a chroot. */
export function withErrorFiles(config: Config, root = ''): { config: Config; diagnostics: Diagnostic[] } {
  const diagnostics: Diagnostic[] = [];
  const known = new Map<string, Uint8Array>();
  const read = (file: ErrorFile): ErrorFile => {
    const { path, head } = file;
    if (path === undefined) return file;
    const content = known.get(path) ?? readReply(path, file, root, diagnostics);
    if (content !== undefined) known.set(path, content);
    return { ...file, content: head && content ? storedReply(head, content) : content };
  };
  const fill = <T extends { readonly error_files: readonly ErrorFile[] }>(proxy: T): T => ({
    ...proxy,
    error_files: proxy.error_files.map(read),
  });
  const filled = { ...config, frontends: config.frontends.map(fill), backends: config.backends.map(fill) };
  return { config: filled, diagnostics };
}

function readReply(
  path: string,
  { head, span }: ErrorFile,
  root: string,
  diagnostics: Diagnostic[],
): Uint8Array | undefined {
  const base = { severity: 'error', span } as const;
  let content: Uint8Array;
  try {
    content = readFileSync(path.startsWith('/') ? `${root}${path}` : path);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    const message = `The reply in ${path} cannot be read (${code}).`;
    if (!diagnostics.some((other) => other.message === message)) {
      diagnostics.push({
        ...base,
        code: 'cannot-read-reply',
        message,
        mend: 'Write the path of a file, or remove the line.',
      });
    }
    return undefined;
  }
  const least = head ? 0 : 1;
  const most = LONGEST_REPLY_BYTES - (head ? LONGEST_HEAD_BYTES : 0);
  if (content.length >= least && content.length <= most) return content;
  const message = `The reply in ${path} has ${content.length} bytes; it may have ${least} to ${most}.`;
  diagnostics.push({ ...base, code: 'bad-reply-length', message });
  return undefined;
}
