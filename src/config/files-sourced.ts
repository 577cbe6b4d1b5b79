/** What Debian's /etc/network/interfaces takes in with `source` and `source-directory`: which files those lines mean. */
import { readdirSync, statSync } from 'node:fs';
import { dirname, isAbsolute, join } from 'node:path';
import { sourcedPaths } from './debian/stanzas.ts';
import type { Source } from './load.ts';

/** Files of one `interfaces`, and how many of them may be one in the other. */
const MOST_FILES = 1000;
const DEEPEST = 8;

/** `source` and the files that it takes in, in order. `read` gives undefined for what cannot be read (ifupdown passes it over). */
export function withSourced(source: Source, read: (file: string) => string | undefined): Source[] {
  const found: Source[] = [];
  const add = (one: Source, depth: number): void => {
    found.push(one);
    if (depth === DEEPEST) return;
    for (const { path, is_directory } of sourcedPaths(one)) {
      const pattern = isAbsolute(path.text) ? path.text : join(dirname(one.file), path.text);
      for (const file of is_directory ? filesIn(pattern) : expand(pattern)) {
        const text = found.length < MOST_FILES ? read(file) : undefined;
        if (text !== undefined) add({ file, text, dialect: 'interfaces' }, depth + 1);
      }
    }
  };
  add(source, 0);
  return found;
}

/** ifupdown takes only plain names of a directory. */
function filesIn(pattern: string): string[] {
  return expand(pattern).flatMap((directory) =>
    names(directory)
      .filter((name) => /^[A-Za-z0-9_-]+$/.test(name))
      .map((name) => join(directory, name))
      .filter(isFile),
  );
}

/** The paths that a pattern of the shell means (`*`, `?`, `[…]`), sorted; a path without them is itself. */
function expand(pattern: string): string[] {
  const parts = pattern.split('/').filter((part) => part !== '');
  let paths = [pattern.startsWith('/') ? '/' : '.'];
  for (const part of parts) {
    if (!/[*?[]/.test(part)) paths = paths.map((path) => join(path, part));
    else {
      const matcher = toRegExp(part);
      paths = paths.flatMap((path) =>
        names(path)
          .filter((name) => matcher.test(name) && (!name.startsWith('.') || part.startsWith('.')))
          .map((name) => join(path, name)),
      );
    }
  }
  return paths;
}

function toRegExp(part: string): RegExp {
  const body = part.replace(/\[!?[^\]]*\]|[\s\S]/g, (piece) => {
    if (piece === '*') return '.*';
    if (piece === '?') return '.';
    if (piece.length > 1)
      return `[${piece[1] === '!' ? '^' : ''}${piece.slice(piece[1] === '!' ? 2 : 1, -1).replace(/[\\^]/g, '\\$&')}]`;
    return piece.replace(/[\\^$.|+(){}[\]]/, '\\$&');
  });
  return new RegExp(`^${body}$`, 's');
}

function names(directory: string): string[] {
  try {
    return readdirSync(directory).sort();
  } catch {
    return [];
  }
}

function isFile(path: string): boolean {
  try {
    return statSync(path).isFile();
  } catch {
    return false;
  }
}
