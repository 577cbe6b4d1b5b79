/** Reads configuration files and directories from disk, and hands their text to the dialects. */
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { Diagnostic } from './diagnostic.ts';
import { type Loaded, type LoadOptions, loadConfig, type Source } from './load.ts';

const MAX_FILE_BYTES = 16 << 20;

/** A directory stands for its `*.cfg` files in the order of their names, as in HAProxy. */
export function loadFiles(paths: readonly string[], options: LoadOptions): Loaded {
  const diagnostics: Diagnostic[] = [];
  const sources: Source[] = [];
  for (const path of paths) {
    try {
      for (const file of filesOf(path)) sources.push({ file, text: readFileSync(file, 'utf8') });
    } catch (error) {
      diagnostics.push(unreadable(path, error as NodeJS.ErrnoException));
    }
  }
  if (diagnostics.length > 0) return { config: undefined, diagnostics };
  return loadConfig(sources, options);
}

function filesOf(path: string): string[] {
  const stat = statSync(path);
  if (stat.size > MAX_FILE_BYTES) throw Object.assign(new Error('too large'), { code: 'EFBIG' });
  if (!stat.isDirectory()) return [path];
  const names = readdirSync(path).filter((name) => name.endsWith('.cfg') && !name.startsWith('.'));
  return names.sort().map((name) => join(path, name));
}

function unreadable(file: string, error: NodeJS.ErrnoException): Diagnostic {
  const span = { file, line: 0, column: 0, end_column: 0 };
  const base = { severity: 'error', span } as const;
  if (error.code === 'ENOENT') return { ...base, code: 'file-not-found', message: 'There is no such file.' };
  if (error.code === 'EACCES') return { ...base, code: 'file-forbidden', message: 'This user may not read the file.' };
  return { ...base, code: 'file-unreadable', message: `The file cannot be read (${error.code ?? error.message}).` };
}
