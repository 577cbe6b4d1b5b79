/** Reads the files that `-f` names; everything else about configuration is pure. */
import { closeSync, existsSync, openSync, readdirSync, readSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { Diagnostic } from './diagnostic.ts';
import { detectDialect } from './dialect.ts';
import { withSourced } from './files-sourced.ts';
import { type Loaded, type LoadOptions, loadConfig, type Source } from './load.ts';
import { parseUcarpCommand, type UcarpCommand } from './ucarp/command.ts';

/** No configuration that a person wrote comes near; /dev/zero does. */
const LARGEST_FILE_BYTES = 16 * 2 ** 20;

/** loadConfig() of files and directories. When one cannot be read, that is all that is said. */
export function loadFiles(paths: readonly string[], options: LoadOptions = {}): Loaded {
  const { sources, diagnostics } = readSources(paths, options.root);
  if (diagnostics.length > 0) return { config: undefined, diagnostics };
  const readPatterns = (path: string) => readQuietly(path, options.root);
  const loaded = loadConfig(sources, { hasScript: isForIfupdown, readPatterns, ...options });
  return { ...loaded, diagnostics: [...loaded.diagnostics, ...sources.flatMap((source) => cutOff(source) ?? [])] };
}

/** A last line without its end: who wrote the file may not have come to the end of it. */
function cutOff({ file, text, dialect }: Source): Diagnostic | undefined {
  if ((dialect ?? detectDialect(file, text)) !== 'haproxy' || text === '' || text.endsWith('\n')) return undefined;
  const line = text.split('\n').length;
  const message = 'The last line has no line feed behind it, so the file may have been cut off.';
  const mend = 'If it is complete, end it with a line feed.';
  return { severity: 'warning', code: 'no-line-end', message, mend, span: { file, line, column: 0, end_column: 0 } };
}

/** parseUcarpCommand() with -o reading its file. */
export function loadUcarpCommand(argv: readonly string[]): UcarpCommand {
  const readPassFile = (path: string) => {
    const read = readText(path, LARGEST_FILE_BYTES);
    return typeof read === 'string' ? { text: read } : { problem: `The password file \`${path}\`: ${read.message}` };
  };
  return parseUcarpCommand(argv, { readPassFile });
}

/** A directory stands for its `*.cfg` files in the order of their names, as in HAProxy. */
export function readSources(paths: readonly string[], root = ''): { sources: Source[]; diagnostics: Diagnostic[] } {
  const sources: Source[] = [];
  const diagnostics: Diagnostic[] = [];
  for (const path of paths) {
    for (const file of expandDirectory(path, diagnostics, root)) {
      const read = readText(file, LARGEST_FILE_BYTES, root);
      if (typeof read !== 'string') diagnostics.push(read);
      else if (detectDialect(file, read) !== 'interfaces') sources.push({ file, text: read });
      else sources.push(...withSourced({ file, text: read }, (each) => readQuietly(each)));
    }
  }
  return { sources, diagnostics };
}

function isForIfupdown(path: string, file: string): boolean {
  return file.startsWith('/etc/network/') && existsSync(path);
}

/** Undefined: it cannot be read, which ifupdown passes over. */
function readQuietly(file: string, root = ''): string | undefined {
  const read = readText(file, LARGEST_FILE_BYTES, root);
  return typeof read === 'string' ? read : undefined;
}

function expandDirectory(path: string, diagnostics: Diagnostic[], root: string): string[] {
  try {
    if (!statSync(under(root, path)).isDirectory()) return [path];
    const names = readdirSync(under(root, path)).filter((name) => name.endsWith('.cfg') && !name.startsWith('.'));
    if (names.length === 0) diagnostics.push(unreadable(path, 'EMPTY'));
    return names.sort().map((name) => join(path, name));
  } catch {
    // readText says why
    return [path];
  }
}

/** Reads to the end and not by the size that stat tells: pipes such as `<(…)` have none. */
function readText(path: string, largest_bytes: number, root = ''): string | Diagnostic {
  const buffer = Buffer.alloc(64 * 1024);
  const parts: Buffer[] = [];
  let descriptor: number | undefined;
  try {
    descriptor = openSync(under(root, path), 'r');
    for (let total_bytes = 0; total_bytes <= largest_bytes; ) {
      const count = readSync(descriptor, buffer, 0, buffer.length, null);
      if (count === 0) return decode(Buffer.concat(parts));
      parts.push(Buffer.from(buffer.subarray(0, count)));
      total_bytes += count;
    }
    return unreadable(path, 'EFBIG');
  } catch (error) {
    return unreadable(path, (error as NodeJS.ErrnoException).code ?? String(error));
  } finally {
    if (descriptor !== undefined) closeSync(descriptor);
  }
}

function under(root: string, path: string): string {
  return path.startsWith('/') ? `${root}${path}` : path;
}

/** Without the byte order mark that some editors put first and that nobody sees. */
function decode(bytes: Buffer): string {
  const text = bytes.toString('utf8');
  return text.startsWith('\ufeff') ? text.slice(1) : text;
}

const FORBIDDEN = 'Run carpool as a user who may, or let this one read it with `chown` or `chmod`.';
const REASONS: Readonly<Record<string, { code: string; message: string; mend?: string }>> = {
  ENOENT: { code: 'file-not-found', message: 'There is no such file.' },
  EACCES: { code: 'file-forbidden', message: 'This user may not read the file.', mend: FORBIDDEN },
  EFBIG: { code: 'file-too-large', message: 'The file is too large to be a configuration.' },
  EMPTY: {
    code: 'file-not-found',
    message: 'The directory holds no *.cfg file.',
    mend: 'Name the file itself after -f.',
  },
};

function unreadable(file: string, errno: string): Diagnostic {
  const reason = REASONS[errno] ?? { code: 'file-unreadable', message: `The file cannot be read (${errno}).` };
  return { severity: 'error', ...reason, span: { file, line: 0, column: 0, end_column: 0 } };
}
