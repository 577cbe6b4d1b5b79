/** `pidfile` and `-p`: where others find the number of this process. It is left at the end, as HAProxy leaves it. */
import { writeFileSync } from 'node:fs';
import { type Diagnostic, NOWHERE, type Span } from '../config/diagnostic.ts';

export function writePidfile(path: string, span: Span = NOWHERE): Diagnostic[] {
  try {
    writeFileSync(path, `${process.pid}\n`, { mode: 0o644 });
    return [];
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    const message = `The pidfile ${path} cannot be written (${code}).`;
    return [{ severity: 'error', code: 'cannot-write-pidfile', message, span }];
  }
}
