/** The asking end of the control socket: one command line out, the answer in. */
import { connect } from 'node:net';
import { ERROR, SILENCE } from './commands.ts';
import type { SocketPaths } from './socket-path.ts';

export type AskResult =
  | { readonly kind: 'answered' }
  /** The daemon's own sentence about what is wrong. */
  | { readonly kind: 'refused'; readonly sentence: string }
  /** No daemon listens on any of the paths. */
  | { readonly kind: 'absent' }
  | { readonly kind: 'forbidden'; readonly path: string }
  | { readonly kind: 'failed'; readonly path: string; readonly reason: string };

/** No answer within that time is a failure; a command that streams has no such limit after its first byte. */
const ANSWER_MS = 5_000;

/** Sends `line` to the first daemon found and hands the answer to `write`, piece by piece. */
export async function ask(paths: SocketPaths, line: string, write: (text: string) => void): Promise<AskResult> {
  let result: AskResult = { kind: 'absent' };
  for (const path of paths.candidates) {
    const next = await askAt(path, line, write);
    if (next.kind === 'forbidden') result = next;
    else if (next.kind !== 'absent') return next;
  }
  return result;
}

function askAt(path: string, line: string, write: (text: string) => void): Promise<AskResult> {
  return new Promise((resolve) => {
    const socket = connect(path);
    let answered = false;
    const finish = (result: AskResult) => {
      socket.destroy();
      resolve(result);
    };
    const gaveUp = () => finish({ kind: 'failed', path, reason: `no answer in ${ANSWER_MS / 1000} s` });
    socket.setEncoding('utf8');
    socket.setTimeout(ANSWER_MS, gaveUp);
    socket.once('connect', () => socket.write(`${line}\n`));
    socket.on('data', (text: string) => {
      if (!answered && text.startsWith(ERROR))
        return finish({ kind: 'refused', sentence: text.slice(ERROR.length).trim() });
      answered = true;
      socket.setTimeout(0);
      if (text !== SILENCE) write(text);
    });
    socket.once('end', () =>
      finish(answered ? { kind: 'answered' } : { kind: 'failed', path, reason: 'it closed the socket' }),
    );
    socket.once('error', (error: NodeJS.ErrnoException) => finish(failure(path, error)));
  });
}

function failure(path: string, error: NodeJS.ErrnoException): AskResult {
  if (error.code === 'ENOENT' || error.code === 'ECONNREFUSED' || error.code === 'ENOTDIR') return { kind: 'absent' };
  if (error.code === 'EACCES' || error.code === 'EPERM') return { kind: 'forbidden', path };
  return { kind: 'failed', path, reason: error.code ?? error.message };
}
